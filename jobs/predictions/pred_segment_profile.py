from lakehouse.declare import SQL, AsOf, Column, Snapshot, at_least, between, table


@table(
    key=("as_of_date", "segment"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("as_of_date", "date", "The day at whose end it was computed."),
        Column("segment", "bigint", "Number of the segment, which it keeps from training to training.", at_least(0)),
        Column("words", "string", "What sets the segment apart."),
        Column("rule", "string", "The rule of a decision tree that describes it; empty without."),
        Column("customers", "bigint", "Who is in it.", at_least(1)),
        Column("share", "double", "Share of all customers.", between(0, 1)),
        Column("spend_28d", "decimal(24,2)", "What they spent in 28 days, EUR."),
        Column("spend_share", "double", "Share of all spending.", between(0, 1)),
        Column("described", "bigint", "For how many customers the rule holds.", at_least(0)),
        Column("rule_precision", "double", "Share of those whom the rule holds for who are in the segment.", between(0, 1)),
        Column("rule_recall", "double", "Share of the segment whom the rule holds for.", between(0, 1)),
        Column("country", "string", "The commonest country in it."),
        Column("country_share", "double", "Share of the segment that lives there.", between(0, 1)),
        Column("kind", "string", "The commonest of private, business and student."),
        Column("kind_share", "double", "Share of the segment that is so.", between(0, 1)),
        Column("model_version", "int", "Version of customer_segments behind it."),
    ],
)
def pred_segment_profile(
    pred_customer_segment: Snapshot, feat_customer_rfm: Snapshot, feat_customer_behaviour: Snapshot, as_of: AsOf
) -> SQL:
    """The segments as an analyst reads them: words, a rule and how often it errs, size, spending, and who lives in them."""
    return SQL("""
        WITH members AS (
            SELECT p.as_of_date, p.segment, p.words, p.rule, p.by_rule, p.model_version, r.spend_28d, b.country, b.segment AS kind
            FROM pred_customer_segment p
            JOIN feat_customer_rfm r ON r.customer_id = p.customer_id AND r.as_of_date = p.as_of_date
            JOIN feat_customer_behaviour b ON b.customer_id = p.customer_id AND b.as_of_date = p.as_of_date
            WHERE p.as_of_date = :as_of
        ), sizes AS (
            SELECT as_of_date, segment, min(words) AS words, min(rule) AS rule, min(model_version) AS model_version, count(*) AS customers,
                   CAST(sum(spend_28d) AS decimal(24,2)) AS spend_28d, count_if(by_rule = segment) AS both
            FROM members GROUP BY as_of_date, segment
        ), ruled AS (
            SELECT by_rule AS segment, count(*) AS described FROM members GROUP BY by_rule
        ), places AS (
            SELECT segment, country, count(*) AS of_country,
                   row_number() OVER (PARTITION BY segment ORDER BY count(*) DESC, country) AS place
            FROM members WHERE country IS NOT NULL GROUP BY segment, country
        ), kinds AS (
            SELECT segment, kind, count(*) AS of_kind, row_number() OVER (PARTITION BY segment ORDER BY count(*) DESC, kind) AS place
            FROM members WHERE kind IS NOT NULL GROUP BY segment, kind
        )
        SELECT s.as_of_date, s.segment, s.words, s.rule, s.customers, s.customers / CAST(sum(s.customers) OVER () AS double) AS share,
               s.spend_28d, CAST(s.spend_28d AS double) / nullif(CAST(sum(s.spend_28d) OVER () AS double), 0) AS spend_share,
               coalesce(r.described, 0) AS described, s.both / nullif(CAST(r.described AS double), 0) AS rule_precision,
               s.both / CAST(s.customers AS double) AS rule_recall,
               p.country, p.of_country / CAST(s.customers AS double) AS country_share,
               k.kind, k.of_kind / CAST(s.customers AS double) AS kind_share, s.model_version
        FROM sizes s
        LEFT JOIN ruled r ON r.segment = s.segment
        LEFT JOIN places p ON p.segment = s.segment AND p.place = 1
        LEFT JOIN kinds k ON k.segment = s.segment AND k.place = 1
    """)
