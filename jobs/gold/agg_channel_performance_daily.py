from lakehouse.declare import SQL, Column, Touched, at_least, references, table


@table(
    key=("date_id", "channel"),
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("date_id", "date", "Day, UTC."),
        Column("channel", "string", "Marketing channel."),
        Column("spend", "decimal(22,2)", "Money spent on ads, EUR.", at_least(0)),
        Column("impressions", "bigint", "How often ads were shown."),
        Column("clicks", "bigint", "How often they were clicked."),
        Column("conversions", "decimal(22,2)", "Orders the platforms credit themselves with."),
        Column("orders", "bigint", "Orders whose last touch was the channel, without cancelled ones."),
        Column("new_customers", "bigint", "First orders among them."),
        Column("revenue", "decimal(22,2)", "Their totals, EUR."),
        Column("net_revenue", "decimal(22,2)", "What remains after refunds, EUR."),
        Column("roas", "double", "revenue ÷ spend; empty without spend. Last touch is not cause."),
        Column("cac", "double", "spend ÷ new customers, EUR; empty without either."),
    ],
    checks=[references("dim_date", "date_id"), references("dim_channel", "channel")],
)
def agg_channel_performance_daily(
    fct_orders: Touched["date_id"], fct_order_lines: Touched["date_id"], fct_ad_spend: Touched["date_id"]
) -> SQL:
    """What each channel cost and brought on each day."""
    return SQL("""
        WITH figures AS (
            SELECT date_id, channel, CAST(0 AS decimal(12,2)) AS spend, CAST(0 AS bigint) AS impressions, CAST(0 AS bigint) AS clicks,
                   CAST(0 AS decimal(12,2)) AS conversions, CAST(NOT is_cancelled AS int) AS orders,
                   CAST(is_first_order AND NOT is_cancelled AS int) AS new_customers, revenue, CAST(0 AS decimal(12,2)) AS net_revenue
            FROM fct_orders
            UNION ALL
            SELECT date_id, channel, 0, 0, 0, 0, 0, 0, 0, net_amount FROM fct_order_lines
            UNION ALL
            SELECT date_id, channel, spend, impressions, clicks, conversions, 0, 0, 0, 0 FROM fct_ad_spend
        ), sums AS (
            SELECT date_id, channel, CAST(sum(spend) AS decimal(22,2)) AS spend, sum(impressions) AS impressions, sum(clicks) AS clicks,
                   CAST(sum(conversions) AS decimal(22,2)) AS conversions, sum(orders) AS orders, sum(new_customers) AS new_customers,
                   CAST(sum(revenue) AS decimal(22,2)) AS revenue, CAST(sum(net_revenue) AS decimal(22,2)) AS net_revenue
            FROM figures
            GROUP BY date_id, channel
        )
        SELECT *, CAST(revenue AS double) / nullif(CAST(spend AS double), 0) AS roas,
               CAST(nullif(spend, 0) AS double) / nullif(new_customers, 0) AS cac
        FROM sums
    """)
