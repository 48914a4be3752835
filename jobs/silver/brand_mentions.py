from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import column, plain_text
from lakehouse.declare import Changes, Column, between, not_in_future, not_null, one_of, table


@table(
    key="mention_id",
    latest_by="collected_at",
    owner="brand",
    refresh="nightly",
    tags="market",
    columns=[
        Column("mention_id", "string", "The listening tool's number."),
        Column("kind", "string", "Post in a network or review of a product.", one_of("post", "review")),
        Column("network", "string", "Where it was published."),
        Column("author", "string", "Name in the network; of reviews the customer number.", sensitivity="personal"),
        Column("text", "string", "What was written, broken encoding repaired.", not_null(), sensitivity="personal"),
        Column("was_garbled", "boolean", "Whether the text had to be repaired."),
        Column("stars", "int", "Of reviews: 1 to 5; a few take the scale for its reverse.", between(1, 5)),
        Column("product_id", "string", "Of reviews: the product."),
        Column("likes", "int", "How many liked it."),
        Column("published_at", "timestamp", "When it was published, UTC.", not_in_future(), required=True),
        Column("collected_at", "timestamp", "When the tool last found it, UTC."),
    ],
)
def brand_mentions(social__mentions: Changes) -> DataFrame:
    """One row per post or review in readable text, as last collected."""
    read = social__mentions.withColumn("_text", column(plain_text, "text"))
    return read.select(
        "mention_id", "kind", "network", "author", F.col("_text").alias("text"), (F.col("_text") != F.col("text")).alias("was_garbled"),
        "stars", "product_id", "likes", "published_at", "collected_at",
    )  # fmt: skip
