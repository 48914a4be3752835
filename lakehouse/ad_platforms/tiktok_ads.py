"""TikTok Ads: one row an hour; the account is found in the campaigns' history."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

CAMPAIGNS = Lookup("campaign_history", "campaign_id", "campaign_id", {"account_id": "advertiser_id"}, newest="updated_at")
AD_GROUPS = Lookup(
    "adgroup_history", "adgroup_id", "adgroup_id", {"account_id": "advertiser_id", "campaign_id": "campaign_id"}, newest="updated_at"
)
ADS = Lookup(
    "ad_history", "ad_id", "ad_id", {"account_id": "advertiser_id", "campaign_id": "campaign_id", "ad_group_id": "adgroup_id"},
    newest="updated_at",
)  # fmt: skip
PLATFORM = Platform(
    name="tiktok_ads",
    channel="paid_social",
    date="stat_time_hour",
    fields={
        "impressions": "impressions", "clicks": "clicks", "spend": "spend", "conversions": "conversion",
        "conversion_value": "total_purchase_value + total_sales_lead_value",
    },
    grains={
        "account": Grain("campaign_report_hourly", {}, CAMPAIGNS),
        "campaign": Grain("campaign_report_hourly", {"campaign_id": "campaign_id"}, CAMPAIGNS),
        "ad_group": Grain("adgroup_report_hourly", {"ad_group_id": "adgroup_id"}, AD_GROUPS),
        "ad": Grain("ad_report_hourly", {"ad_id": "ad_id"}, ADS),
    },
)  # fmt: skip
