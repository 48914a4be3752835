"""What a customer cost through each channel, what they brought, and a thin channel held near all: on data of known truth."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lakehouse.delta.session import open_session
from lakehouse.graph import load
from lakehouse.science.value import acquisition, pooled_means
from lakehouse.settings import REPOSITORY, Settings

pytestmark = pytest.mark.integration
CHANNELS = {"paid_search": (400, 30.0), "paid_social": (300, 10.0), "email": (200, 20.0), "direct": (3, 20.0)}
"""Customers won, and the mean margin of their first order in truth."""
FIRST, SPEND = date(2026, 6, 1), {"paid_search": 4000.0, "paid_social": 6000.0}


@pytest.fixture(scope="module")
def company() -> pd.DataFrame:
    """One order and line per customer won, margins normal with a spread of 8; nobody buys again."""
    draw, rows = np.random.default_rng(5), []
    for channel, (won, mean) in CHANNELS.items():
        rows += [(channel, float(np.round(draw.normal(mean, 8), 2))) for _ in range(won)]
    frame = pd.DataFrame(rows, columns=["channel", "margin"])
    return frame.assign(customer_id=[f"C{i}" for i in frame.index], date_id=[FIRST + timedelta(days=i % 20) for i in frame.index])


@pytest.fixture(scope="module")
def measured(stack: Settings, company: pd.DataFrame) -> pd.DataFrame:
    """The table made of them by channel, of the one month in which all were won."""
    table = load(REPOSITORY / "jobs")["agg_channel_acquisition"]
    with open_session() as spark:

        def shown(name: str, frame: pd.DataFrame, schema: str) -> None:
            spark.createDataFrame(list(frame.itertuples(index=False, name=None)), schema).selectExpr(
                *(f"CAST({c.split()[0]} AS {c.split()[1]}) AS {c.split()[0]}" for c in TYPES[name].split(", "))
            ).createOrReplaceTempView(name)

        later = pd.DataFrame([("direct", "late", FIRST + timedelta(days=60), False, False)])
        orders = company.assign(first=True, cancelled=False)[["channel", "customer_id", "date_id", "first", "cancelled"]]
        shown("fct_orders", pd.concat([orders.set_axis(range(5), axis=1), later]), ORDERS)
        lines = company.assign(status="delivered", quantity=1, product_id="P")
        shown("fct_order_lines", lines[["customer_id", "date_id", "status", "margin", "quantity", "product_id"]], LINES)
        spent = pd.DataFrame([(name, FIRST, euro) for name, euro in SPEND.items()])
        shown("fct_ad_spend", spent, "channel string, date_id date, spend double")
        shown("dim_product", pd.DataFrame([("P", 0.0)]), "product_id string, cost double")
        made: Any = spark.sql(table.function(**{i.name: i.name for i in table.inputs})).toPandas()
    return made.set_index("channel")


ORDERS = "channel string, customer_id string, date_id date, is_first_order boolean, is_cancelled boolean"
LINES = "customer_id string, date_id date, status string, net_amount double, quantity int, product_id string"
TYPES = {
    "fct_orders": ORDERS, "fct_order_lines": LINES.replace("net_amount double", "net_amount decimal(12,2)"),
    "fct_ad_spend": "channel string, date_id date, spend decimal(12,2)", "dim_product": "product_id string, cost decimal(12,2)",
}  # fmt: skip


def test_cost_margin_and_payback_are_those_of_the_function(measured: pd.DataFrame, company: pd.DataFrame):
    channels = pd.DataFrame([(c, SPEND.get(c, 0.0), won) for c, (won, _) in CHANNELS.items()], columns=["channel", "spend", "customers"])
    margins = company.groupby("channel", as_index=False)["margin"].sum().assign(period=0)
    known = acquisition(channels, margins)
    for name in CHANNELS:
        assert measured.loc[name, "customers"] == known.loc[name, "customers"]
        assert measured.loc[name, "cost"] == pytest.approx(known.loc[name, "cost"])
        assert float(measured.loc[name, "margin"]) == pytest.approx(known.loc[name, "margin"])
    assert measured.loc["paid_search", "payback_days"] == 0 and pd.isna(measured.loc["paid_social", "payback_days"])


def test_a_channel_with_three_customers_is_held_near_all_and_a_large_one_keeps_its_own_mean(measured: pd.DataFrame, company: pd.DataFrame):
    sums = company.assign(squares=company["margin"] ** 2).groupby("channel")
    known = pooled_means(sums.agg(count=("margin", "size"), total=("margin", "sum"), squares=("squares", "sum")))
    own = sums["margin"].mean()
    for name, (_, truth) in CHANNELS.items():
        said = [float(measured.loc[name, column]) for column in ("margin_each_low", "margin_each", "margin_each_high")]
        assert said == pytest.approx(known.loc[name, ["low", "mean", "high"]].to_list(), rel=1e-6)
        assert said[0] < truth < said[2]
    moved = (measured["margin_each"] - own).abs()
    assert moved["direct"] > 10 * moved[["paid_search", "paid_social", "email"]].max()
    assert known["weight"]["paid_search"] > 0.99 > known["weight"]["direct"]
