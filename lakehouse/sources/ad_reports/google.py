"""Google Ads: a query language over POST, pages by token, cost in micros, 64-bit numbers as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from lakehouse.sources.ad_reports.api import Account, Api, Incomplete, Row

FIELDS = (
    "customer.id, customer.currency_code, campaign.id, campaign.name, ad_group.id, ad_group.name, segments.date, metrics.impressions, "
    "metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value"
)


class GoogleAds(Api):
    """Ad groups by day, in the field names of the mapping `google_ads`."""

    identity: ClassVar[tuple[str, ...]] = ("customer_id", "id", "date")

    def account(self, number: str) -> Account:
        """An account's currency and time zone."""
        for page in self._search(number, "SELECT customer.id, customer.currency_code, customer.time_zone FROM customer"):
            customer = page["results"][0]["customer"]
            return Account(number, customer["currencyCode"], customer["timeZone"])
        raise Incomplete("no customer in the answer")

    def pages(self, number: str, first: date, last: date) -> Iterator[tuple[list[Row], int]]:
        """Pages of ad groups by day."""
        for page in self._search(number, f"SELECT {FIELDS} FROM ad_group WHERE segments.date BETWEEN '{first}' AND '{last}'"):
            yield [_flat(each) for each in page.get("results", [])], int(page["totalResultsCount"])

    def _search(self, number: str, query: str) -> Iterator[Any]:
        from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
        from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

        return self.asked(
            f"customers/{number}/googleAds:search", "POST", json={"query": query}, auth=BearerTokenAuth(self.bearer()),
            paginator=JSONResponseCursorPaginator("nextPageToken", cursor_body_path="pageToken"), data_selector="results",
        )  # fmt: skip


def _flat(result: Any) -> Row:
    customer, metrics = result["customer"], result["metrics"]
    return {
        "customer_id": customer["id"], "currency_code": customer["currencyCode"], "campaign_id": result["campaign"]["id"],
        "campaign_name": result["campaign"]["name"], "id": result["adGroup"]["id"], "name": result["adGroup"]["name"],
        "date": result["segments"]["date"], "impressions": metrics["impressions"], "clicks": metrics["clicks"],
        "cost_micros": metrics["costMicros"], "conversions": metrics["conversions"], "conversions_value": metrics["conversionsValue"],
    }  # fmt: skip
