"""Meta Ads (Facebook, Instagram): one report by ad; campaign and ad set are found in the ads' history."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

ADS = Lookup("ad_history", "id", "ad_id", {"campaign_id": "campaign_id", "ad_group_id": "ad_set_id"}, newest="updated_time")
PLATFORM = Platform(
    name="meta_ads",
    channel="paid_social",
    fields={"impressions": "impressions", "clicks": "inline_link_clicks", "spend": "spend"},
    grains={
        "account": Grain("basic_ad", {"account_id": "account_id"}),
        "campaign": Grain("basic_ad", {"account_id": "account_id"}, ADS),
        "ad_group": Grain("basic_ad", {"account_id": "account_id"}, ADS),
        "ad": Grain("basic_ad", {"account_id": "account_id", "ad_id": "ad_id"}, ADS),
    },
)
