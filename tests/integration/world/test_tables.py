"""The company's tables against the company: what the shop and the platforms hold is what gold says."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from infra.world.advance import Place, World
from lakehouse import storage
from lakehouse.delta.location import table_uri
from lakehouse.delta.session import open_session
from lakehouse.graph import load
from lakehouse.run import land, run_table
from lakehouse.run.frames import visible
from lakehouse.settings import REPOSITORY, settings

UNTIL = datetime(2026, 11, 19, 11, tzinfo=UTC)
LAYERS = ("bronze", "silver", "gold")
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]


@dataclass
class Company:
    """A small company and its tables, loaded in two portions so that the second is incremental."""

    place: Place
    spark: Any

    def __post_init__(self) -> None:
        self.graph = load(REPOSITORY / "jobs")

    def run(self) -> None:
        for source in self.graph.landers():
            land(self.graph, source)
        for name in self.graph.order():
            table = self.graph[name]
            if table.layer in LAYERS and not {"retail", "market"} & set(table.tags):
                run_table(self.graph, name)

    def lake(self, query: str, *names: str) -> list[tuple[Any, ...]]:
        for name in names:
            table = self.graph[name]
            frame = self.spark.read.format("delta").load(table_uri(table))
            visible(table, frame).createOrReplaceTempView(name)
        return [tuple(row) for row in self.spark.sql(query).collect()]

    def shop(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.place.dsn) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def company(places: Any) -> Iterator[Company]:
    place = places()
    wanted = {
        "LAKEHOUSE_LAKE": f"s3a://lake/_dev_{place.bucket}",
        "LAKEHOUSE_LANDING": f"s3://{place.bucket}",
        "LAKEHOUSE_SHOP_URL": place.dsn,
        "LAKEHOUSE_LOYALTY_URL": place.dsn,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ |= wanted
    settings.cache_clear()
    with open_session() as spark:
        here = Company(place, spark)
        world = World(place, progress=lambda _: None)
        world.create("tiny", UNTIL - timedelta(days=1, hours=2), days=3)
        here.run()
        _erase_somebody(place.dsn)
        world.advance(UNTIL)
        here.run()
        yield here
    storage.delete_prefix(f"{wanted['LAKEHOUSE_LAKE']}/")
    for name, value in before.items():
        if value is None:
            os.environ.pop(name)
        else:
            os.environ[name] = value
    settings.cache_clear()


def _erase_somebody(dsn: str) -> None:
    """A customer with orders asks to be deleted; the shop cuts the orders loose and forgets the customer."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT set_config('shop.now', (SELECT advanced_to::text FROM world.company), true)")
        who = "(SELECT max(customer_id) FROM orders WHERE status = 'placed')"
        connection.execute(f"CREATE TEMP TABLE leaving ON COMMIT DROP AS SELECT {who} AS customer_id")
        connection.execute("UPDATE orders SET customer_id = NULL WHERE customer_id IN (TABLE leaving)")
        connection.execute("DELETE FROM consents WHERE customer_id IN (TABLE leaving)")
        connection.execute("DELETE FROM customers WHERE customer_id IN (TABLE leaving)")


def test_orders_and_their_totals_are_the_shops(company: Company) -> None:
    columns = "order_id, customer_id, status, total"
    assert company.lake(f"SELECT {columns} FROM fct_orders ORDER BY 1", "fct_orders") == company.shop(
        f"SELECT {columns} FROM orders ORDER BY 1"
    )


def test_every_order_in_gold_equals_its_lines(company: Company) -> None:
    query = """SELECT order_id FROM fct_orders o JOIN fct_order_lines l USING (order_id)
               GROUP BY order_id HAVING max(o.total) <> sum(l.amount)"""
    assert company.lake(query, "fct_orders", "fct_order_lines") == []


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("order_lines", "line_id, order_id, product_id, quantity, amount"),
        ("refunds", "refund_id, order_id, amount"),
        ("products", "product_id, price, is_active"),
        ("customers", "customer_id, email, city, segment"),
        ("consents", "consent_id, is_granted"),
        ("loyalty_accounts", "account_id, customer_id, points"),
    ],
)
def test_silver_holds_what_the_shop_holds_deletions_included(company: Company, table: str, columns: str) -> None:
    query = f"SELECT {columns} FROM {table} ORDER BY 1"
    assert sorted(company.lake(query, table)) == sorted(company.shop(query))


def test_each_visit_holds_its_events_once_and_follows_the_last_after_half_an_hour_or_for_another_campaign(company: Company) -> None:
    seen = "SELECT count(*), count_if(event_type = 'page_view') FROM web_events WHERE visitor_id IS NOT NULL"
    assert company.lake("SELECT sum(events), sum(page_views) FROM web_sessions", "web_sessions") == company.lake(seen, "web_events")
    close = """SELECT web_session_id FROM (SELECT *, lag(ended_at) OVER w AS before, lag(campaign) OVER w AS other FROM web_sessions
               WINDOW w AS (PARTITION BY visitor_id ORDER BY started_at)) s
               WHERE started_at <= before + INTERVAL 30 MINUTE AND (campaign IS NULL OR campaign = other)"""
    assert company.lake(close, "web_sessions") == []


def test_a_deleted_customer_leaves_nothing_personal(company: Company) -> None:
    deleted = company.lake("SELECT email, city, postcode, is_current FROM dim_customer WHERE is_deleted", "dim_customer")
    assert deleted
    assert set(deleted) == {(None, None, None, False)}


def test_each_customer_is_one_person_at_any_moment(company: Company) -> None:
    current = company.lake("SELECT customer_id, email, segment FROM dim_customer WHERE is_current ORDER BY 1", "dim_customer")
    assert sorted(current) == sorted(company.shop("SELECT customer_id, email, segment FROM customers"))
    overlapping = """SELECT a.customer_id FROM dim_customer a JOIN dim_customer b ON a.customer_id = b.customer_id
                     AND a.customer_sk <> b.customer_sk AND a.valid_from < coalesce(b.valid_to, timestamp'9999-01-01')
                     AND b.valid_from < coalesce(a.valid_to, timestamp'9999-01-01')"""
    assert company.lake(overlapping, "dim_customer") == []


def test_every_order_of_a_known_customer_finds_the_customer_of_then(company: Company) -> None:
    lost = "SELECT order_id FROM fct_orders WHERE customer_id IS NOT NULL AND customer_sk IS NULL"
    assert company.lake(lost, "fct_orders") == []


def test_ad_spend_is_what_was_spent(company: Company) -> None:
    import pyarrow.parquet as pq

    truth = {}
    for file in (company.place.truth / "channels").glob("*.parquet"):
        for row in pq.read_table(file).to_pylist():
            if row["spend"]:
                truth[row["date"], row["channel"]] = Decimal(str(row["spend"]))
    query = "SELECT CAST(date_id AS string), channel, sum(spend) FROM fct_ad_spend GROUP BY 1, 2"
    assert {(day, channel): spend for day, channel, spend in company.lake(query, "fct_ad_spend")} == truth


def test_channel_performance_adds_up_to_the_facts(company: Company) -> None:
    sums = company.lake(
        "SELECT sum(spend), sum(orders), sum(revenue), sum(net_revenue) FROM agg_channel_performance_daily", "agg_channel_performance_daily"
    )
    spend = company.lake("SELECT sum(spend) FROM fct_ad_spend", "fct_ad_spend")[0]
    orders = company.shop("SELECT count(*), sum(total) FROM orders WHERE status <> 'cancelled'")[0]
    refunds = company.shop("SELECT coalesce(sum(r.amount), 0) FROM refunds r JOIN orders o USING (order_id) WHERE o.status <> 'cancelled'")[
        0
    ]
    assert sums == [(*spend, *orders, orders[1] - refunds[0])]


def test_repeated_events_count_once_and_who_did_not_consent_has_no_name(company: Company) -> None:
    counted = company.lake("SELECT count(*), count(DISTINCT event_id) FROM web__events", "web__events")[0]
    assert counted[1] < counted[0]
    assert company.lake("SELECT count(*) FROM web_events", "web_events") == [(counted[1],)]
    named = "SELECT count(*) FROM web_events WHERE NOT has_analytics_consent AND (visitor_id IS NOT NULL OR customer_id IS NOT NULL)"
    assert company.lake(named, "web_events") == [(0,)]
    bought = company.lake("SELECT DISTINCT order_id FROM web_events WHERE event_type = 'purchase'", "web_events")
    assert {row[0] for row in bought} <= {row[0] for row in company.shop("SELECT order_id FROM orders WHERE sales_channel = 'web'")}
