from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, not_null, one_of, table


@table(
    source=Csv("feeds/observations", encoding="detect"),
    owner="research",
    refresh="nightly",
    tags="market",
    columns=[
        Column("feed", "string", "Which feed.", not_null(), one_of("weather", "prices", "holidays")),
        Column("series", "string", "What is observed: temperature, a category's price, a holiday."),
        Column("place", "string", "Town, competitor or country."),
        Column("observed_on", "date", "Day.", not_null(), received_as="day"),
        Column("value", "string", "Value with its unit, as the provider writes it."),
    ],
)
def feeds__observations(landed: Landed) -> DataFrame:
    """Bought-in weather, competitors' prices and public holidays, a file each Monday."""
    return landed
