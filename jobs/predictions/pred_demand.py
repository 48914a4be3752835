from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.declare import AsOf, Column, Snapshot, at_least, between, holds, one_of, table

DAYS = 182
"""How far back series are looked at."""
MOST_SERIES = 60
"""Of the largest demand; each costs a fifth of a second."""
FIGURES = (
    "product_group string, region string, day date, quantity double, expected double, low double, high double, is_unusual boolean, "
    "form string, error double, naive_error double, covered double, days int"
)


@table(
    key=("product_group", "region", "as_of_date", "day"),
    owner="commerce",
    refresh="nightly",
    tags="market",
    costly=True,
    columns=[
        Column("product_group", "string", "Product category; 'all' for all of them together."),
        Column("region", "string", "Country of the customer then; 'unknown' where the shop forgot it, 'all' for all together."),
        Column("as_of_date", "date", "The day at whose end it was computed."),
        Column("day", "date", "That day, foreseen from the one before, or one of the 14 days after it."),
        Column("quantity", "double", "Pieces ordered on that day, cancelled ones too; empty for days to come.", at_least(0)),
        Column("expected", "double", "Pieces foreseen.", at_least(0)),
        Column("low", "double", "Lower end of the 90 % interval.", at_least(0)),
        Column("high", "double", "Upper end."),
        Column("is_unusual", "boolean", "Whether the quantity lies outside its interval; by chance one in ten does."),
        Column(
            "form",
            "string",
            "sarima, or seasonal_naive (last week again): the one of less error. left out: too short a series, no forecast.",
            one_of("sarima", "seasonal_naive", "left out"),
        ),
        Column("error", "double", "Mean absolute error of the form in its backtest, pieces a day.", at_least(0)),
        Column("naive_error", "double", "The same of last week again.", at_least(0)),
        Column("covered", "double", "Share of the backtest inside the intervals, before they were stretched to 90 %.", between(0, 1)),
        Column("days", "int", "Age of the series in days, 182 at most.", at_least(1)),
    ],
    checks=[
        holds("low <= expected AND expected <= high", "expected_is_within"),
        holds("error <= naive_error", "no_worse_than_last_week_again"),
    ],
)
def pred_demand(fct_order_lines: Snapshot, fct_orders: Snapshot, dim_customer: Snapshot, dim_product: Snapshot, as_of: AsOf) -> DataFrame:
    """Pieces ordered by day, product group and region: the next 14 days with 90 % intervals, and whether the last day was unusual.

    Series that are too short, or beyond the 60 largest, have one row, 'left out', so that they can be counted.
    """

    def foreseen(sold: Any) -> Any:
        from lakehouse.science.timeseries.daily import read_demand

        first = sold.iloc[0]
        read = read_demand(sold, as_of, considered=bool(first["place"] <= MOST_SERIES))
        return read.drop(columns="step").assign(product_group=first["product_group"], region=first["region"])[names]

    names = [one.split()[0] for one in FIGURES.split(", ")]
    country = dim_customer.select("customer_sk", F.col("country").alias("region"))
    group = dim_product.select("product_id", F.col("category").alias("product_group"))
    daily = (
        fct_order_lines.where(F.col("date_id").between(F.date_sub(F.lit(as_of), DAYS - 1), F.lit(as_of)))
        .join(fct_orders.select("order_id", "customer_sk"), "order_id")
        .join(country, "customer_sk", "left")
        .join(group, "product_id", "left")
        .groupBy(F.coalesce("product_group", F.lit("unknown")).alias("g"), F.coalesce("region", F.lit("unknown")).alias("r"), "date_id")
        .agg(F.sum("quantity").cast("double").alias("quantity"))
    )
    either = [F.explode(F.array(name, F.lit("all"))).alias(to) for name, to in (("g", "product_group"), ("r", "region"))]
    together = daily.select(either[0], "r", "date_id", "quantity").select("product_group", either[1], "date_id", "quantity")
    series = ["product_group", "region"]
    sold = together.groupBy(*series, F.col("date_id").alias("day")).agg(F.sum("quantity").alias("quantity"))
    largest = Window.orderBy(F.desc("all_of_it"), *series)
    places = sold.groupBy(*series).agg(F.sum("quantity").alias("all_of_it")).withColumn("place", F.row_number().over(largest))
    found = sold.join(places, series).groupBy(*series).applyInPandas(foreseen, FIGURES)
    return found.select(*series, F.lit(as_of).cast("date").alias("as_of_date"), *names[2:])
