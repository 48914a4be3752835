"""Meta Ads: insights over GET, pages by cursor, money and counts as text, limits sometimes told as 400 with a code of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from lakehouse.sources.ad_reports.api import Account, Api, Row

LIMITS = {4, 17, 32, 613}
FIELDS = (
    "account_id,account_currency,campaign_id,campaign_name,adset_id,adset_name,impressions,inline_link_clicks,spend,actions,"
    "action_values"
)


class MetaAds(Api):
    """Ad sets by day."""

    identity: ClassVar[tuple[str, ...]] = ("account_id", "adset_id", "date")

    def account(self, number: str) -> Account:
        """An account's currency and time zone."""
        asked = {"fields": "currency,timezone_name", "access_token": self.bearer()}
        found = self.checked(self.client.get(f"{self.base}/act_{number}", params=asked))
        return Account(number, found["currency"], found["timezone_name"])

    def later(self, status: int, text: str) -> bool:
        """Limits are told as 400 with one of four codes."""
        if status != 400:
            return False
        try:
            return json.loads(text)["error"]["code"] in LIMITS
        except (ValueError, KeyError, TypeError):
            return False

    def pages(self, number: str, first: date, last: date) -> Iterator[tuple[list[Row], int]]:
        """Pages of ad sets by day."""
        from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

        asked = {
            "level": "adset", "fields": FIELDS, "time_increment": "1", "summary": "total_count", "access_token": self.bearer(),
            "time_range": json.dumps({"since": first.isoformat(), "until": last.isoformat()}),
        }  # fmt: skip
        paginator = JSONResponseCursorPaginator("paging.cursors.after", cursor_param="after")
        for body in self.asked(f"act_{number}/insights", params=asked, data_selector="data", paginator=paginator):
            yield [_flat(each) for each in body["data"]], int(body["summary"]["total_count"])


def _flat(result: Any) -> Row:
    kept = {name: result[name] for name in ("account_id", "account_currency", "campaign_id", "campaign_name", "adset_id", "adset_name")}
    return kept | {
        "date": result["date_start"], "impressions": result["impressions"], "inline_link_clicks": result["inline_link_clicks"],
        "spend": result["spend"], "purchases": _purchases(result.get("actions")), "purchase_value": _purchases(result.get("action_values")),
    }  # fmt: skip


def _purchases(actions: Any) -> str:
    return next((each["value"] for each in actions or [] if each["action_type"] == "purchase"), "0")
