from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, at_least, not_null, one_of, table


@table(
    source=Csv("conversions/sent"),
    owner="marketing",
    refresh="nightly",
    tags="market",
    when_erased="empty",
    columns=[
        Column("conversion_id", "string", "Number of the report.", not_null()),
        Column("order_id", "string", "The order; the browser reports the same one, and the server sometimes twice."),
        Column("click_id", "string", "The platform's number of the click."),
        Column("channel", "string", "Who reports.", one_of("web server", "phone", "store")),
        Column("value", "decimal(12,2)", "What was paid.", at_least(0)),
        Column("currency", "string", "Currency of the value."),
        Column("hashed_email", "string", "SHA-256 of the e-mail address.", sensitivity="pseudonym"),
        Column("happened_at", "timestamp", "When, UTC.", not_null()),
    ],
)
def conversions__sent(landed: Landed) -> DataFrame:
    """Conversions reported to the ad platforms from the server, the telephone and the shops in town."""
    return landed
