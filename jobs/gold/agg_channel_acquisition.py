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
        Column(
            "margin_each",
            "double",
            "Margin of a customer's first 30 days to be expected there, EUR: the cohort's own mean, a thin "
            "cohort's held near all by as much as cohorts agree. Of customers whose 30 days are over; empty without.",
        ),
        Column("margin_each_low", "double", "Lower end of its 95 % interval."),
        Column("margin_each_high", "double", "Upper end of its 95 % interval."),
    ],
    checks=[references("dim_channel", "channel")],
)
def agg_channel_acquisition(fct_orders: Snapshot, fct_order_lines: Snapshot, fct_ad_spend: Snapshot, dim_product: Snapshot) -> SQL:
    """What winning a customer cost through each channel, and how soon their margin earned it back, by month.

    margin_each pools cohorts as `pooled_means` of lakehouse.science.value does, in sums that are the same in any order: the means of
    cohorts with many customers are their own, thin ones' lie near the mean of all.
    """
    return SQL("""
        WITH won AS (
            SELECT customer_id, channel, date_id AS first_day, trunc(date_id, 'MM') AS cohort_month
            FROM fct_orders WHERE is_first_order AND NOT is_cancelled
        ), lines AS (
            SELECT w.channel, w.cohort_month, w.customer_id, w.first_day, greatest(date_diff(l.date_id, w.first_day), 0) AS age,
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
        ), ripe AS (
            SELECT channel, cohort_month, try_cast(sum(CASE WHEN age < 30 THEN margin ELSE 0 END) AS decimal(14,2)) AS margin
            FROM lines WHERE first_day <= (SELECT date_sub(max(date_id), 30) FROM fct_orders)
            GROUP BY channel, cohort_month, customer_id
        ), told AS (
            SELECT channel, cohort_month, count(*) AS n, sum(margin) AS total, sum(margin * margin) AS squares,
                   try_cast(CAST(sum(margin) AS double) * CAST(sum(margin) AS double) / count(*) AS decimal(38,6)) AS apart
            FROM ripe WHERE margin IS NOT NULL GROUP BY channel, cohort_month
        ), whole AS (
            SELECT channel, cohort_month, n, CAST(total AS double) / n AS own, count(*) OVER () AS cohorts,
                   CAST(sum(n) OVER () AS double) AS people, CAST(sum(n * n) OVER () AS double) AS squared,
                   CAST(sum(total) OVER () AS double) AS total, CAST(sum(squares) OVER () AS double) AS squares,
                   CAST(sum(apart) OVER () AS double) AS apart
            FROM told
        ), spread AS (
            SELECT *, CASE WHEN people > cohorts THEN greatest(0.0D, (squares - apart) / (people - cohorts)) END AS within FROM whole
        ), between_them AS (
            SELECT *, within / n AS noise, greatest(0.0D, (apart - total * total / people - (cohorts - 1) * within)
                                                          / nullif(people - squared / people, 0)) AS tau2
            FROM spread WHERE within IS NOT NULL
        ), weighed AS (
            SELECT *, coalesce(tau2 / nullif(tau2 + noise, 0), 0) AS weight FROM between_them
        ), centre AS (
            SELECT *, CAST(nullif(sum(CAST(weight AS decimal(20,12))) OVER (), 0) AS double) AS weights,
                   CAST(sum(try_cast(weight * own AS decimal(30,10))) OVER () AS double) AS weighted
            FROM weighed
        ), held AS (
            SELECT channel, cohort_month, own, weight, noise, cohorts, coalesce(weighted / weights, total / people) AS mean,
                   coalesce(tau2 / weights, within / people) AS error, coalesce(weight / weights, n / people) AS share
            FROM centre
        ), expected AS (
            SELECT channel, cohort_month, mean * (1 - weight) + own * weight AS margin_each,
                   1.959964D * sqrt(weight * noise + pow(1 - weight, 2)
                                    * (error + 2.0D * cohorts * share / greatest(cohorts - 3, 1) * pow(own - mean, 2))) AS half
            FROM held
        )
        SELECT c.channel, c.cohort_month, try_cast(c.spend AS decimal(22,2)) AS spend, CAST(c.customers AS bigint) AS customers,
               CAST(c.spend AS double) / nullif(c.customers, 0) AS cost, try_cast(coalesce(e.margin, 0) AS decimal(22,2)) AS margin,
               try_cast(coalesce(e.margin_30d, 0) AS decimal(22,2)) AS margin_30d,
               CAST(coalesce(e.margin, 0) AS double) / nullif(CAST(c.spend AS double), 0) AS repaid,
               CAST(r.payback_days AS int) AS payback_days,
               m.margin_each, m.margin_each - m.half AS margin_each_low, m.margin_each + m.half AS margin_each_high
        FROM cohorts c
        LEFT JOIN earned e ON e.channel = c.channel AND e.cohort_month = c.cohort_month
        LEFT JOIN repaid r ON r.channel = c.channel AND r.cohort_month = c.cohort_month
        LEFT JOIN expected m ON m.channel = c.channel AND m.cohort_month = c.cohort_month
    """)
