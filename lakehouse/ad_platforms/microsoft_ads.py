"""Microsoft Advertising: money in units; one row for each device, network and match type."""

from lakehouse.ad_platforms.mapping import Grain, Platform

ACCOUNT = {"account_id": "account_id"}
CAMPAIGN = {**ACCOUNT, "campaign_id": "campaign_id"}
AD_GROUP = {**CAMPAIGN, "ad_group_id": "ad_group_id"}
AD = {**AD_GROUP, "ad_id": "ad_id"}
PLATFORM = Platform(
    name="microsoft_ads",
    channel="paid_search",
    fields={
        "impressions": "impressions", "clicks": "clicks", "spend": "spend", "conversions": "conversions", "conversion_value": "revenue",
        "currency": "currency_code",
    },
    grains={
        "account": Grain("account_performance_daily_report", ACCOUNT),
        "campaign": Grain("campaign_performance_daily_report", CAMPAIGN),
        "ad_group": Grain("ad_group_performance_daily_report", AD_GROUP),
        "ad": Grain("ad_performance_daily_report", AD),
        "keyword": Grain("keyword_performance_daily_report", {**AD, "keyword_id": "keyword_id"}),
    },
)  # fmt: skip
