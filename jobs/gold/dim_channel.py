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
    checks=[rows_at_least(18)],
)
def dim_channel() -> SQL:
    """The marketing channels: every one that the rules of `lakehouse.web_analytics` can give, and posters."""
    return SQL("""
        SELECT channel, channel_name, platform,
               platform IS NOT NULL OR channel LIKE 'paid%' OR channel IN ('display', 'affiliate', 'outdoor') AS is_paid, description
        FROM VALUES
            ('paid_search', 'Paid search', 'google', 'utm_medium cpc'),
            ('paid_social', 'Paid social', 'meta', 'utm_medium paid_social'),
            ('email', 'E-mail', CAST(NULL AS string), 'utm_medium email'),
            ('organic', 'Organic search', CAST(NULL AS string), 'a search engine, without tags'),
            ('referral', 'Referral', CAST(NULL AS string), 'another site, without tags'),
            ('direct', 'Direct', CAST(NULL AS string), 'no tags and no referrer; phone orders'),
            ('paid_shopping', 'Paid shopping', CAST(NULL AS string), 'a shopping site, tagged as paid'),
            ('paid_video', 'Paid video', CAST(NULL AS string), 'a video site, tagged as paid'),
            ('paid_other', 'Other paid', CAST(NULL AS string), 'tagged as paid, of no known site'),
            ('display', 'Display', CAST(NULL AS string), 'utm_medium display, banner, cpm…, or the click id of an ad server'),
            ('affiliate', 'Affiliates', CAST(NULL AS string), 'utm_medium affiliate'),
            ('audio', 'Audio', CAST(NULL AS string), 'utm_medium audio'),
            ('sms', 'SMS', CAST(NULL AS string), 'utm_source or utm_medium sms'),
            ('push', 'Push', CAST(NULL AS string), 'notifications of an app or browser'),
            ('organic_social', 'Organic social', CAST(NULL AS string), 'a social network, not tagged as paid'),
            ('organic_video', 'Organic video', CAST(NULL AS string), 'a video site, without tags'),
            ('outdoor', 'Outdoor', CAST(NULL AS string), 'posters: no visit tells of them, experiments in some towns do'),
            ('unassigned', 'Unassigned', CAST(NULL AS string), 'tags that no rule knows')
            AS channels (channel, channel_name, platform, description)
    """)
