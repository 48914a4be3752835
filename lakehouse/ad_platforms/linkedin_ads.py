"""LinkedIn Ads: what it calls campaign group, campaign and creative are campaign, ad group and ad."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

CAMPAIGNS = Lookup(
    "campaign_history", "id", "campaign_id", {"account_id": "account_id", "campaign_id": "campaign_group_id"}, newest="last_modified_time"
)
CREATIVES = Lookup("creative_history", "id", "creative_id", {"ad_group_id": "campaign_id"}, newest="created_time")
PLATFORM = Platform(
    name="linkedin_ads",
    channel="paid_social",
    date="day",
    fields={
        "impressions": "impressions", "clicks": "clicks", "spend": "cost_in_local_currency",
        "conversions": "external_website_conversions + one_click_leads", "conversion_value": "conversion_value_in_local_currency",
    },
    grains={
        "account": Grain("ad_analytics_by_campaign", {}, CAMPAIGNS),
        "campaign": Grain("ad_analytics_by_campaign", {}, CAMPAIGNS),
        "ad_group": Grain("ad_analytics_by_campaign", {"ad_group_id": "campaign_id"}, CAMPAIGNS),
        "ad": Grain("ad_analytics_by_creative", {"ad_id": "creative_id"}, CREATIVES),
    },
)  # fmt: skip
