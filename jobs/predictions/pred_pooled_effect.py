from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Model, Snapshot, at_least, between, holds, one_of, table

FIGURES = (
    "effect", "low", "high", "weight", "drawn_in", "studies", "tau", "i2", "small_study_p", "filled_studies", "filled_effect",
    "selection_p", "selected_effect",
)  # fmt: skip


@table(
    key=("kind", "measure", "row", "study"),
    owner="marketing",
    refresh="nightly",
    tags="market",
    columns=[
        Column("kind", "string", "ab: messages in variants. lift: tests in towns.", one_of("ab", "lift")),
        Column("measure", "string", "What was measured."),
        Column("row", "string", "A row of the forest plot: study, mean, or prediction.", one_of("study", "mean", "prediction")),
        Column("study", "string", "The campaign; 'all studies'; 'a further study'."),
        Column("effect", "double", "Change by the treatment as a share of the control: 0.1 is a tenth more."),
        Column("low", "double", "Lower end of the 90 % interval; of a prediction: for the true effect of a further study."),
        Column("high", "double", "Upper end."),
        Column("weight", "double", "Share of the study in the mean.", between(0, 1)),
        Column("drawn_in", "double", "The study's effect, drawn towards the mean by what all others say."),
        Column("studies", "double", "Studies pooled.", at_least(10)),
        Column("tau", "double", "Deviation of true effects between studies, in logarithms.", at_least(0)),
        Column("i2", "double", "Share of the observed variation that is true difference.", between(0, 1)),
        Column("small_study_p", "double", "Chance of so uneven a funnel if small studies tell the same (Egger).", between(0, 1)),
        Column("filled_studies", "double", "Studies that trim-and-fill misses.", at_least(0)),
        Column("filled_effect", "double", "The mean with their mirror images put in."),
        Column("selection_p", "double", "Chance of such results if insignificant ones are seen as often as others.", between(0, 1)),
        Column("selected_effect", "double", "The mean, allowing for insignificant ones being seen more rarely."),
        Column("model_version", "int", "Version of study_pooling that computed it."),
    ],
    checks=[holds("low <= effect AND effect <= high", "effect_is_within")],
)
def pred_pooled_effect(fct_studies: Snapshot, study_pooling: Model) -> DataFrame:
    """Studies of one kind pooled: each one, their mean, and what a further one may find. Empty below 10 lift or 15 A/B tests."""
    one = fct_studies.where("kind <> 'descriptive' AND error > 0").selectExpr("kind", "measure", "'study' AS row", "study")
    pairs = one.select("kind", "measure").distinct()
    rows = (
        one.unionByName(pairs.selectExpr("kind", "measure", "'mean' AS row", "'all studies' AS study"))
        .unionByName(pairs.selectExpr("kind", "measure", "'prediction' AS row", "'a further study' AS study"))
        .withColumn("row_code", F.expr("CAST(crc32(concat_ws('|', kind, measure, row, study)) AS double)"))
    )
    answered = study_pooling.table(rows, ", ".join(f"{name} double" for name in FIGURES)).where("effect IS NOT NULL")
    return answered.select("kind", "measure", "row", "study", *FIGURES, F.lit(study_pooling.version).alias("model_version"))
