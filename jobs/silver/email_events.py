from lakehouse.declare import SQL, Changes, Column, holds, not_in_future, one_of, table
from lakehouse.web_analytics import is_bot


@table(
    key="event_id",
    latest_by="happened_at",
    owner="crm",
    refresh="nightly",
    tags="market",
    columns=[
        Column("event_id", "string", "The mail provider's number."),
        Column("mailing_id", "string", "Which mailing: campaign and day."),
        Column("campaign", "string", "What for.", one_of("newsletter", "offer", "list")),
        Column("variant", "string", "Variant of an offer that was tested.", one_of("A", "B")),
        Column("customer_id", "string", "Who was written to.", sensitivity="pseudonym", required=True),
        Column("event", "string", "What happened.", one_of("sent", "bounced", "opened", "clicked", "complained", "unsubscribed")),
        Column("happened_at", "timestamp", "When, UTC.", not_in_future(), required=True),
        Column("event_date", "date", "Day on which it happened, UTC."),
        Column("mailbox", "string", "Who keeps the mailbox."),
        Column("is_machine", "boolean", "Whether a program opened or clicked (image proxy, link scanner): says nothing of the person."),
        Column("is_hard_bounce", "boolean", "Whether the mailbox does not exist."),
    ],
    checks=[holds("campaign <> 'offer' OR variant IS NOT NULL", "offer_has_variant")],
)
def email_events(email__events: Changes) -> SQL:
    """One row per event of a mail, each once; those that a program made are marked."""
    return SQL(f"""
        SELECT event_id, mailing_id, campaign, variant, customer_id, event, happened_at, to_date(happened_at) AS event_date, mailbox,
               coalesce(user_agent LIKE 'ImageProxy%' OR {is_bot("user_agent")}, false) AS is_machine,
               coalesce(event = 'bounced' AND reason LIKE '5%', false) AS is_hard_bounce
        FROM email__events
    """)
