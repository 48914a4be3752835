"""Apple Search Ads: taps are its clicks; the organisation is found in the campaigns' history."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

CAMPAIGNS = Lookup("campaign_history", "id", "id", {"account_id": "organization_id"}, newest="modification_time")
AD_GROUPS = Lookup("ad_group_history", "id", "ad_group_id", {"campaign_id": "campaign_id"}, newest="modification_time")
KEYWORDS = Lookup("keyword_history", "id", "id", {"campaign_id": "campaign_id", "ad_group_id": "ad_group_id"}, newest="modification_time")
PLATFORM = Platform(
    name="apple_search_ads",
    channel="paid_search",
    fields={
        "impressions": "impressions", "clicks": "taps", "spend": "local_spend_amount", "conversions": "conversions",
        "currency": "local_spend_currency",
    },
    grains={
        "account": Grain("campaign_report", {}, CAMPAIGNS),
        "campaign": Grain("campaign_report", {"campaign_id": "id"}, CAMPAIGNS),
        "ad_group": Grain("ad_group_report", {"ad_group_id": "ad_group_id"}, AD_GROUPS),
        "ad": Grain("ad_report", {"campaign_id": "campaign_id", "ad_group_id": "ad_group_id", "ad_id": "ad_id"}),
        "keyword": Grain("keyword_report", {"keyword_id": "id"}, KEYWORDS),
    },
)  # fmt: skip
