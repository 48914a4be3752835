from pyspark.sql import DataFrame

from lakehouse.declare import Changes, Column, at_least, references, table


@table(
    key="thing_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="proofs",
    columns=[
        Column("thing_id", "string", "A thing."),
        Column("group_id", "string", "Where it lies; may be nowhere."),
        Column("label_id", "string", "Its label."),
        Column("amount", "decimal(12,2)", "What it is worth.", at_least(0, action="quarantine")),
        Column("happened_at", "timestamp", "When it changed."),
    ],
    checks=[references("labels", "label_id")],
)
def things(src__things: Changes) -> DataFrame:
    """The newest state of each thing."""
    return src__things.select(
        "thing_id", "group_id", "label_id", "amount", "happened_at", "_op", "_sequence"
    )
