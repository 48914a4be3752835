from lakehouse.declare import SQL, Changes, Column, references, table


@table(
    key=("platform", "ad_group_id", "date_id"),
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("date_id", "date", "Day of the figures."),
        Column("platform", "string", "google or meta."),
        Column("channel", "string", "Marketing channel."),
        Column("campaign_id", "string", "The platform's campaign number."),
        Column("campaign", "string", "Campaign name."),
        Column("ad_group_id", "string", "The platform's number of the ad group."),
        Column("ad_group", "string", "Name of the ad group."),
        Column("impressions", "bigint", "How often the ads were shown."),
        Column("clicks", "bigint", "How often they were clicked."),
        Column("spend", "decimal(12,2)", "Money spent, EUR."),
        Column("conversions", "decimal(12,2)", "Orders the platform credits itself with."),
    ],
    checks=[references("dim_date", "date_id"), references("dim_channel", "channel")],
)
def fct_ad_spend(ad_performance: Changes) -> SQL:
    """One row per platform, ad group and day."""
    return SQL("""
        SELECT report_date AS date_id, platform, channel, campaign_id, campaign, ad_group_id, ad_group, impressions, clicks, spend,
               conversions
        FROM ad_performance
    """)
