from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, table


@table(
    source=JsonLines("web/events", period="hour"),
    owner="marketing",
    when_erased="empty",
    columns=[
        Column("event_id", "string", "Made by the browser; a repeated delivery has the same."),
        Column("event_type", "string", "page_view, add_to_cart or purchase."),
        Column("event_at", "timestamp", "When it happened, UTC."),
        Column("received_at", "timestamp", "When the collector received it, UTC."),
        Column("visitor_id", "string", "Anonymous cookie.", sensitivity="pseudonym"),
        Column("session_id", "string", "Visit.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Customer, when signed in.", sensitivity="pseudonym"),
        Column("analytics_consent", "boolean", "Whether the visitor agreed to analytics."),
        Column("url", "string", "Page."),
        Column("referrer", "string", "Page the visit came from."),
        Column("utm_source", "string", "Source tag of the visit."),
        Column("utm_medium", "string", "Medium tag of the visit."),
        Column("utm_campaign", "string", "Campaign tag of the visit."),
        Column("product_id", "string", "Product shown or put into the cart."),
        Column("order_id", "string", "Order, on a purchase."),
        Column("value", "decimal(12,2)", "Order total, on a purchase."),
        Column("user_agent", "string", "What the browser calls itself.", sensitivity="pseudonym"),
    ],
)
def web__events(landed: Landed) -> DataFrame:
    """Page views, carts and purchases as the collector received them, repeated and late ones among them."""
    return landed
