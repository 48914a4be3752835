"""Questions a person would ask the warehouse, each one query on `marts`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A question and the query that answers it."""

    title: str
    sql: str
    caption: str = ""
    empty: str = "No rows yet: `lakehouse plan` says what has not run."
    """What is said in place of rows."""


LAST_WHOLE_DAY = """
            SELECT max(date_id) AS last FROM marts.agg_channel_performance_daily WHERE date_id < (now() AT TIME ZONE 'UTC')::date
        """

FIGURES = (
    Figure(
        "Revenue of the last seven days, beside the seven before",
        f"""
        WITH days AS ({LAST_WHOLE_DAY}),
        weeks AS (
            SELECT CASE WHEN date_id > last - 7 THEN 'last 7 days' ELSE '7 days before' END AS period, last - 7 AS split, o.*
            FROM marts.fct_orders o CROSS JOIN days
            WHERE date_id > last - 14 AND date_id <= last
        )
        SELECT period, min(date_id)::text AS "from", max(date_id)::text AS "to", count(*) FILTER (WHERE NOT is_cancelled) AS orders,
               to_char(sum(revenue), 'FM999,999,990.00') AS revenue_eur,
               to_char(sum(revenue) / nullif(count(*) FILTER (WHERE NOT is_cancelled), 0), 'FM999,990.00') AS per_order_eur
        FROM weeks
        GROUP BY period
        ORDER BY 2 DESC
        """,
    ),
    Figure(
        "What advertising brought in the last 28 days, by channel",
        f"""
        WITH days AS ({LAST_WHOLE_DAY})
        SELECT c.channel_name AS channel, to_char(sum(spend), 'FM999,999,990.00') AS spend_eur, sum(orders)::bigint AS orders,
               sum(new_customers)::bigint AS new_customers, to_char(sum(revenue), 'FM999,999,990.00') AS revenue_eur,
               to_char(sum(revenue) / nullif(sum(spend), 0), 'FM990.00') AS roas,
               to_char(nullif(sum(spend), 0) / nullif(sum(new_customers), 0), 'FM999,990.00') AS cac_eur
        FROM marts.agg_channel_performance_daily
        JOIN marts.dim_channel c USING (channel)
        CROSS JOIN days
        WHERE date_id > last - 28 AND date_id <= last
        GROUP BY c.channel_name
        ORDER BY sum(revenue) DESC
        """,
        "roas: revenue by last touch ÷ spend. Last touch is not cause.",
    ),
    Figure(
        "Who is likely to order within 30 days",
        """
        WITH days AS (SELECT max(as_of_date) AS last FROM marts.pred_customer_propensity)
        SELECT CASE WHEN decile = 10 THEN 'likeliest tenth' WHEN decile > 5 THEN 'rest of the likelier half'
                    ELSE 'other half' END AS customers,
               count(*) AS people, to_char(avg(probability), 'FM0.000') AS mean_probability,
               to_char(sum(probability), 'FM999,990.0') AS expected_buyers,
               max(model_version) AS model_version
        FROM marts.pred_customer_propensity
        JOIN days ON as_of_date = last
        GROUP BY 1
        ORDER BY avg(probability) DESC
        """,
        empty="No predictions: `lakehouse show pred_customer_propensity` says why (too few days, or a failed trial).",
    ),
    Figure(
        "What customers are still worth, and what is decided for them",
        """
        WITH days AS (SELECT max(as_of_date) AS last FROM marts.pred_customer_value)
        SELECT v.tier, count(*) AS people, to_char(avg(v.value_1y), 'FM999,990.00') AS value_of_a_year_eur,
               to_char(avg(v.churned), 'FM0.000') AS chance_of_having_left,
               count(*) FILTER (WHERE o.offer LIKE 'mail:%') AS mailed,
               count(*) FILTER (WHERE o.offer LIKE '%invitation') AS invited
        FROM marts.pred_customer_value v
        JOIN days ON v.as_of_date = last
        JOIN marts.pred_next_best_offer o ON o.customer_id = v.customer_id AND o.as_of_date = v.as_of_date
        GROUP BY v.tier
        ORDER BY avg(v.value_1y) DESC
        """,
        empty="No predictions: `lakehouse show pred_customer_value` and `pred_next_best_offer` say why.",
    ),
)
