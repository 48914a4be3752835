from lakehouse.declare import SQL, Column, Touched, at_least, holds, table
from lakehouse.web_analytics import in_sessions


@table(
    key="web_session_id",
    owner="marketing",
    columns=[
        Column("web_session_id", "string", "Visitor and the visit's number among the visitor's.", sensitivity="pseudonym"),
        Column("visitor_id", "string", "Cookie.", sensitivity="pseudonym"),
        Column("started_at", "timestamp", "First event, UTC.", required=True),
        Column("ended_at", "timestamp", "Last event, UTC."),
        Column("session_date", "date", "Day of the first event, UTC."),
        Column("channel", "string", "Marketing channel of the first event."),
        Column("campaign", "string", "Campaign of the visit, where one is named."),
        Column("landing_page", "string", "First page."),
        Column("page_views", "bigint", "Pages seen."),
        Column("events", "bigint", "Everything that happened.", at_least(1)),
        Column("orders", "bigint", "Orders bought."),
        Column("revenue", "decimal(22,2)", "Their totals, EUR."),
        Column("device", "string", "phone, tablet or computer."),
    ],
    checks=[holds("ended_at >= started_at", "ends_after_it_starts")],
)
def web_sessions(web_events: Touched["visitor_id"]) -> SQL:
    """A row a visit of a visitor who agreed to analytics, no robot; a pause of over 30 minutes or another campaign begins a new one."""
    visits = in_sessions("SELECT * FROM web_events WHERE NOT is_bot")
    first = "struct(event_at, event_id)"
    return SQL(f"""
        SELECT visit AS web_session_id, visitor_id, min(event_at) AS started_at, max(event_at) AS ended_at,
               to_date(min(event_at)) AS session_date, min_by(channel, {first}) AS channel, max(campaign) AS campaign,
               min_by(page_path, {first}) AS landing_page, count_if(event_type = 'page_view') AS page_views, count(*) AS events,
               count(DISTINCT order_id) AS orders,
               CAST(coalesce(sum(CASE WHEN event_type = 'purchase' THEN value END), 0) AS decimal(22,2)) AS revenue,
               min_by(device, {first}) AS device
        FROM ({visits}) visits
        GROUP BY visit, visitor_id
    """)
