"""Pinterest Ads: money in micros; paid and earned figures are counted apart and summed; a promoted pin is an ad."""

from lakehouse.ad_platforms.mapping import Grain, Platform

ACCOUNT = {"account_id": "advertiser_id"}
CAMPAIGN = {**ACCOUNT, "campaign_id": "campaign_id"}
AD_GROUP = {**CAMPAIGN, "ad_group_id": "ad_group_id"}
AD = {**AD_GROUP, "ad_id": "pin_promotion_id"}
PLATFORM = Platform(
    name="pinterest_ads",
    channel="paid_social",
    spend_unit="micros",
    value_unit="micros",
    fields={
        "impressions": "impression_1 + impression_2", "clicks": "clickthrough_1 + clickthrough_2", "spend": "spend_in_micro_dollar",
        "conversions": "total_conversions", "conversion_value": "total_conversions_value_in_micro_dollar",
    },
    grains={
        "account": Grain("advertiser_report", ACCOUNT),
        "campaign": Grain("campaign_report", CAMPAIGN),
        "ad_group": Grain("ad_group_report", AD_GROUP),
        "ad": Grain("pin_promotion_report", AD),
        "keyword": Grain("keyword_report", {**AD, "keyword_id": "keyword_id"}),
    },
)  # fmt: skip
