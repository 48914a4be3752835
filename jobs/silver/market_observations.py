from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import column, in_unit
from lakehouse.declare import Changes, Column, not_null, one_of, table


@table(
    key=("feed", "series", "place", "observed_on"),
    latest_by="received_at",
    owner="research",
    refresh="nightly",
    tags="market",
    columns=[
        Column("feed", "string", "Which feed.", one_of("weather", "prices", "holidays")),
        Column("series", "string", "What is observed."),
        Column("place", "string", "Town, competitor or country."),
        Column("observed_on", "date", "Day."),
        Column("value", "decimal(18,4)", "Value in the unit beside it.", not_null()),
        Column("unit", "string", "Unit.", one_of("degC", "mm", "EUR", "day")),
        Column("received_at", "timestamp", "When it was last received, UTC."),
    ],
)
def market_observations(feeds__observations: Changes) -> DataFrame:
    """One row per series, place and day of the market outside, whatever unit the provider uses."""
    unit = (
        F.when(F.col("series") == "temperature", "degC").when(F.col("series") == "rain", "mm")
        .when(F.col("feed") == "prices", "EUR").otherwise("day")
    )  # fmt: skip
    bare = F.regexp_extract("value", r"^-?[0-9.]+", 0).try_cast("decimal(18,4)")
    measured = column(in_unit, "value", unit).cast("decimal(18,4)")
    return feeds__observations.select(
        "feed", "series", "place", "observed_on", F.when(F.col("feed") == "weather", measured).otherwise(bare).alias("value"),
        unit.alias("unit"), F.col("_ingested_at").alias("received_at"),
    )  # fmt: skip
