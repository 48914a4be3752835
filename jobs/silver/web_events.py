from lakehouse.declare import SQL, Changes, Column, fresh_within, holds, not_in_future, one_of, table
from lakehouse.web_analytics import channel, is_bot


@table(
    key="event_id",
    latest_by="_earliest",
    owner="marketing",
    columns=[
        Column("event_id", "string", "Made by the browser; a repeated delivery counts once."),
        Column("event_type", "string", "What happened.", one_of("page_view", "add_to_cart", "purchase")),
        Column("event_at", "timestamp", "When it happened, UTC.", not_in_future(), required=True),
        Column("event_date", "date", "Day on which it happened, UTC."),
        Column("received_at", "timestamp", "When the collector first received it, UTC."),
        Column("is_late", "boolean", "Whether it arrived more than an hour after it happened."),
        Column("session_id", "string", "Visit.", sensitivity="pseudonym"),
        Column("visitor_id", "string", "Cookie; empty without consent to analytics.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Customer, when signed in; empty without consent to analytics.", sensitivity="pseudonym"),
        Column("has_analytics_consent", "boolean", "Whether the visitor agreed to analytics."),
        Column("channel", "string", "Marketing channel of the visit, by published rules over tags, click ids and referrer."),
        Column("campaign", "string", "Campaign of the visit."),
        Column("page_path", "string", "Page, without host and query."),
        Column("product_id", "string", "Product shown or put into the cart."),
        Column("order_id", "string", "Order, on a purchase."),
        Column("value", "decimal(12,2)", "Order total, on a purchase, EUR."),
        Column("device", "string", "phone, tablet or computer, by what the browser calls itself."),
        Column("is_bot", "boolean", "Whether the sender calls itself a robot; visits leave these out."),
    ],
    checks=[
        holds("event_type <> 'purchase' OR order_id IS NOT NULL", "purchase_has_order"),
        holds("received_at >= event_at", "received_after_it_happened"),
        fresh_within(hours=24, column="received_at"),
    ],
)
def web_events(web__events: Changes) -> SQL:
    """One row per event of the web shop: repeated deliveries count once, who did not agree to analytics stays nameless."""
    brought = channel(source="utm_source", medium="utm_medium", referrer="referrer", url="url", own_host="shop.example")
    return SQL(f"""
        SELECT event_id, event_type, event_at, to_date(event_at) AS event_date, received_at,
               received_at > event_at + INTERVAL 1 HOUR AS is_late, session_id,
               CASE WHEN analytics_consent THEN visitor_id END AS visitor_id,
               CASE WHEN analytics_consent THEN customer_id END AS customer_id,
               coalesce(analytics_consent, false) AS has_analytics_consent,
               {brought} AS channel,
               utm_campaign AS campaign, try_parse_url(url, 'PATH') AS page_path, product_id, order_id, value,
               CASE WHEN user_agent LIKE '%iPad%' OR user_agent LIKE '%Tablet%' THEN 'tablet'
                    WHEN user_agent LIKE '%Mobile%' THEN 'phone'
                    ELSE 'computer' END AS device,
               {is_bot("user_agent")} AS is_bot,
               -unix_micros(received_at) AS _earliest
        FROM web__events
    """)
