from pyspark.sql import DataFrame

from lakehouse.declare import Changes, Column, table


@table(
    key="label_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="proofs",
    columns=[Column("label_id", "string", "A label."), Column("label", "string", "Its text.")],
)
def labels(src__labels: Changes) -> DataFrame:
    """The newest state of each label."""
    return src__labels.select("label_id", "label", "_op", "_sequence")
