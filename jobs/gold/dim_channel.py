from lakehouse.declare import SQL, Column, rows_at_least, table


@table(
    key="channel",
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("channel", "string", "The channel; facts name it.", sensitivity="public"),
        Column("channel_name", "string", "Its name for people.", sensitivity="public"),
        Column("platform", "string", "Ad platform, where it is paid.", sensitivity="public"),
        Column("is_paid", "boolean", "Whether visits are paid for.", sensitivity="public"),
        Column("description", "string", "Which visits belong to it.", sensitivity="public"),
    ],
    checks=[rows_at_least(6)],
)
def dim_channel() -> SQL:
    """The marketing channels."""
    return SQL("""
        SELECT channel, channel_name, platform, platform IS NOT NULL AS is_paid, description
        FROM VALUES
            ('paid_search', 'Paid search', 'google', 'utm_medium cpc'),
            ('paid_social', 'Paid social', 'meta', 'utm_medium paid_social'),
            ('email', 'E-mail', CAST(NULL AS string), 'utm_medium email'),
            ('organic', 'Organic search', CAST(NULL AS string), 'a search engine, without tags'),
            ('referral', 'Referral', CAST(NULL AS string), 'another site, without tags'),
            ('direct', 'Direct', CAST(NULL AS string), 'no tags and no referrer; phone orders')
            AS channels (channel, channel_name, platform, description)
    """)
