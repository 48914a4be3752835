from lakehouse.declare import SQL, AsOf, Column, Snapshot, at_least, between, table

DAYS, SLACK = 28, 7
"""How far the two days are apart, and how much further where no night computed segments on that day."""


@table(
    key=("as_of_date", "segment_before", "segment_now"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("as_of_date", "date", "The later day, at whose end it was computed."),
        Column("before_date", "date", "The earlier day: 28 days before, or the newest within a week before that."),
        Column("segment_before", "string", "Number of the segment on the earlier day; new: the customer was not there."),
        Column("segment_now", "string", "Number of the segment on the later day; gone: the customer is there no more."),
        Column("customers", "bigint", "Who went that way, or stayed.", at_least(1)),
        Column("share_of_before", "double", "Share of the segment of the earlier day (of the new) that went that way.", between(0, 1)),
        Column("spend_before", "decimal(24,2)", "What they spent in the 28 days up to the earlier day, EUR."),
        Column("spend_now", "decimal(24,2)", "What they spent in the 28 days up to the later day, EUR."),
        Column("spend_moved", "decimal(25,2)", "Spending taken to another segment, brought or taken away, EUR: now, of the gone before; "
               "0 of who stayed."),
        Column("is_same_model", "boolean", "Whether one version of customer_segments computed both days; else limits may have moved, too."),
    ],
)  # fmt: skip
def pred_segment_migration(pred_customer_segment: Snapshot, feat_customer_rfm: Snapshot, as_of: AsOf) -> SQL:
    """Customers by segment then and now, 28 days apart, new and gone ones beside them, with their spending."""
    return SQL(f"""
        WITH known AS (
            SELECT p.customer_id, p.as_of_date, CAST(p.segment AS string) AS segment, p.model_version, r.spend_28d
            FROM pred_customer_segment p
            JOIN feat_customer_rfm r ON r.customer_id = p.customer_id AND r.as_of_date = p.as_of_date
            WHERE p.as_of_date = :as_of OR p.as_of_date BETWEEN date_sub(:as_of, {DAYS + SLACK}) AND date_sub(:as_of, {DAYS})
        ), days AS (
            SELECT max(CASE WHEN as_of_date < :as_of THEN as_of_date END) AS before_date, max(as_of_date) AS last_date FROM known
        ), earlier AS (
            SELECT k.* FROM known k JOIN days d ON k.as_of_date = d.before_date WHERE d.last_date = :as_of
        ), later AS (
            SELECT k.* FROM known k JOIN days d ON k.as_of_date = d.last_date WHERE d.last_date = :as_of AND d.before_date IS NOT NULL
        ), ways AS (
            SELECT coalesce(a.segment, 'new') AS segment_before, coalesce(b.segment, 'gone') AS segment_now, a.spend_28d AS spent_before,
                   b.spend_28d AS spent_now, a.model_version AS model_before, b.model_version AS model_now
            FROM earlier a FULL OUTER JOIN later b ON b.customer_id = a.customer_id
        ), counted AS (
            SELECT segment_before, segment_now, count(*) AS customers, coalesce(sum(spent_before), 0) AS spend_before,
                   coalesce(sum(spent_now), 0) AS spend_now, min(model_before) AS model_before, min(model_now) AS model_now
            FROM ways GROUP BY segment_before, segment_now
        )
        SELECT CAST(:as_of AS date) AS as_of_date, d.before_date, c.segment_before, c.segment_now, c.customers,
               c.customers / CAST(sum(c.customers) OVER (PARTITION BY c.segment_before) AS double) AS share_of_before,
               CAST(c.spend_before AS decimal(24,2)) AS spend_before, CAST(c.spend_now AS decimal(24,2)) AS spend_now,
               CAST(CASE WHEN c.segment_before = c.segment_now THEN 0 WHEN c.segment_now = 'gone' THEN c.spend_before
                         ELSE c.spend_now END AS decimal(25,2)) AS spend_moved,
               coalesce(min(c.model_before) OVER () = min(c.model_now) OVER (), false) AS is_same_model
        FROM counted c CROSS JOIN days d
    """)
