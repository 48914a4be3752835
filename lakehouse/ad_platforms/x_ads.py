"""X (Twitter) Ads: one row for each placement, money in micros; the account's report has no money, so its promoted tweets are summed."""

from lakehouse.ad_platforms.mapping import Grain, Lookup, Platform

LINE_ITEMS = Lookup("line_item_history", "id", "line_item_id", {"campaign_id": "campaign_id"}, newest="updated_at")
TWEETS = Lookup("promoted_tweet_history", "id", "promoted_tweet_id", {"ad_group_id": "line_item_id"}, newest="updated_at")
PLATFORM = Platform(
    name="x_ads",
    channel="paid_social",
    spend_unit="micros",
    fields={"impressions": "impressions", "clicks": "clicks", "spend": "billed_charge_local_micro"},
    grains={
        "account": Grain("promoted_tweet_report", {"account_id": "account_id"}),
        "campaign": Grain("campaign_report", {"account_id": "account_id", "campaign_id": "campaign_id"}),
        "ad_group": Grain("line_item_report", {"account_id": "account_id", "ad_group_id": "line_item_id"}, LINE_ITEMS),
        "ad": Grain("promoted_tweet_report", {"account_id": "account_id", "ad_id": "promoted_tweet_id"}, TWEETS),
        "keyword": Grain(
            "line_item_keywords_report", {"account_id": "account_id", "ad_group_id": "line_item_id", "keyword_id": "segment"}, LINE_ITEMS
        ),
    },
)
