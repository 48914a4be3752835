from lakehouse.declare import SQL, Column, Touched, at_least, holds, not_in_future, one_of, table


@table(
    key=("platform", "ad_group_id", "report_date"),
    owner="marketing",
    columns=[
        Column("platform", "string", "Who reports.", one_of("google", "meta")),
        Column("channel", "string", "Marketing channel."),
        Column("campaign_id", "string", "The platform's campaign number."),
        Column("campaign", "string", "Campaign name."),
        Column("ad_group_id", "string", "The platform's number of the ad group (ad set)."),
        Column("ad_group", "string", "Name of the ad group (ad set)."),
        Column("report_date", "date", "Day of the figures.", not_in_future()),
        Column("impressions", "bigint", "How often the ads were shown.", at_least(0)),
        Column("clicks", "bigint", "How often they were clicked.", at_least(0)),
        Column("spend", "decimal(12,2)", "Money spent.", at_least(0, action="quarantine")),
        Column("conversions", "decimal(12,2)", "Orders the platform credits itself with.", at_least(0)),
        Column("currency", "string", "Currency of the spend.", one_of("EUR", action="quarantine")),
    ],
    checks=[holds("clicks <= impressions", "clicks_within_impressions")],
)
def ad_performance(ads__google_daily: Touched["report_date"], ads__meta_daily: Touched["report_date"]) -> SQL:
    """One row per platform, ad group and day, in common words and units; of a day reported again the newest report counts."""
    return SQL("""
        WITH reported AS (
            SELECT 'google' AS platform, 'paid_search' AS channel, campaign_id, campaign, ad_group_id, ad_group, report_date, impressions,
                   clicks, try_cast(try_cast(cost_micros AS decimal(20,0)) / 1000000 AS decimal(12,2)) AS spend, conversions, currency,
                   _ingested_at, _source_file
            FROM ads__google_daily
            UNION ALL
            SELECT 'meta', 'paid_social', campaign_id, campaign, ad_group_id, ad_group, report_date, impressions,
                   clicks, spend, try_cast(purchases AS decimal(12,2)), currency, _ingested_at, _source_file
            FROM ads__meta_daily
        ), newest AS (
            SELECT *, row_number() OVER (
                PARTITION BY platform, ad_group_id, report_date
                ORDER BY _ingested_at DESC, _source_file DESC, spend DESC, impressions DESC, clicks DESC, conversions DESC, currency,
                         campaign_id, campaign, ad_group
            ) AS place
            FROM reported
        )
        SELECT platform, channel, campaign_id, campaign, ad_group_id, ad_group, report_date, impressions, clicks, spend, conversions,
               currency
        FROM newest
        WHERE place = 1
    """)
