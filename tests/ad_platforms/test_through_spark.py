"""A real connector's tables as bronze tables, one fct_ad_spend made of them by Spark: at every grain the platforms' own totals."""

from __future__ import annotations

import csv
import gzip
import os
import uuid
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from lakehouse import storage
from lakehouse.ad_platforms import GRAINS, NAMES, platform
from lakehouse.ad_platforms.mapping import IDS, MEASURES, Grain
from lakehouse.delta.location import table_uri
from lakehouse.graph import load
from lakehouse.settings import Settings, settings
from tests.ad_platforms.test_platforms import BASE, OWN, PREFIX, Seeds, total
from tests.graph.package import write
from tests.proofs.lake import Lake, read

FULL = os.environ.get("LAKEHOUSE_PROVE") == "full"
CHOSEN = NAMES if FULL else ("reddit_ads", "snapchat_ads")
SHOWN = GRAINS if FULL else ("account", "ad")
pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(0 if FULL else 300)]
BRONZE = """
@table(source=Csv("{folder}", encoding="utf-8"), owner="marketing", columns=[{columns}])
def {name}(landed: Landed):
    "As the connector delivers it."
    return landed
"""
GOLD = '''
@table(key=("platform", "grain", "entity", "report_date"), owner="marketing", refresh="nightly", columns=[{columns}])
def fct_ad_spend({inputs}) -> SQL:
    "One row per platform, grain, entity and day."
    return SQL("""{query}""")
'''
COLUMNS = {
    "platform": "string", "grain": "string", "entity": "string", **dict.fromkeys(IDS, "string"), "report_date": "date", **MEASURES,
    "currency": "string",
}  # fmt: skip


def grains_of(name: str) -> dict[str, Grain]:
    """The reports of a platform that are proved."""
    return {grain: report for grain, report in platform(name).grains.items() if grain in SHOWN}


class Connector:
    """The connector's files by platform and table, and the declarations that take them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, {}
        self.selects: list[str] = []
        self.used: dict[str, set[str]] = defaultdict(set)
        for name in CHOSEN:
            for grain, report in grains_of(name).items():
                tables = [report.table, *([report.lookup.table] if report.lookup else [])]
                names = [f"{name}__{BASE.get(name, {}).get(table, table)}" for table in tables]
                select = platform(name).select(grain, *names)
                self.selects.append(select)
                for each in names:
                    self.files[each] = folder / f"{PREFIX.get(name, name)}_{each.split('__')[1]}_data.csv"
                    self.used[each] |= {c.name for c in sqlglot.parse_one(select, dialect="spark").find_all(exp.Column)}

    def jobs(self) -> dict[str, str]:
        """One file a table."""
        listed = ", ".join(f'Column("{n}", "{t}", "{n}.")' for n, t in COLUMNS.items())
        inputs = ", ".join(f"{n}: Snapshot" for n in self.files)
        gold = GOLD.format(columns=listed, inputs=inputs, query=" UNION ALL ".join(self.selects))
        return {"gold/fct_ad_spend.py": gold} | {f"bronze/{n}.py": self._bronze(n) for n in self.files}

    def _bronze(self, name: str) -> str:
        with self.files[name].open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file))
        named = {h.strip().lower(): h for h in header}
        columns = [f'Column("{n}", "string", "{n}.", received_as={named[n]!r})' for n in sorted(named.keys() & self.used[name])]
        return BRONZE.format(folder=name.replace("__", "/"), columns=", ".join(columns), name=name)

    def land(self) -> None:
        """Drop every file into landing, packed."""
        for name, file in self.files.items():
            storage.put(f"{settings().landing}/{name.replace('__', '/')}/{file.name}.gz", gzip.compress(file.read_bytes()))


@pytest.fixture
def lake(stack: Settings, shared_data: Path, tmp_path: Path) -> Iterator[tuple[Lake, Connector]]:
    connector = Connector(shared_data / "fivetran_ad_platforms" / "seeds")
    here = Lake(load(write(tmp_path, connector.jobs())), f"_ads/{uuid.uuid4().hex[:8]}")
    with here.use():
        connector.land()
        yield here, connector
        for address in (settings().lake, settings().landing):
            storage.delete_prefix(f"{address}/")


def test_one_table_of_ad_spend_holds_what_the_platforms_say_at_every_grain(lake: tuple[Lake, Connector]) -> None:
    here, connector = lake
    reports = here.run()
    assert not [r for r in reports if r.rows_quarantined]
    with here.use():
        found = read(table_uri(here.graph["fct_ad_spend"]), ("platform", "grain", "spend", "impressions", "clicks"))
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for (name, grain, *figures), times in found.items():
        sums[name, grain] = [a + times * Decimal(str(b)) for a, b in zip(sums[name, grain], figures, strict=True)]
    seeds = Seeds(connector.folder)
    for name in CHOSEN:
        spend, divisor, impressions, clicks = OWN[name]
        for grain, report in grains_of(name).items():
            raw = seeds.read(name, report.table)
            wanted = [round(total(raw, spend, divisor), 4), total(raw, impressions), total(raw, clicks)]
            assert [round(sums[name, grain][0], 4), *sums[name, grain][1:]] == wanted, (name, grain)
    for grain in SHOWN:
        told = [v[0] for (_, g), v in sums.items() if g == grain]
        print(f"\n{grain:<9} {len(told):>2} platforms, {len(connector.files)} bronze tables, spend {sum(told, Decimal(0)):,.2f}", end="")
