from lakehouse.declare import SQL, Column, Snapshot, at_least, references, table


@table(
    key=("channel", "cohort_month"),
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("channel", "string", "Channel of the first order (last touch: what it caused, an experiment says)."),
        Column("cohort_month", "date", "First day of the month in which the customers were won."),
        Column("spend", "decimal(22,2)", "Spent on the channel in that month, EUR.", at_least(0)),
        Column("customers", "bigint", "Customers won.", at_least(0)),
        Column("cost", "double", "Spend ÷ customers, EUR; empty without customers."),
        Column("margin", "decimal(22,2)", "What they have brought so far: paid for their lines, less refunds and purchase prices, EUR."),
        Column("margin_30d", "decimal(22,2)", "The same within 30 days of the first order, EUR."),
        Column("repaid", "double", "Margin so far ÷ spend; from 1 on they have paid for themselves. Empty without spend."),
        Column("payback_days", "int", "Days from the first order until the cohort's margin had reached the spend; empty until then."),
    ],
    checks=[references("dim_channel", "channel")],
)
def agg_channel_acquisition(fct_orders: Snapshot, fct_order_lines: Snapshot, fct_ad_spend: Snapshot, dim_product: Snapshot) -> SQL:
    """What winning a customer cost through each channel, and how soon their margin earned it back, by month."""
    return SQL("""
        WITH won AS (
            SELECT customer_id, channel, date_id AS first_day, trunc(date_id, 'MM') AS cohort_month
            FROM fct_orders WHERE is_first_order AND NOT is_cancelled
        ), lines AS (
            SELECT w.channel, w.cohort_month, greatest(date_diff(l.date_id, w.first_day), 0) AS age,
                   CASE WHEN l.status = 'cancelled' THEN 0 ELSE l.net_amount - l.quantity * coalesce(p.cost, 0) END AS margin
            FROM won w JOIN fct_order_lines l ON l.customer_id = w.customer_id LEFT JOIN dim_product p ON p.product_id = l.product_id
        ), cohorts AS (
            SELECT channel, cohort_month, sum(spend) AS spend, sum(customers) AS customers FROM (
                SELECT channel, cohort_month, CAST(0 AS decimal(12,2)) AS spend, 1 AS customers FROM won
                UNION ALL
                SELECT channel, trunc(date_id, 'MM'), spend, 0 FROM fct_ad_spend
            ) GROUP BY channel, cohort_month
        ), ages AS (
            SELECT channel, cohort_month, age, sum(sum(margin)) OVER (PARTITION BY channel, cohort_month ORDER BY age) AS reached
            FROM lines GROUP BY channel, cohort_month, age
        ), earned AS (
            SELECT channel, cohort_month, sum(margin) AS margin, sum(CASE WHEN age < 30 THEN margin ELSE 0 END) AS margin_30d
            FROM lines GROUP BY channel, cohort_month
        ), repaid AS (
            SELECT c.channel, c.cohort_month, min(a.age) AS payback_days
            FROM cohorts c JOIN ages a ON a.channel = c.channel AND a.cohort_month = c.cohort_month AND a.reached >= c.spend
            GROUP BY c.channel, c.cohort_month
        )
        SELECT c.channel, c.cohort_month, try_cast(c.spend AS decimal(22,2)) AS spend, CAST(c.customers AS bigint) AS customers,
               CAST(c.spend AS double) / nullif(c.customers, 0) AS cost, try_cast(coalesce(e.margin, 0) AS decimal(22,2)) AS margin,
               try_cast(coalesce(e.margin_30d, 0) AS decimal(22,2)) AS margin_30d,
               CAST(coalesce(e.margin, 0) AS double) / nullif(CAST(c.spend AS double), 0) AS repaid,
               CAST(r.payback_days AS int) AS payback_days
        FROM cohorts c
        LEFT JOIN earned e ON e.channel = c.channel AND e.cohort_month = c.cohort_month
        LEFT JOIN repaid r ON r.channel = c.channel AND r.cohort_month = c.cohort_month
    """)
