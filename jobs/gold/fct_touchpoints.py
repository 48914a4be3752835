from lakehouse.declare import SQL, Column, Touched, at_least, references, table

LOOKBACK_DAYS = 30


@table(
    key="web_session_id",
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("web_session_id", "string", "Visitor and the visit's number among the visitor's.", sensitivity="pseudonym"),
        Column("visitor_id", "string", "Cookie.", sensitivity="pseudonym"),
        Column("journey_id", "string", "Visitor and the journey's number among the visitor's.", sensitivity="pseudonym"),
        Column("date_id", "date", "Day of the visit, UTC."),
        Column("touched_at", "timestamp", "When the visit began, UTC."),
        Column("channel", "string", "Marketing channel that brought the visit."),
        Column("campaign", "string", "Campaign of the visit, where one is named."),
        Column("position", "bigint", "1 for the first touch of the journey.", at_least(1)),
        Column("conversions", "bigint", "Orders at the end of the journey; 0 where it was lost or is still open.", at_least(0)),
        Column("value", "decimal(22,2)", "Their totals, EUR."),
        Column("days_before_end", "double", "Days from the touch to the end of its journey.", at_least(0)),
    ],
    checks=[references("dim_date", "date_id"), references("dim_channel", "channel")],
)
def fct_touchpoints(web_sessions: Touched["visitor_id"]) -> SQL:
    """One row per visit in its journey, which ends with the visitor's next order if that came within 30 days; visits without
    one form lost journeys, cut where 30 days pass between two."""
    order = "OVER (PARTITION BY visitor_id ORDER BY touched_at, web_session_id)"
    onward = "OVER (PARTITION BY visitor_id ORDER BY touched_at, web_session_id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
    days = f"INTERVAL {LOOKBACK_DAYS} DAYS"
    return SQL(f"""
        WITH ahead AS (
            SELECT web_session_id, visitor_id, session_date AS date_id, started_at AS touched_at, channel, campaign,
                   first_value(CASE WHEN orders > 0 THEN struct(web_session_id AS won_by, touched_at AS won_at, orders, revenue) END,
                               true) {onward} AS won
            FROM (SELECT *, started_at AS touched_at FROM web_sessions)
        ), judged AS (
            SELECT *, CASE WHEN touched_at >= won.won_at - {days} THEN won.won_by END AS won_by,
                   lag(touched_at) {order} AS before_at, row_number() {order} AS number FROM ahead
        ), cut AS (
            SELECT *, CASE WHEN number = 1 OR NOT lag(won_by) {order} <=> won_by OR won_by IS NULL AND touched_at > before_at + {days}
                           THEN 1 ELSE 0 END AS begins FROM judged
        ), counted AS (
            SELECT *, concat_ws('-', visitor_id, CAST(sum(begins) {order} AS string)) AS journey_id FROM cut
        )
        SELECT web_session_id, visitor_id, journey_id, date_id, touched_at, channel, campaign,
               CAST(row_number() OVER (PARTITION BY journey_id ORDER BY touched_at, web_session_id) AS bigint) AS position,
               CASE WHEN won_by IS NULL THEN 0 ELSE won.orders END AS conversions,
               CAST(CASE WHEN won_by IS NULL THEN 0 ELSE won.revenue END AS decimal(22,2)) AS value,
               (unix_micros(max(touched_at) OVER (PARTITION BY journey_id)) - unix_micros(touched_at)) / 86400e6 AS days_before_end
        FROM counted
    """)
