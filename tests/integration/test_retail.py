"""A real file through every layer: nothing lost, nothing twice, each odd line named for what it is."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.demo import retail
from lakehouse import storage
from lakehouse.graph import Graph, load
from lakehouse.run import run_table
from lakehouse.settings import REPOSITORY, Settings, settings

WHOLE = {
    "lines": 541_909, "invoices": 25_900, "customers": 4_372, "lines without customer": 135_080, "cancellation lines": 9_288,
    "repeated lines": 5_268, "total": "9747747.93",
}  # fmt: skip
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def graph(stack: Settings) -> Iterator[Graph]:
    os.environ |= {"LAKEHOUSE_LAKE": "s3a://lake/_retail", "LAKEHOUSE_LANDING": "s3://landing/_retail"}
    settings.cache_clear()
    yield load(REPOSITORY / "jobs")
    for address in (settings().lake, settings().landing):
        storage.delete_prefix(f"{address}/")
    del os.environ["LAKEHOUSE_LAKE"], os.environ["LAKEHOUSE_LANDING"]
    settings.cache_clear()


def run(graph: Graph) -> dict[str, dict[str, object]]:
    for name in retail.TABLES:
        run_table(graph, name)
    found = retail.reconcile(graph)
    return {table: {k: f"{v:.2f}" if k == "total" else v for k, v in figures.items()} for table, figures in found.items()}


def test_the_wholesalers_file_reconciles_at_every_layer(graph: Graph, shared_data: Path) -> None:
    retail.deliver(shared_data / "online_retail" / "online_retail.csv.gz")
    found = run(graph)
    for table in ("retail__lines", "retail_lines", "fct_retail_lines"):
        assert found[table] == WHOLE, table
    assert found["fct_retail_invoices"] == {k: WHOLE[k] for k in ("lines", "invoices", "customers", "total")}
    assert "quarantine" not in found


def test_a_file_delivered_twice_counts_once_under_any_name(graph: Graph, shared_data: Path, tmp_path: Path) -> None:
    again = tmp_path / "the_same_unpacked.csv"
    again.write_bytes(gzip.decompress((shared_data / "online_retail" / "online_retail.csv.gz").read_bytes()))
    retail.deliver(again)
    assert run_table(graph, "retail__lines").duplicates == 1
    assert run(graph)["retail_lines"] == WHOLE


def test_a_line_that_cannot_be_read_waits_in_quarantine_and_the_others_go_on(graph: Graph, shared_data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    broken.write_text(
        header + "Z1,85123A,A,two,2011-12-10 08:26:00,2.55,17850.0,France\nZ2,85123A,A,2,2011-12-10 08:26:00,2.55,17850.0,France\n"
    )
    retail.deliver(broken)
    report = run_table(graph, "retail__lines")
    assert (report.received, report.rows_written, report.rows_quarantined) == (2, 1, 1)
    found = run(graph)
    assert found["retail_lines"]["lines"] == 541_910
    assert found["quarantine"] == {"Quantity: 'two' is no int": 1}
