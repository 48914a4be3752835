from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Snapshot, at_least, one_of, table

FIGURES = "measure string, study string, effect double, error double, cells int, units bigint"
METHOD = "ridge augmented"
"""Of the two readings of one test in towns the one that counts; said beforehand."""
WIDTH = 2 * 1.645
"""Of a 90 % interval in standard errors."""


@table(
    key=("kind", "measure", "study"),
    owner="marketing",
    refresh="nightly",
    tags="market",
    columns=[
        Column("kind", "string", "ab: messages in variants. lift: tests in towns. descriptive: shown, not pooled.",
               one_of("ab", "lift", "descriptive")),
        Column("measure", "string", "What was measured."),
        Column("study", "string", "The campaign; a test with several variants counts once."),
        Column("effect", "double", "Logarithm of treatment ÷ control; descriptive: EUR."),
        Column("error", "double", "Its standard error; empty where there is none to use.", at_least(0)),
        Column("cells", "int", "Variants or methods combined in it, beside the control.", at_least(1)),
        Column("units", "bigint", "Mails, towns or customers in it.", at_least(1)),
    ],
)  # fmt: skip
def fct_studies(fct_experiment_results: Snapshot, fct_geo_results: Snapshot, fct_holdout_value: Snapshot) -> DataFrame:
    """One row per study, on one scale per measure, so that studies can be pooled: variants of a mail, tests in towns, holdouts.

    A holdout's months are the same customers again, so what it says (EUR per customer and month, on average) is only described.
    """

    def study(rows: Any) -> Any:
        from lakehouse.science.pooling.answer import read_cells

        return read_cells(rows)

    known = fct_experiment_results.where("control IS NOT NULL AND treatment IS NOT NULL")
    variants = known.groupBy("experiment", "kpi").applyInPandas(study, FIGURES).withColumn("kind", F.lit("ab"))
    # standard error of ln(1 + lift) by the delta method; lift ÷ effect turns EUR into shares
    towns = fct_geo_results.where(f"method = '{METHOD}' AND lift > -1").selectExpr(
        "'lift' AS kind", "'shop sales' AS measure", "campaign AS study", "ln(1 + lift) AS effect",
        f"(high - low) / {WIDTH} * lift / nullif(effect, 0) / (1 + lift) AS error", "1 AS cells", "treated + controls AS units",
    )  # fmt: skip
    holdouts = fct_holdout_value.where("per_customer IS NOT NULL").groupBy("campaign").agg(
        F.avg("per_customer").alias("effect"), F.max(F.col("held_out") + F.col("reached")).alias("units")
    ).selectExpr(
        "'descriptive' AS kind", "'spending per customer and month, EUR' AS measure", "campaign AS study", "effect",
        "CAST(NULL AS double) AS error", "1 AS cells", "units",
    )  # fmt: skip
    return variants.unionByName(towns).unionByName(holdouts)
