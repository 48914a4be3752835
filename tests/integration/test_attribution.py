"""Journeys and credit made by Spark are those of the mathematics on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from jobs.gold.fct_attribution import fct_attribution
from jobs.gold.fct_touchpoints import LOOKBACK_DAYS, fct_touchpoints
from lakehouse.delta.session import open_session
from lakehouse.science.attribution.breakdown import break_down
from lakehouse.science.attribution.journeys import Journeys, build_journeys
from lakehouse.settings import Settings
from tests.bench.attribution import visits

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
SPEND = "SELECT 'email' AS channel, 'newsletter' AS campaign, DATE'2026-10-05' AS date_id, CAST(7.5 AS decimal(12,2)) AS spend"


@pytest.fixture(scope="module")
def both(stack: Settings) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, Journeys]]:
    """(touchpoints and credit by Spark, journeys by pandas) of the same 3,000 visits."""
    with open_session() as spark:
        made = visits(spark, 3000)
        made.createOrReplaceTempView("web_sessions")
        touchpoints = spark.sql(str(fct_touchpoints.function(None)))
        seen = made.toPandas().rename(columns={"visitor_id": "customer", "started_at": "at", "revenue": "value", "session_date": "day"})
        journeys = build_journeys(seen.drop(columns="value"), seen[seen["orders"] > 0][["customer", "at", "value"]], LOOKBACK_DAYS)
        credit = fct_attribution.function(touchpoints, spark.sql(SPEND)).toPandas()
        yield touchpoints.toPandas(), credit, journeys


def test_every_visit_is_in_the_journey_it_belongs_to(both: Any) -> None:
    touchpoints, _, journeys = both
    joined = touchpoints.merge(journeys.touches, on="web_session_id", suffixes=("", "_known"))
    assert len(joined) == len(touchpoints) == 3000
    pairs = joined[["journey_id", "journey"]].drop_duplicates()
    assert pairs["journey_id"].is_unique
    assert pairs["journey"].is_unique
    assert ((joined["conversions"] == 0) == joined["lost"]).all()
    assert joined["value"].astype(float).sum() == pytest.approx((joined["conversions"] * 50).sum())


def test_every_method_credits_what_it_credits_on_one_machine(both: Any) -> None:
    _, credit, journeys = both
    keys = ["channel", "campaign", "day"]
    paid = credit[credit["campaign"] == "newsletter"]
    assert set(paid["cost"].astype(float)) == {7.5}
    assert len(paid) == credit["method"].nunique() == 10
    for method, rows in credit.drop(paid.index).groupby("method"):
        expected = break_down(journeys.paths, journeys.touches, str(method)).set_index(keys)["conversions"]
        found = rows.rename(columns={"date_id": "day"}).set_index(keys)["conversions"].astype(float)
        expected = expected[expected > 1e-9]
        assert found.reindex(expected.index).to_numpy() == pytest.approx(expected.to_numpy(), abs=2e-6), method
        assert found.sum() == pytest.approx(expected.sum(), abs=1e-3)


def test_rows_of_a_channel_add_up_to_its_interval_over_visitors(both: Any) -> None:
    touchpoints, credit, _ = both
    assert (credit["conversions_low"] <= credit["conversions"].astype(float) + 1e-6).all()
    assert (credit["conversions_high"] >= credit["conversions"].astype(float) - 1e-6).all()
    last = credit[credit["method"] == "last"].groupby("channel")[["conversions_low", "conversions_high"]].sum()
    half = (last["conversions_high"] - last["conversions_low"]) / 2
    ends = touchpoints[touchpoints["days_before_end"] == 0]
    bought = ends.pivot_table(index="visitor_id", columns="channel", values="conversions", aggfunc="sum").reindex(columns=last.index)
    bought = bought.reindex(touchpoints["visitor_id"].unique()).fillna(0)
    over_visitors = 1.645 * (len(bought) * bought.var()) ** 0.5
    ratio = half / over_visitors
    assert ratio.min() > 0.5
    assert ratio.max() < 1.8
    assert 0.75 < ratio.mean() < 1.3
