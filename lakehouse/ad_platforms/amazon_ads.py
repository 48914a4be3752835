"""Amazon Ads (sponsored products): money in units; the profile, its account, is found in the campaigns' history."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

CAMPAIGNS = Lookup("campaign_history", "id", "campaign_id", {"account_id": "profile_id"}, newest="last_updated_date")
AD_GROUPS = Lookup("ad_group_history", "id", "ad_group_id", {"campaign_id": "campaign_id"}, newest="last_updated_date")
AD_GROUP = {"campaign_id": "campaign_id", "ad_group_id": "ad_group_id"}
CONVERSIONS = {"conversions": "purchases_30_d", "conversion_value": "sales_30_d"}
CURRENCY = {"currency": "campaign_budget_currency_code"}
PLATFORM = Platform(
    name="amazon_ads",
    channel="marketplace_ads",
    fields={"impressions": "impressions", "clicks": "clicks", "spend": "cost"},
    grains={
        "account": Grain("campaign_level_report", {}, CAMPAIGNS, CONVERSIONS | CURRENCY),
        "campaign": Grain("campaign_level_report", {"campaign_id": "campaign_id"}, CAMPAIGNS, CONVERSIONS | CURRENCY),
        "ad_group": Grain("ad_group_level_report", {"ad_group_id": "ad_group_id"}, AD_GROUPS),
        "ad": Grain("advertised_product_report", {**AD_GROUP, "ad_id": "ad_id"}, None, CURRENCY),
        "keyword": Grain("targeting_keyword_report", {**AD_GROUP, "keyword_id": "keyword_id"}, None, CURRENCY),
    },
)
