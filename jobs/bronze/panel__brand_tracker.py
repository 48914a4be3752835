from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, not_null, one_of, table


@table(
    source=Csv("panel/brand_tracker"),
    owner="brand",
    refresh="nightly",
    tags="market",
    columns=[
        Column("wave", "date", "Monday of the week.", not_null()),
        Column("question", "string", "What was asked.", not_null()),
        Column("age", "string", "Age group.", not_null()),
        Column("sample", "int", "How many people were asked."),
        Column("share", "string", "Share that said yes, per cent."),
        Column("state", "string", "preliminary, a week later final.", one_of("preliminary", "final")),
        Column("published_on", "date", "When the institute published it.", not_null(), received_as="published"),
    ],
)
def panel__brand_tracker(landed: Landed) -> DataFrame:
    """The institute's brand tracker: each Monday first figures of the week, and the final ones of the week before."""
    return landed
