from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, matches, not_null, table


@table(
    source=JsonLines("email/events"),
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("event_id", "string", "The mail provider's number; told twice it is the same.", not_null()),
        Column("mailing_id", "string", "Which mailing."),
        Column("campaign", "string", "newsletter, offer, or list (the subscription itself)."),
        Column("variant", "string", "Variant of an offer that was tested, A or B."),
        Column("customer_id", "string", "Who was written to.", matches("^C[0-9]+$"), received_as="subscriber", sensitivity="pseudonym"),
        Column("event", "string", "sent, bounced, opened, clicked, complained, unsubscribed."),
        Column("happened_at", "timestamp", "When, UTC.", not_null(), received_as="at"),
        Column("mailbox", "string", "Who keeps the mailbox."),
        Column("user_agent", "string", "What opened or clicked."),
        Column("reason", "string", "Why it bounced."),
    ],
)
def email__events(landed: Landed) -> DataFrame:
    """What the mail provider reports of every mail, as received."""
    return landed
