"""Demand foreseen and studies pooled as tables: on rows made here whose answer is known, and for a company that has none yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.gold.fct_studies import fct_studies
from jobs.models.study_pooling import study_pooling
from jobs.predictions.pred_demand import pred_demand
from jobs.predictions.pred_pooled_effect import pred_pooled_effect
from lakehouse.declare import NotEnoughData
from lakehouse.delta.session import open_session
from lakehouse.run.build import conforming
from lakehouse.science.pooling.bayes import believe
from lakehouse.science.pooling.served import QUESTIONS
from lakehouse.settings import Settings
from tests.models.at_hand import at_hand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
DAY = date(2026, 11, 18)


@pytest.fixture(scope="module")
def spark(stack: Settings) -> Iterator[Any]:
    """One session for the file."""
    with open_session() as session:
        yield session


def test_demand_is_foreseen_by_group_and_country_the_odd_day_is_marked_and_short_series_are_counted(spark: Any) -> None:
    draw, lines = np.random.default_rng(1), []
    for back in range(130):
        for product, customer, pieces in (("P1", "a", 20), ("P2", "b", 30), ("P2", None, 1 if back < 30 else 0)):
            quantity = int(draw.poisson(pieces)) * (5 if back == 0 and product == "P1" else 1)
            lines += [(f"{back}{product}{customer}", DAY - timedelta(days=back), product, customer, quantity)] * (quantity > 0)
    lines.append(("later", DAY + timedelta(days=1), "P1", "a", 10_000))  # not known at the end of the day
    columns = ["order_id", "date_id", "product_id", "customer_sk", "quantity"]
    sold = spark.createDataFrame(lines, "order_id string, date_id date, product_id string, customer_sk string, quantity int")
    people = spark.createDataFrame([("a", "DE"), ("b", "AT")], "customer_sk string, country string")
    products = spark.createDataFrame([("P1", "Tea"), ("P2", "Coffee")], "product_id string, category string")

    def foreseen(rows: Any) -> pd.DataFrame:
        made = pred_demand.function(rows.drop("customer_sk"), rows.select("order_id", "customer_sk"), people, products, DAY)
        return conforming(pred_demand, made).toPandas()

    assert columns == sold.columns
    found = foreseen(sold).set_index(["product_group", "region"]).sort_index()
    short = found[found["form"] == "left out"]
    assert set(short.index) == {("Coffee", "unknown"), ("all", "unknown")} and len(short) == 2
    known = found.drop(index=short.index)
    assert set(known.index) == {
        ("Tea", "DE"),
        ("Coffee", "AT"),
        ("Tea", "all"),
        ("Coffee", "all"),
        ("all", "DE"),
        ("all", "AT"),
        ("all", "all"),
    }
    assert (known.groupby(level=[0, 1])["day"].agg(["min", "max"]) == [DAY, DAY + timedelta(days=14)]).all(axis=None)
    assert (known["error"] <= known["naive_error"]).all() and (known["low"] <= known["high"]).all()
    today = known[known["day"] == DAY]
    assert today["is_unusual"].map(bool).to_dict() == {
        pair: pair in {("Tea", "DE"), ("Tea", "all"), ("all", "DE"), ("all", "all")} for pair in today.index
    }
    coffee = known.loc[("Coffee", "AT")]
    assert coffee.loc[coffee["day"] > DAY, "expected"].mean() == pytest.approx(30, rel=0.15)
    assert coffee.loc[coffee["day"] > DAY, "quantity"].isna().all()
    assert foreseen(sold.limit(0)).empty


def test_fifteen_campaigns_in_variants_are_pooled_and_fourteen_are_refused_by_number(spark: Any) -> None:
    draw, rows = np.random.default_rng(3), []
    for number in range(15):
        units = int(draw.integers(400, 3000))
        share, more = 0.1, 0.1 * float(np.exp(0.2 + draw.normal(0, 0.1)))
        for arm in "BC"[: 1 + (number == 0)]:
            rows.append((f"mail {number:02}", "clicked", arm, share, draw.binomial(units, more) / units, units, units))
    rows += [("mail 00", "unsubscribed", "B", 0.0, 0.0, 500, 500), ("blocked", "clicked", "B", None, None, 500, 900)]
    results = spark.createDataFrame(
        rows, "experiment string, kpi string, arm string, control double, treatment double, control_units bigint, arm_units bigint"
    )
    towns = spark.createDataFrame(
        [("posters", method, 4, 6, 12.0, 6.0, 18.0, 0.2) for method in ("synthetic control", "ridge augmented")],
        "campaign string, method string, treated bigint, controls bigint, effect double, low double, high double, lift double",
    )
    worth = spark.createDataFrame(
        [("newsletter", 100, 900, 5.0), ("newsletter", 120, 1000, 7.0)],
        "campaign string, held_out bigint, reached bigint, per_customer double",
    )
    studies = conforming(fct_studies, fct_studies.function(results, towns, worth)).toPandas()
    told = studies.set_index(["kind", "study"])
    assert len(studies) == 17 and told.loc[("ab", "mail 00"), "cells"] == 2
    assert told.loc[("descriptive", "newsletter"), ["effect", "units"]].tolist() == [6.0, 1120]
    assert told.loc[("lift", "posters"), "effect"] == pytest.approx(np.log(1.2))
    assert told.loc[("lift", "posters"), "error"] == pytest.approx(12 / 3.29 * 0.2 / 12 / 1.2)
    held = spark.createDataFrame(studies).where("true")
    with pytest.raises(NotEnoughData, match=r"1 lift studies: pooling asks for 10, 9 are missing.*clicked: 14 ab studies.*1 are missing"):
        study_pooling.function(held.where("study <> 'mail 07'"))
    fitted = study_pooling.function(held)
    assert "shop sales: 1 lift studies" in fitted.figures["report.html"] and "newsletter" not in fitted.figures["report.html"]
    version = at_hand("study_pooling", 2, QUESTIONS, fitted.estimator)
    found = conforming(pred_pooled_effect, pred_pooled_effect.function(held, version)).toPandas().set_index(["row", "study"])
    ab = studies[studies["kind"] == "ab"].sort_values("study")
    alone = believe(ab["effect"].to_numpy(), ab["error"].to_numpy() ** 2)
    mean, further = found.loc[("mean", "all studies")], found.loc[("prediction", "a further study")]
    assert (len(found), mean["studies"], mean["model_version"]) == (17, 15, 2)
    assert mean[["effect", "low", "high"]].tolist() == pytest.approx(np.expm1([alone.mean, alone.low, alone.high]))
    assert further[["low", "high"]].tolist() == pytest.approx(np.expm1([alone.next_low, alone.next_high]))
    assert mean["low"] < np.expm1(0.2) < mean["high"]
    assert found.loc["study"]["drawn_in"].std() < found.loc["study"]["effect"].std()
