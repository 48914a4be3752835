from pyspark.sql import DataFrame

from lakehouse.declare import Column, Touched, history, table


@table(
    key=["thing_id", "valid_from"],
    owner="proofs",
    columns=[
        Column("thing_id", "string", "A thing."),
        Column("group_id", "string", "Where it lay."),
        Column("label_id", "string", "Its label then."),
        Column("valid_from", "timestamp", "Since when."),
        Column("valid_to", "timestamp", "Until when."),
        Column("is_current", "boolean", "Whether it is so still."),
    ],
)
def dim_thing(src__things: Touched["thing_id"]) -> DataFrame:
    """Where each thing lay and when (type 2)."""
    return history(src__things, key="thing_id", tracked=["group_id", "label_id"])
