"""Ten million touches: journeys built and every method's credit by channel, campaign and day, both by the tables' own code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from lakehouse.delta.session import open_session
from lakehouse.settings import settings
from tests.bench import cpu
from tests.bench.figure import Figure

TOUCHES = int(os.environ.get("LAKEHOUSE_BENCH_TOUCHES", "10000000"))
CHANNELS = ("paid_search", "paid_social", "email", "organic", "referral", "direct")
VISITS = 6
"""Per visitor, on average."""


def figures() -> Iterator[Figure]:
    """Both tables, written to the lake."""
    from pyspark.sql import functions as F

    from jobs.gold.fct_attribution import fct_attribution
    from jobs.gold.fct_touchpoints import fct_touchpoints

    place = f"{settings().lake}/_bench_attribution"
    with open_session() as spark:
        visits(spark, TOUCHES).write.mode("overwrite").parquet(f"{place}/visits")
        spark.read.parquet(f"{place}/visits").createOrReplaceTempView("web_sessions")
        with cpu.measured() as cost:
            spark.sql(str(fct_touchpoints.function(None))).write.mode("overwrite").parquet(f"{place}/touchpoints")
        touchpoints = spark.read.parquet(f"{place}/touchpoints")
        said = touchpoints.agg(F.count("*"), F.countDistinct("journey_id"), F.sum(F.expr("CAST(days_before_end = 0 AS int) * conversions")))
        rows, journeys, won = said.collect()[0]
        yield Figure(f"journeys of {rows:,} touches", None, cost.wall, "s", f"{cost}; {journeys:,} journeys, {won:,} orders")
        spend = spark.sql("SELECT 'paid_search' AS channel, 'paid_search 1' AS campaign, DATE'2026-10-01' AS date_id, 1.0 AS spend")
        with cpu.measured() as cost:
            fct_attribution.function(touchpoints, spend).write.mode("overwrite").parquet(f"{place}/credit")
        credit = spark.read.parquet(f"{place}/credit")
        given = credit.groupBy("method").agg(F.sum("conversions").cast("double").alias("won")).toPandas().set_index("method")["won"]
        gap = float((given.drop("logistic") / won - 1).abs().max())  # drawn at random, no channel adds anything: logistic credits none
        how = f"{cost}; {len(given)} methods, {credit.count():,} rows; credited ÷ orders − 1 at most {gap:.1e}"
        yield Figure("their credit by every method", None, cost.wall, "s", how)


def visits(spark: Any, count: int) -> Any:
    """`count` visits of 60 days with the columns of web_sessions that journeys need; one in 25 buys."""
    names = ", ".join(f"'{name}'" for name in CHANNELS)
    return spark.range(count).selectExpr(
        "concat('s', id) AS web_session_id",
        f"concat('v', pmod(xxhash64(id, 1), {max(count // VISITS, 1)})) AS visitor_id",
        "timestamp_micros(1790812800000000 + pmod(xxhash64(id, 2), 5184000) * 1000000) AS started_at",
        "pmod(xxhash64(id, 3), 100) AS drawn",
        "CAST(pmod(xxhash64(id, 5), 25) = 0 AS bigint) AS orders",
    ).selectExpr(
        "*",
        f"element_at(array({names}), CASE WHEN drawn < 25 THEN 1 WHEN drawn < 40 THEN 2 WHEN drawn < 50 THEN 3 "
        "WHEN drawn < 75 THEN 4 WHEN drawn < 80 THEN 5 ELSE 6 END) AS channel",
        "CAST(orders * 50 AS decimal(22,2)) AS revenue",
        "to_date(started_at) AS session_date",
    ).selectExpr("*", "concat(channel, ' ', pmod(drawn, 3)) AS campaign")  # fmt: skip
