from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, table


@table(
    source=Csv("ads/google", period="day"),
    owner="marketing",
    columns=[
        Column("report_date", "date", "Day of the figures.", received_as="day"),
        Column("campaign_id", "string", "Campaign number."),
        Column("campaign", "string", "Campaign name."),
        Column("ad_group_id", "string", "Ad group number."),
        Column("ad_group", "string", "Ad group name."),
        Column("impressions", "bigint", "How often the ads were shown."),
        Column("clicks", "bigint", "How often they were clicked."),
        Column("cost_micros", "bigint", "Spend in millionths of the currency."),
        Column("conversions", "decimal(12,2)", "Orders the platform credits itself with."),
        Column("currency", "string", "Currency of the spend.", received_as="currency_code"),
    ],
)
def ads__google_daily(landed: Landed) -> DataFrame:
    """Google's daily report by ad group, as received."""
    return landed
