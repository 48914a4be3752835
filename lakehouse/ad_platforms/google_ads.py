"""Google Ads: cost in micros; one row for each device and network."""

from lakehouse.ad_platforms.mapping import Grain, Platform

PLATFORM = Platform(
    name="google_ads",
    channel="paid_search",
    spend_unit="micros",
    fields={
        "impressions": "impressions", "clicks": "clicks", "spend": "cost_micros", "conversions": "conversions",
        "conversion_value": "conversions_value",
    },
    grains={
        "account": Grain("account_stats", {"account_id": "customer_id"}),
        "campaign": Grain("campaign_stats", {"account_id": "customer_id", "campaign_id": "id"}),
        "ad_group": Grain("ad_group_stats", {"account_id": "customer_id", "campaign_id": "campaign_id", "ad_group_id": "id"}),
        "ad": Grain(
            "ad_stats", {"account_id": "customer_id", "campaign_id": "campaign_id", "ad_group_id": "ad_group_id", "ad_id": "ad_id"}
        ),
        "keyword": Grain(
            "keyword_stats",
            {
                "account_id": "customer_id", "campaign_id": "campaign_id", "ad_group_id": "ad_group_id",
                "keyword_id": "ad_group_criterion_criterion_id",
            },
        ),
    },
)  # fmt: skip
