"""Reddit Ads: spend in micros."""

from lakehouse.ad_platforms.mapping import Grain, Platform

ACCOUNT = {"account_id": "account_id"}
PLATFORM = Platform(
    name="reddit_ads",
    channel="paid_social",
    spend_unit="micros",
    fields={"impressions": "impressions", "clicks": "clicks", "spend": "spend"},
    grains={
        "account": Grain("account_report", ACCOUNT),
        "campaign": Grain("campaign_report", {**ACCOUNT, "campaign_id": "campaign_id"}),
        "ad_group": Grain("ad_group_report", {**ACCOUNT, "ad_group_id": "ad_group_id"}),
        "ad": Grain("ad_report", {**ACCOUNT, "ad_id": "ad_id"}),
    },
)
