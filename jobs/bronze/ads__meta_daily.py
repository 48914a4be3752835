from pyspark.sql import DataFrame

from lakehouse.declare import Column, JsonLines, Landed, table


@table(
    source=JsonLines("ads/meta", period="day"),
    owner="marketing",
    columns=[
        Column("report_date", "date", "Day of the figures.", received_as="date_start"),
        Column("report_end_date", "date", "Last day of the figures: the same.", received_as="date_stop"),
        Column("campaign_id", "string", "Campaign number."),
        Column("campaign", "string", "Campaign name.", received_as="campaign_name"),
        Column("ad_group_id", "string", "Ad set number.", received_as="adset_id"),
        Column("ad_group", "string", "Ad set name.", received_as="adset_name"),
        Column("impressions", "bigint", "How often the ads were shown."),
        Column("clicks", "bigint", "How often they were clicked."),
        Column("spend", "decimal(12,2)", "Spend."),
        Column("purchases", "bigint", "Orders the platform credits itself with."),
        Column("currency", "string", "Currency of the spend.", received_as="account_currency"),
    ],
)
def ads__meta_daily(landed: Landed) -> DataFrame:
    """Meta's daily report by ad set, as received."""
    return landed
