"""Segments that keep their numbers from training to training, who moved between them, their rules, and whom campaigns reach."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lakehouse.delta.session import open_session
from lakehouse.graph import Graph, load
from lakehouse.run.build import Builder, conforming
from lakehouse.settings import REPOSITORY, Settings
from tests.models.at_hand import at_hand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
DAY, BEFORE, PEOPLE = date(2026, 11, 18), date(2026, 10, 21), 240
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
RFM = ("recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d", "web_share_28d")
ROWS = "customer_id string, as_of_date date, " + ", ".join(f"{name} double" for name in RFM)


def who(number: int) -> str:
    return f"C{number:05d}"


def features(kinds: np.ndarray, basket: float, seed: int) -> pd.DataFrame:
    """Customers of three kinds: often in the shop, now and then on the web, hardly ever; with the spending that a basket makes."""
    draw, n = np.random.default_rng(seed), len(kinds)
    orders = np.array([12.0, 5.0, 0.0])[kinds] + draw.integers(0, 2, n) * (kinds < 2)
    price = np.array([10.0, basket, 10.0])[kinds] + draw.normal(0, 1, n)
    made = {
        "recency_days": np.where(kinds == 2, 26, 3) + draw.random(n), "tenure_days": 28.0, "orders_7d": np.floor(orders / 4),
        "orders_28d": orders, "spend_28d": np.round(orders * price, 2), "web_share_28d": np.array([0.05, 0.9, 0.0])[kinds],
        "mean_basket_28d": np.where(orders > 0, price, 0.0),
    }  # fmt: skip
    return pd.DataFrame(made)


class Made:
    """The tables by name, each made by its job from the frames given before it and held to its contract."""

    def __init__(self, spark: Any, graph: Graph) -> None:
        self.spark, self.graph, self.frames, self.models = spark, graph, {}, {}

    def give(self, name: str, rows: list[tuple[Any, ...]], schema: str) -> None:
        self.frames[name] = self.spark.createDataFrame(rows, schema)

    def out(self, name: str, day: date = DAY, **models: Any) -> Any:
        table = self.graph[name]
        given = {i.name: models[i.name] if i.mode == "model" else self.frames[i.name] for i in table.inputs}
        if not table.returns_sql:
            return conforming(table, table.function(**given, as_of=day))
        return Builder(self.spark, table, day, {})(given)


@pytest.fixture(scope="module")
def made(stack: Settings) -> Any:
    with open_session() as spark:
        yield Made(spark, load(REPOSITORY / "jobs"))


@pytest.fixture(scope="module")
def segments(made: Made) -> dict[str, Any]:
    """Two trainings, the shop's visitors worth most in the first and the web's in the second; segments of both days, with what came of
    240 customers: ten of the web do not come back, five are new, the last two are gone."""
    kinds = np.arange(PEOPLE) % 3
    job, spark, fitted = made.graph["customer_segments"], made.spark, {}
    for version, basket in ((1, 15.0), (2, 60.0)):
        rows = features(kinds, basket, version).assign(customer_id=[who(n) for n in range(PEOPLE)], part="later")
        predecessor = fitted[1].estimator if version == 2 else None
        fitted[version] = job.function(spark.createDataFrame(rows), predecessor)
    left = np.flatnonzero(kinds == 1)[:10]
    then, now = features(kinds, 60.0, 3), features(np.where(np.isin(np.arange(PEOPLE), left), 2, kinds), 60.0, 4)
    fresh = features(np.zeros(5, dtype=np.int64), 60.0, 5)
    days = [(then, BEFORE, range(PEOPLE)), (now.iloc[: PEOPLE - 2], DAY, range(PEOPLE - 2)), (fresh, DAY, range(900, 905))]
    facts = [(who(n), day, *row) for frame, day, numbers in days for n, row in zip(numbers, frame.itertuples(index=False), strict=True)]
    made.give("rows", facts, ROWS + ", mean_basket_28d double")
    rows = made.frames["rows"]
    made.frames["feat_customer_rfm"] = rows.drop("mean_basket_28d").withColumn("spend_28d", rows.spend_28d.cast("decimal(14,2)"))
    made.frames["feat_customer_behaviour"] = rows.selectExpr(
        "customer_id", "as_of_date", "mean_basket_28d", "if(web_share_28d > 0.5, 'AT', 'DE') AS country", "'private' AS segment"
    )
    scored = []
    for version, day in ((1, BEFORE), (2, DAY)):
        model = at_hand("customer_segments", version, fitted[version].features, fitted[version].estimator)
        scored.append(made.out("pred_customer_segment", day, customer_segments=model).toPandas())
    told = pd.concat(scored, ignore_index=True)
    schema = ", ".join(f"{c.name} {c.type}" for c in made.graph["pred_customer_segment"].columns)
    made.give("pred_customer_segment", list(told.itertuples(index=False, name=None)), schema)
    return {"fitted": fitted, "told": told, "kinds": kinds}


def test_a_segment_keeps_its_number_though_its_customers_are_worth_more_than_others_by_now(segments: dict[str, Any]) -> None:
    first, second = (segments["fitted"][version] for version in (1, 2))
    assert first.metrics["segments"] == second.metrics["segments"] == second.metrics["continued"] == 3 and "continued" not in first.metrics
    worth = [one.estimator.profile["mean_value"] for one in (first, second)]
    assert worth[0].idxmax() == 0 and worth[1].idxmax() == 1  # a second numbering by value would call the web's customers 0
    told = segments["told"]
    assert told.groupby("as_of_date")["model_version"].unique().map(list).to_dict() == {BEFORE: [1], DAY: [2]}
    known = told[(told["as_of_date"] == BEFORE)].set_index("customer_id")["segment"]
    assert (known == segments["kinds"]).mean() > 0.98
    assert "Rules that describe them" in first.figures["report.html"] and min(f.metrics["rules_right"] for f in (first, second)) > 0.95


def test_who_moved_between_two_days_is_counted_with_what_they_spend(made: Made, segments: dict[str, Any]) -> None:
    found = made.out("pred_segment_migration").toPandas().set_index(["segment_before", "segment_now"])
    assert found["customers"].to_dict() == {
        ("0", "0"): 80, ("1", "1"): 69, ("1", "2"): 10, ("1", "gone"): 1, ("2", "2"): 79, ("2", "gone"): 1, ("new", "0"): 5
    }  # fmt: skip
    assert found.loc[("1", "2"), "share_of_before"] == pytest.approx(10 / 80)
    assert found.loc[("1", "2"), "spend_moved"] < 300 < found.loc[("1", "2"), "spend_before"]
    assert found.loc[("new", "0"), "spend_before"] == 0 < found.loc[("new", "0"), "spend_moved"]
    assert found.loc[("0", "0"), "spend_moved"] == 0 and not found["is_same_model"].any()
    assert set(found["before_date"]) == {BEFORE} and made.out("pred_segment_migration", BEFORE).count() == 0


def test_each_segment_has_a_rule_that_says_how_often_it_errs_and_where_its_customers_live(made: Made, segments: dict[str, Any]) -> None:
    found = made.out("pred_segment_profile").toPandas().set_index("segment")
    assert found["customers"].sum() == PEOPLE + 3 and found["share"].sum() == pytest.approx(1) == found["spend_share"].sum()
    assert found["rule_precision"].min() > 0.9 and found["rule_recall"].min() > 0.9 and found["rule"].str.contains("[<>≤]").all()
    assert found["country"].to_dict() == {0: "DE", 1: "AT", 2: "DE"} and found.loc[1, "country_share"] == 1
    print(found[["words", "rule", "rule_precision", "rule_recall"]].to_string())


def reached(made: Made) -> pd.DataFrame:
    """1,200 customers, half agreed to mail; of Austria few get the newsletter, of the 20 in Malta nobody; ages of 300 are known."""
    draw = np.random.default_rng(6)
    country = ["MT" if n < 20 else "AT" if n < 400 else "DE" for n in range(1200)]
    people = [(who(n), DAY, country[n], "business" if n % 5 == 0 else "private", n % 2) for n in range(1200)]
    described = "customer_id string, as_of_date date, country string, segment string, has_email_consent int"
    made.give("feat_customer_behaviour", people, described)
    ages = [(who(n), DAY, ("18-29", "60+")[n % 4 // 2]) for n in range(300)]
    made.give("feat_customer_survey", ages, "customer_id string, as_of_date date, age_group string")
    chance = {"MT": 0.0, "AT": 0.2, "DE": 0.6}
    offers = [
        (who(n), DAY, "none" if n % 2 == 0 or draw.random() > chance[country[n]] else "mail: newsletter") for n in range(1200)
    ] + [(who(1), BEFORE, "shop: invitation")]  # fmt: skip
    made.give("pred_next_best_offer", offers, "customer_id string, as_of_date date, offer string")
    sent = [(who(n), "sent", "list", NOON - timedelta(days=back)) for n in range(1, 1200, 2) for back in (3, 10)]
    sent += [(who(2), "sent", "offer", NOON + timedelta(days=1)), (who(2), "opened", "offer", NOON)]
    made.give("email_events", sent, "customer_id string, event string, campaign string, happened_at timestamp")
    return made.out("pred_campaign_reach").toPandas()


def test_a_group_that_offers_pass_by_is_flagged_and_small_groups_are_not_told_apart(made: Made) -> None:
    found = reached(made)
    mails = {(*one, among) for one in (("offer", "mail: newsletter"), ("sent", "list")) for among in ("all customers", "agreed to e-mail")}
    assert set(zip(found["kind"], found["campaign"], found["among"], strict=True)) == mails | {("offer", "any", "all customers")}
    flagged = found[found["disparate"]]
    assert set(zip(flagged["kind"], flagged["attribute"], flagged["group_name"], strict=True)) == {("offer", "country", "AT")}
    mailed = found[(found["campaign"] == "mail: newsletter") & (found["among"] == "agreed to e-mail") & (found["attribute"] == "country")]
    assert mailed.set_index("group_name")["customers"].to_dict() == {"AT": 190, "DE": 410}  # Malta's ten belong to the largest
    assert (mailed["low"] <= mailed["ratio"]).all() and (mailed["ratio"] <= mailed["high"]).all()
    ages = found[found["attribute"] == "age_group"]
    assert set(ages["group_name"]) == {"18-29", "60+"} and (found[found["kind"] == "sent"]["share"] <= 1).all()
    (rule,) = [r for r in made.graph["pred_campaign_reach"].checks if r.name == "reaches_all_groups_alike"]
    assert rule.level == 2 and rule.predicate == "NOT disparate"


def test_who_is_claimed_by_two_rules_has_one_group_whatever_the_order_in_which_equal_customers_come(made: Made) -> None:
    people = [
        (who(n), DAY, 0.9 if n >= 30 or n == 0 else 0.1, 20.0, 10.0, 1, 3.0 if n in (0, 60) else 28.0, 2, 15.0, n % 2) for n in range(80)
    ]
    schema = ("customer_id string, as_of_date date, churned double, spend_per_order double, value_1y double, model_version int, "
              "tenure_days double, repeat_days int, mean_repeat_spend double, segment bigint")  # fmt: skip
    told = []
    for rows in (people, people[::-1]):
        whole = made.spark.createDataFrame(rows, schema).coalesce(1)
        values = ("churned", "spend_per_order", "value_1y", "model_version")
        made.frames |= {
            "pred_customer_value": whole.select("customer_id", "as_of_date", *values),
            "pred_customer_segment": whole.select("customer_id", "as_of_date", "segment"),
            "pred_customer_attitude": whole.selectExpr("customer_id", "as_of_date", "'price' AS attitude").limit(0),
            "feat_customer_rfm": whole.select("customer_id", "as_of_date", "tenure_days", "repeat_days", "mean_repeat_spend"),
            "feat_customer_behaviour": whole.selectExpr(
                "customer_id", "as_of_date", "1 AS visits_28d", "1 AS pages_28d", "0 AS carts_28d", "0.5D AS phone_visit_share_28d",
                "1 AS has_email_consent",
            ),
        }  # fmt: skip
        told.append(made.out("pred_customer_audience").toPandas().set_index("customer_id").sort_index())
    assert told[0].equals(told[1])
    groups, claims = told[0]["marketing_group"], told[0]["claimed_by"]
    assert (groups[who(60)], claims[who(60)]) == ("new", "new; worth winning back; gone") and claims[who(0)] == "new; gone"
    assert groups.value_counts().to_dict() == {"segment 0": 14, "segment 1": 15, "gone": 26, "worth winning back": 23, "new": 2}


def test_a_company_without_customers_models_or_mails_has_empty_tables(made: Made) -> None:
    names = ("pred_segment_migration", "pred_segment_profile", "pred_campaign_reach")
    for name in {i.name for table in names for i in made.graph[table].inputs}:
        made.give(name, [], ", ".join(f"{c.name} {c.type}" for c in made.graph[name].columns))
    assert [made.out(name).count() for name in names] == [0, 0, 0]
