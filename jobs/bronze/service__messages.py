from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, between, matches, not_null, table


@table(
    source=JsonLines("service/messages"),
    owner="service",
    refresh="nightly",
    tags="market",
    columns=[
        Column("conversation_id", "string", "Conversation.", not_null()),
        Column("message", "int", "Place in the conversation.", not_null()),
        Column("written_by", "string", "customer or agent.", received_as="by"),
        Column("written_at", "timestamp", "When, UTC.", not_null(), received_as="at"),
        Column("channel", "string", "mail, chat or phone note."),
        Column("customer_id", "string", "With whom.", matches("^C[0-9]+$"), received_as="customer", sensitivity="pseudonym"),
        Column("text", "string", "What was said.", sensitivity="personal"),
        Column("topic", "string", "Topic the agent ticked at the end."),
        Column("satisfaction", "int", "The customer's mark at the end, 1 to 5.", between(1, 5)),
    ],
)
def service__messages(landed: Landed) -> DataFrame:
    """Messages between customers and service, as the service desk exports them."""
    return landed
