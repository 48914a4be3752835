"""Real files as organisations deliver them, each a new source of two generated files: they land with the counts their keepers state."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse import storage
from lakehouse.cli.lake import dataset
from lakehouse.cli.profiling import new_source
from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.graph import Graph, load
from lakehouse.run import run_table
from lakehouse.settings import Settings, settings
from tests.graph.package import write

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
FILES = {
    "leads": ("olist_marketing_funnel/olist_marketing_qualified_leads_dataset.csv", 8_000),
    "deals": ("olist_marketing_funnel/olist_closed_deals_cleaned.csv", 842),
    "sellers": ("olist_marketing_funnel/olist_sellers_dataset.csv", 3_095),
    "subscribers": ("telco_churn/Telco-Customer-Churn.csv", 7_043),
    "people": ("marketing_campaign/marketing_campaign.csv", 2_240),
    "tweets": ("brand_tweets/judge-1377884607_tweet_product_company.csv.gz", 9_093),
    "sales": ("saas_sales/sales_pipeline.csv.gz", 9_994),
    "visits": ("msweb/msweb_visits.csv.gz", 98_653),
}

REFINED = ("deals", "people", "sales", "tweets")
"""Those whose silver table is built as well: with and without a key, with and without gaps."""


@pytest.fixture(scope="module")
def landed(stack: Settings, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    name = f"_real_{uuid.uuid4().hex[:8]}"
    given = {"LAKEHOUSE_LAKE": f"s3a://lake/{name}", "LAKEHOUSE_LANDING": f"s3://landing/{name}"}
    os.environ |= given
    settings.cache_clear()
    folder = write(tmp_path_factory.mktemp("real"), {})
    for things, (file, _) in FILES.items():
        new_source(shared_data / file, folder, "real", things, "tests")
        key = f"{settings().landing}/real/{things}/{Path(file).name}"
        with (shared_data / file).open("rb") as content:
            storage.client().upload_fileobj(content, *storage.split(key))
    graph = load(folder)
    for things in FILES:
        run_table(graph, f"real__{things}", record=False)
    for things in REFINED:
        run_table(graph, things, record=False)
    yield graph
    for address in (settings().lake, settings().landing):
        storage.delete_prefix(f"{address}/")
    for each in given:
        del os.environ[each]
    settings.cache_clear()
    shutil.rmtree(folder)


def rows(graph: Graph, name: str, *columns: str) -> list[tuple[Any, ...]]:
    found = dataset(table_uri(graph[name]))
    return [tuple(r.values()) for r in found.to_table(columns=list(columns or found.schema.names)).to_pylist()]


def test_every_line_lands_and_none_waits_in_quarantine(landed: Graph) -> None:
    assert {t: len(rows(landed, f"real__{t}", "_source_file")) for t in FILES} == {t: n for t, (_, n) in FILES.items()}
    assert {t: len(rows(landed, t)) for t in REFINED} == {t: FILES[t][1] for t in REFINED}
    assert [t for t in FILES if DeltaLog(quarantine_uri(f"real__{t}")).version is not None] == []


def test_the_stated_figures_hold(landed: Graph) -> None:
    assert round(sum(float(v) for (v,) in rows(landed, "sales", "sales")), 2) == 2_297_201.07
    assert {"San José", "Bogotá", "Córdoba", "São Paulo"} <= {c for (c,) in rows(landed, "sales", "city")}
    assert len({c for (c,) in rows(landed, "sales", "customer")}) == 99 and len({o for (o,) in rows(landed, "sales", "order_id")}) == 5_009
    assert len({u for (u,) in rows(landed, "real__visits", "user_id")}) == 32_710
    assert sum(c == "Yes" for (c,) in rows(landed, "real__subscribers", "churn")) == 1_869
    assert sum(c == " " for (c,) in rows(landed, "real__subscribers", "total_charges")) == 11
    assert sum(r == 1 for (r,) in rows(landed, "people", "response")) == 334
    assert sum(i is None for (i,) in rows(landed, "people", "income")) == 24
    assert sum(o == "NaN" for (o,) in rows(landed, "real__leads", "column_4")) == 60
    assert sum(b is None for (b,) in rows(landed, "tweets", "emotion_in_tweet_is_directed_at")) == 5_802
    leads = {lead for (lead,) in rows(landed, "real__leads", "column_1")}
    assert {d for (d,) in rows(landed, "deals", "mql_id")} <= leads


def test_keys_are_found_where_there_are_some(landed: Graph) -> None:
    assert {t: landed[t].key for t in ("deals", "subscribers", "people", "sales", "tweets", "visits")} == {
        "deals": ("mql_id",), "subscribers": ("customer_id",), "people": ("id",), "sales": ("row_id",),
        "tweets": ("tweets_line_id",), "visits": ("visits_line_id",),
    }  # fmt: skip
