from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, at_least, between, not_null, table


@table(
    source=Csv("sensors/footfall"),
    owner="commerce",
    refresh="nightly",
    tags="market",
    columns=[
        Column("sensor_id", "string", "Counter: shop and door.", not_null(), received_as="sensor"),
        Column("hour_at", "timestamp", "Beginning of the hour, UTC.", not_null(), received_as="hour"),
        Column("entries", "int", "People who came in; a counter that is stuck says 9999.", between(0, 5000)),
        Column("battery", "int", "Charge, per cent.", at_least(10)),
    ],
)
def sensors__footfall(landed: Landed) -> DataFrame:
    """Counts of visitors by door and hour."""
    return landed
