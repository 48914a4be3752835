from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, not_null, one_of, table


@table(
    source=JsonLines("social/mentions"),
    owner="brand",
    refresh="nightly",
    tags="market",
    columns=[
        Column("mention_id", "string", "The listening tool's number.", not_null()),
        Column("kind", "string", "Post in a network or review of a product.", one_of("post", "review")),
        Column("network", "string", "Where it was published."),
        Column("author", "string", "Name in the network; of reviews the customer number.", sensitivity="personal"),
        Column("text", "string", "What was written, as collected.", sensitivity="personal"),
        Column("stars", "int", "Of reviews: 1 to 5."),
        Column("product_id", "string", "Of reviews: the product."),
        Column("likes", "int", "How many liked it."),
        Column("published_at", "timestamp", "When it was published, UTC."),
        Column("collected_at", "timestamp", "When the tool found it, UTC.", not_null()),
    ],
)
def social__mentions(landed: Landed) -> DataFrame:
    """Posts and reviews as the listening tool collected them."""
    return landed
