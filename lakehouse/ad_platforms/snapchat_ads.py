"""Snapchat Ads: one row an hour, spend in micros; swipes are its clicks, an ad squad is an ad group."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

CAMPAIGNS = Lookup("campaign_history", "id", "campaign_id", {"account_id": "ad_account_id"}, newest="_fivetran_synced")
SQUADS = Lookup("ad_squad_history", "id", "ad_squad_id", {"campaign_id": "campaign_id"}, newest="_fivetran_synced")
ADS = Lookup("ad_history", "id", "ad_id", {"ad_group_id": "ad_squad_id"}, newest="_fivetran_synced")
PLATFORM = Platform(
    name="snapchat_ads",
    channel="paid_social",
    spend_unit="micros",
    fields={
        "impressions": "impressions", "clicks": "swipes", "spend": "spend", "conversions": "conversion_purchases",
        "conversion_value": "conversion_purchases_value",
    },
    grains={
        "account": Grain("campaign_hourly_report", {}, CAMPAIGNS),
        "campaign": Grain("campaign_hourly_report", {"campaign_id": "campaign_id"}, CAMPAIGNS),
        "ad_group": Grain("ad_squad_hourly_report", {"ad_group_id": "ad_squad_id"}, SQUADS),
        "ad": Grain("ad_hourly_report", {"ad_id": "ad_id"}, ADS),
    },
)  # fmt: skip
