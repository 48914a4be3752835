"""The eleven platforms of a real connector's tables in one table of ad spend: nothing is lost on the way, at any grain."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlglot

from lakehouse.ad_platforms import COLUMNS, GRAINS, NAMES, platform
from lakehouse.errors import LakehouseError

PREFIX = {
    "meta_ads": "facebook_ads", "x_ads": "twitter", "apple_search_ads": "apple_search", "linkedin_ads": "linkedin",
    "pinterest_ads": "pinterest", "snapchat_ads": "snapchat", "tiktok_ads": "tiktok",
}  # fmt: skip
BASE = {"linkedin_ads": {"creative_history": "ad_creative_history", "campaign_history": "ad_campaign_history"}}
# What each platform's own figures are, written once more and read by pandas: field of spend, what it is divided by, impressions, clicks.
OWN = {
    "amazon_ads": (["cost"], 1, ["impressions"], ["clicks"]), "apple_search_ads": (["local_spend_amount"], 1, ["impressions"], ["taps"]),
    "google_ads": (["cost_micros"], 10**6, ["impressions"], ["clicks"]),
    "linkedin_ads": (["cost_in_local_currency"], 1, ["impressions"], ["clicks"]),
    "meta_ads": (["spend"], 1, ["impressions"], ["inline_link_clicks"]), "microsoft_ads": (["spend"], 1, ["impressions"], ["clicks"]),
    "pinterest_ads": (["spend_in_micro_dollar"], 10**6, ["impression_1", "impression_2"], ["clickthrough_1", "clickthrough_2"]),
    "reddit_ads": (["spend"], 10**6, ["impressions"], ["clicks"]), "snapchat_ads": (["spend"], 10**6, ["impressions"], ["swipes"]),
    "tiktok_ads": (["spend"], 1, ["impressions"], ["clicks"]),
    "x_ads": (["billed_charge_local_micro"], 10**6, ["impressions"], ["clicks"]),
}  # fmt: skip


class Seeds:
    """The connector's tables, by platform and name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str, table: str) -> pd.DataFrame:
        file = f"{PREFIX.get(name, name)}_{BASE.get(name, {}).get(table, table)}_data.csv"
        frame = pd.read_csv(self.folder / file, dtype=str, encoding="utf-8-sig", keep_default_na=False, na_values=[""])
        return frame.rename(columns=lambda column: column.strip().lower())

    def rows(self, name: str, grain: str) -> pd.DataFrame:
        mapping = platform(name)
        report = mapping.grains[grain]
        tables = {"report": self.read(name, report.table)}
        if report.lookup:
            tables["lookup"] = self.read(name, report.lookup.table)
        query = mapping.select(grain, "report", "lookup" if report.lookup else "")
        with duckdb.connect() as base:
            for each, frame in tables.items():
                base.register(each, frame)
            return base.execute(sqlglot.transpile(query, read="spark", write="duckdb")[0]).df()


@pytest.fixture(scope="module")
def seeds(shared_data: Path) -> Seeds:
    return Seeds(shared_data / "fivetran_ad_platforms" / "seeds")


@pytest.fixture(scope="module")
def fct_ad_spend(seeds: Seeds) -> pd.DataFrame:
    return pd.concat([seeds.rows(name, grain) for name in NAMES for grain in platform(name).grains], ignore_index=True)


def total(frame: pd.DataFrame, fields: list[str], divisor: int = 1) -> Decimal:
    return sum((Decimal(v) for f in fields for v in frame[f].dropna()), Decimal(0)) / divisor


def test_all_eleven_platforms_are_in_one_table_at_every_grain(fct_ad_spend: pd.DataFrame) -> None:
    assert tuple(fct_ad_spend.columns) == COLUMNS
    found = fct_ad_spend.groupby("grain")["platform"].nunique().to_dict()
    assert found == {"account": 11, "campaign": 11, "ad_group": 11, "ad": 11, "keyword": 6}
    assert not fct_ad_spend.duplicated(["platform", "grain", "entity", "report_date"]).any()
    assert fct_ad_spend[["entity", "report_date", "spend", "impressions", "clicks"]].notna().all().all()


@pytest.mark.parametrize("name", NAMES)
def test_each_platforms_totals_equal_those_of_its_reports(name: str, seeds: Seeds, fct_ad_spend: pd.DataFrame) -> None:
    spend, divisor, impressions, clicks = OWN[name]
    for grain, report in platform(name).grains.items():
        raw = seeds.read(name, report.table)
        mine = fct_ad_spend[(fct_ad_spend.platform == name) & (fct_ad_spend.grain == grain)]
        found: tuple[Any, ...] = (round(Decimal(mine.spend.sum()), 4), int(mine.impressions.sum()), int(mine.clicks.sum()))
        wanted = (round(total(raw, spend, divisor), 4), int(total(raw, impressions)), int(total(raw, clicks)))
        assert found == wanted, grain


def test_the_grains_total_what_the_platforms_do(seeds: Seeds, fct_ad_spend: pd.DataFrame) -> None:
    print()
    for grain in GRAINS:
        mine = fct_ad_spend[fct_ad_spend.grain == grain]
        wanted = sum(
            total(seeds.read(name, platform(name).grains[grain].table), OWN[name][0], OWN[name][1])
            for name in NAMES if grain in platform(name).grains
        )  # fmt: skip
        assert round(float(mine.spend.sum()), 3) == round(float(wanted), 3)
        print(f"{grain:<9} {mine.platform.nunique():>2} platforms {len(mine):>5} rows, spend {float(wanted):,.2f}")


def test_an_unknown_platform_or_grain_says_what_there_is() -> None:
    with pytest.raises(LakehouseError, match=r"'myspace' is no platform with a mapping. Valid: amazon_ads"):
        platform("myspace")
    with pytest.raises(LakehouseError, match=r"meta_ads has no report by keyword. Valid: account, campaign"):
        platform("meta_ads").select("keyword", "t")
    with pytest.raises(LakehouseError, match=r"tiktok_ads by ad finds account_id.*in ad_history"):
        platform("tiktok_ads").select("ad", "t")
