from lakehouse.declare import SQL, Column, Touched, at_least, between, holds, not_in_future, one_of, table


@table(
    key="conversation_id",
    owner="service",
    refresh="nightly",
    tags="market",
    columns=[
        Column("conversation_id", "string", "Conversation."),
        Column("customer_id", "string", "With whom.", sensitivity="pseudonym"),
        Column("order_id", "string", "First order that the customer names."),
        Column("channel", "string", "Where.", one_of("mail", "chat", "phone note")),
        Column("opened_at", "timestamp", "First message, UTC.", not_in_future(), required=True),
        Column("answered_at", "timestamp", "First answer, UTC."),
        Column("minutes_to_answer", "int", "From first message to first answer.", at_least(0)),
        Column("messages", "bigint", "How many messages.", at_least(1)),
        Column("topic", "string", "Topic the agent ticked; about one in twelve is wrong."),
        Column("satisfaction", "int", "The customer's mark.", between(1, 5)),
        Column("customer_text", "string", "All the customer wrote.", sensitivity="personal"),
    ],
    checks=[holds("answered_at >= opened_at", "answered_after_it_opened")],
)
def service_conversations(service__messages: Touched["conversation_id"]) -> SQL:
    """One row per conversation with service: who, how long until an answer, what about, in which words."""
    return SQL(r"""
        SELECT conversation_id, customer_id, nullif(regexp_extract(said, 'O[0-9]{9}', 0), '') AS order_id, channel, opened_at, answered_at,
               CAST((unix_seconds(answered_at) - unix_seconds(opened_at)) DIV 60 AS int) AS minutes_to_answer, messages, topic,
               satisfaction, said AS customer_text
        FROM (
            SELECT conversation_id, max(customer_id) AS customer_id, max(channel) AS channel, min(written_at) AS opened_at,
                   min(CASE WHEN written_by = 'agent' THEN written_at END) AS answered_at, count(*) AS messages, max(topic) AS topic,
                   max(satisfaction) AS satisfaction,
                   array_join(transform(array_sort(collect_list(CASE WHEN written_by = 'customer' THEN struct(message, text) END)),
                              one -> one.text), '\n') AS said
            FROM (SELECT DISTINCT conversation_id, message, written_by, written_at, channel, customer_id, text, topic, satisfaction
                  FROM service__messages) once
            GROUP BY conversation_id
        ) talks
    """)
