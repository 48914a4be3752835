"""Experiments and media mix as tables and models: what mails in variants did, and what is said before there is enough to say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infra.world.company import BASELINE, CHANNELS, PAID, Company
from infra.world.day import simulate
from infra.world.population import begin
from jobs.gold.fct_experiment_results import fct_experiment_results
from jobs.gold.fct_geo_results import fct_geo_results
from jobs.gold.fct_holdout_value import fct_holdout_value
from jobs.models.experiment_readings import experiment_readings
from jobs.models.media_mix import media_mix
from jobs.predictions.pred_channel_contribution import pred_channel_contribution
from jobs.predictions.pred_channel_effect import pred_channel_effect
from lakehouse.declare import NotEnoughData
from lakehouse.delta.session import open_session
from lakehouse.science.media_mix.outcomes import weekly_contributions
from lakehouse.science.media_mix.served import QUESTIONS, ServedMix
from lakehouse.settings import Settings
from tests.models.at_hand import at_hand
from tests.science.media_mix.simulated import known_mix, market

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def spark(stack: Settings) -> Iterator[Any]:
    """One session for the file."""
    with open_session() as session:
        yield session


@pytest.fixture(scope="module")
def events(spark: Any) -> Any:
    """3,000 offers in two variants of which B is clicked more; the last mails are too young to count."""
    random, begin = np.random.default_rng(2), pd.Timestamp("2026-10-01 06:00")
    rows = []
    for number in range(3000):
        arm, sent = "AB"[int(random.integers(0, 2))], begin + pd.Timedelta(days=7 * (number % 5))
        mail = (f"offer {sent.date()}", "offer", arm, f"C{number}")
        rows.append((*mail, "sent", sent, False))
        if random.random() < 0.4:
            rows.append((*mail, "opened", sent + pd.Timedelta(hours=3), False))
            if random.random() < {"A": 0.1, "B": 0.3}[arm]:
                rows += [(*mail, "clicked", sent + pd.Timedelta(hours=4), False)] * 2
        rows.append((*mail, "clicked", sent, True))
    rows.append(("newsletter", "newsletter", None, "C1", "sent", begin, False))
    columns = ["mailing_id", "campaign", "variant", "customer_id", "event", "happened_at", "is_machine"]
    return spark.createDataFrame(pd.DataFrame(rows, columns=columns))


def test_the_better_variant_is_found_and_machines_and_young_mails_do_not_count(events: Any) -> None:
    found = fct_experiment_results.function(events).toPandas().set_index("kpi")
    assert set(found["experiment"]) == {"offer"}
    assert set(found["units"]) == {2400}
    clicked = found.loc["clicked"]
    assert (clicked["arm"], bool(clicked["significant"]), clicked["sample_ratio"]) == ("B", True, "as planned")
    assert clicked["low"] < 0.08 < clicked["high"]
    assert clicked["control"] < 0.1


def test_too_few_mails_give_no_result_yet(events: Any) -> None:
    few = events.where("customer_id < 'C1010' AND campaign = 'offer'")
    assert fct_experiment_results.function(few).toPandas().empty


def test_a_holdout_says_each_month_and_so_far_what_campaigns_were_worth(spark: Any) -> None:
    random, count = np.random.default_rng(4), 2000
    held = random.random(count) < 0.2
    who, drawn = [f"C{n}" for n in range(count)], pd.Timestamp("2026-08-01 06:00")
    lots = pd.DataFrame({"campaign": "universal holdout", "customer_id": who, "arm": np.where(held, "held out", "mailed")})
    lots = lots.assign(chance=0.8, assigned_at=drawn)
    day = pd.Timestamp("2026-08-05 12:00")
    rows = [(who[n], day + pd.Timedelta(days=31 * m), 20.0 + 5.0 * ~held[n] + random.normal()) for n in range(count) for m in (0, 1)]
    bought = pd.DataFrame([("C0", drawn - pd.Timedelta(days=9), 1e6), *rows], columns=["customer_id", "at", "value"])
    bought = bought.assign(day=bought["at"].dt.date)
    web = spark.createDataFrame(bought).selectExpr("customer_id", "at AS ordered_at", "day AS date_id", "value AS revenue")
    shops = (
        spark.createDataFrame(bought).selectExpr("customer_id", "at AS sold_at", "day AS sale_date", "value AS amount").where("value < 0")
    )
    found = fct_holdout_value.function(spark.createDataFrame(lots), web, shops).toPandas().sort_values("period")
    reached = int((~held).sum())
    assert [str(p) for p in found["period"]] == ["2026-08-01", "2026-09-01"]
    assert set(found["reached"]) == {reached}
    assert ((found["low"] < 5 * reached) & (5 * reached < found["high"])).all()
    assert found["cumulative"].iloc[-1] == pytest.approx(found["incremental"].sum())
    assert found["cumulative_low"].iloc[-1] < 10 * reached < found["cumulative_high"].iloc[-1]


@pytest.fixture(scope="module")
def towns(spark: Any) -> tuple[Any, Any]:
    """A plan of posters in four of ten towns, and the shops' sales: a fifth more where they hung."""
    random, names, starts, sold = np.random.default_rng(9), [f"town {n}" for n in range(10)], date(2026, 3, 30), []
    for number in range(57):
        on = starts + timedelta(days=number - 28)
        for n, town in enumerate(names):
            lift = 1.2 if n < 4 and number >= 28 else 1.0
            sold += [(town, on, float(random.normal(60 + 5 * n, 8)) * lift)] * (on.weekday() < 6)
    plan = [("posters", town, "treated" if n < 4 else "control", starts, date(2026, 4, 26)) for n, town in enumerate(names)]
    markets = spark.createDataFrame(plan, "campaign string, town string, arm string, starts_on date, ends_on date")
    return markets, spark.createDataFrame(sold, "town string, sale_date date, amount double")


def test_posters_in_four_of_ten_towns_are_found_in_the_shops_sales(towns: tuple[Any, Any]) -> None:
    markets, sales = towns
    found = fct_geo_results.function(markets, sales).toPandas()
    assert set(found["method"]) == {"synthetic control", "ridge augmented"}
    assert found["lift"].to_numpy() == pytest.approx(0.2, abs=0.06)
    assert fct_geo_results.function(markets, sales.where("sale_date < '2026-04-26'")).toPandas().empty


def test_each_experiment_has_its_report_page_with_charts_and_a_paragraph_in_plain_words(
    spark: Any, events: Any, towns: tuple[Any, Any]
) -> None:
    results, (markets, sales) = fct_experiment_results.function(events), towns
    figures = "period string, held_out bigint, reached bigint, per_customer double, incremental double, low double, high double"
    worth = spark.createDataFrame(
        [("newsletter", "2026-08-01", 200, 800, 5.0, 4000.0, 3000.0, 5000.0, 4000.0, 3000.0, 5000.0, 0.6, "as planned"),
         ("newsletter", "2026-09-01", 200, 800, 4.0, 3200.0, -100.0, 6500.0, 7200.0, 5000.0, 9400.0, 0.6, "as planned"),
         ("universal holdout", "2026-09-01", 500, 500, *[None] * 7, 1e-9, "blocked")],
        f"campaign string, {figures}, cumulative double, cumulative_low double, cumulative_high double, sample_ratio_p double, "
        "sample_ratio string",
    )  # fmt: skip
    fitted = experiment_readings.function(results, worth, markets, sales)
    pages = fitted.figures
    assert set(pages) == {"offer.html", "posters.html", "newsletter_by_lot.html", "universal_holdout_by_lot.html", "report.html"}
    assert "clicked was" in pages["offer.html"] and "in all" in pages["offer.html"]
    assert "ran from 2026-03-30 to 2026-04-25 in 4 of 10 towns" in pages["posters.html"]
    assert "it brought 7,200 EUR (90 % interval 5,000 to 9,400), more than chance explains" in pages["newsletter_by_lot.html"]
    assert "Figures are withheld" in pages["universal_holdout_by_lot.html"]
    assert (pages["posters.html"].count("<svg"), pages["newsletter_by_lot.html"].count("<svg")) == (4, 3)
    for said in ("clicked was", "in 4 of 10 towns", "it brought 7,200 EUR", "Figures are withheld"):
        assert said in pages["report.html"], "the page that Airflow links to holds them all"
    assert pages["report.html"].count("<svg") == sum(text.count("<svg") for name, text in pages.items() if name != "report.html")
    assert fitted.metrics["newsletter by lot_cumulative"] == 7200.0
    with pytest.raises(NotEnoughData, match="a campaign in variants needs 30 mails of each"):
        experiment_readings.function(results.where("experiment = 'none'"), worth.where("campaign = 'none'"), markets.limit(0), sales)


def test_a_media_mix_waits_for_a_year_of_whole_weeks_and_says_so(spark: Any) -> None:
    days = pd.date_range("2026-01-07", periods=80)
    rows = [(day.date(), channel, 10.0, 100.0) for day in days for channel in ("paid_search", "organic")]
    short = spark.createDataFrame(pd.DataFrame(rows, columns=["date_id", "channel", "spend", "revenue"]))
    with pytest.raises(NotEnoughData, match="10 whole weeks and 2 channels with spend; 52 weeks"):
        media_mix.function(short, {"lags": 8, "media_share": 0.3})


@pytest.mark.prove
@pytest.mark.timeout(3000)
@pytest.mark.skipif(os.environ.get("LAKEHOUSE_PROVE") != "full", reason="samples: LAKEHOUSE_PROVE=full")
def test_a_year_of_the_simulated_company_trains_a_media_mix(spark: Any) -> None:
    company = Company(5, "small", 2_000, date(2025, 9, 1))
    state, rows, caused = begin(company), [], np.zeros(len(CHANNELS))
    for _ in range(54 * 7):
        day = simulate(company, state)
        orders, on = day.orders, company.date(state.day)
        euros = np.bincount(orders.line_order, orders.amount_cents, len(orders.at)) / 100
        revenue = np.bincount(orders.channel, euros, len(CHANNELS))
        paid = orders.cause != BASELINE
        caused += np.bincount(orders.cause[paid], euros[paid], len(CHANNELS))
        spend = day.advertising.cents / 100
        rows += [(on, name, float(spend[at]), float(revenue[at])) for at, name in enumerate(CHANNELS)]
        state = day.after
    daily = pd.DataFrame(rows, columns=["date_id", "channel", "spend", "revenue"])
    fitted = media_mix.function(spark.createDataFrame(daily), {"lags": 8, "media_share": 0.3})
    served = fitted.estimator.table(fitted.estimator.answers[list(QUESTIONS)])
    paid_for = {CHANNELS[at]: caused[at] / daily.loc[daily["channel"] == CHANNELS[at], "spend"].sum() for at in PAID}
    said = {name: round(fitted.metrics[f"roas_{name}"], 2) for name in paid_for}
    print(f"ROAS caused { ({name: round(value, 2) for name, value in paid_for.items()}) }, found {said}; {fitted.metrics}")
    assert fitted.metrics["weeks"] == 54
    assert fitted.metrics["worst_r_hat"] < 1.01
    assert (served["roas_low"].dropna() <= served["roas_high"].dropna()).all()
    assert "report.html" in fitted.figures
    plan = fitted.estimator.plan(daily, weeks=4, change=(0.5, 2.0))
    print(plan.T.to_string())
    assert plan["recommended_spend"].sum() == pytest.approx(plan["total"].iloc[0], abs=0.01)
    assert plan["left_on_table"].iloc[0] >= 0


TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


def test_each_week_of_a_channel_gets_the_contribution_of_the_mix_served(spark: Any) -> None:
    mix = known_mix(market(*TRUTH)[0], *TRUTH, spread=0.1)
    day = mix.data.dates[10].date()
    rows = [(day + timedelta(days=d), "channel_0", 5.0, 50.0) for d in range(7)] + [(day, "radio", 5.0, 50.0)]
    daily = spark.createDataFrame(pd.DataFrame(rows, columns=["date_id", "channel", "spend", "revenue"]))
    found = pred_channel_contribution.function(daily, at_hand("media_mix", 3, QUESTIONS, ServedMix.of(mix))).toPandas()
    weeks = weekly_contributions(mix)
    expected = weeks[(weeks["channel"] == "channel_0") & (weeks["date"] == mix.data.dates[10])].iloc[0]
    assert found[["channel", "week_start", "model_version"]].to_numpy().tolist() == [["channel_0", day, 3]]
    assert float(found["spend"].iloc[0]) == 35.0
    assert found["contribution"].iloc[0] == pytest.approx(expected["mean"])


def test_the_one_answer_of_a_month_and_its_places_waits_for_a_media_mix_and_names_its_evidence(spark: Any) -> None:
    def frame(rows: list[Any], columns: str) -> Any:
        return spark.createDataFrame(rows, columns)

    day, month = "2026-09-14", "2026-09-01"
    mix = [("paid_search", day, 500.0, 1.0, 4.0), ("paid_search", "2026-09-21", 500.0, 1.0, 4.0), ("paid_social", day, 300.0, 0.5, 2.0)]
    weeks = frame(mix, "channel string, week_start string, contribution double, roas_low double, roas_high double")
    credit = frame(
        [("markov_1", True, "paid_search", day, 2000.0, 1800.0, 2200.0, 20.0), ("markov_2", False, "paid_search", day, 9e9, 0.0, 1e10, 1.0),
         ("markov_1", True, "email", day, 900.0, 800.0, 1000.0, 9.0)],
        "method string, is_chosen boolean, channel string, date_id string, value double, value_low double, value_high double, "
        "conversions double",
    )  # fmt: skip
    worth = frame(
        [("newsletter", month, 700.0, 600.0, 800.0), ("universal holdout", month, 9.0, 8.0, 10.0)],
        "campaign string, period string, incremental double, low double, high double",
    ).selectExpr("campaign", "CAST(period AS date) AS period", "incremental", "low", "high")
    daily = frame([(day, 20, 9000.0), (day, 15, 1000.0)], "date_id string, orders bigint, revenue double")
    live = [("a", "Berlin", "DE"), ("b", "Bonn", "DE"), ("c", "Lyon", "FR")]
    customers = frame(live, "customer_sk string, city string, country string")
    bought = [(day, "paid_search", sk, 2000.0, False) for sk in ("a", "a", "b", "c", "c", None)] + [(day, "email", "a", 9e9, True)]
    orders = frame(bought, "date_id string, channel string, customer_sk string, revenue double, is_cancelled boolean")
    shops = frame([("Berlin", day, 3000.0), ("Rome", day, 500.0)], "town string, sale_date string, amount double")
    plan = [("posters 1", town, arm, date(2026, 9, 1), date(2026, 9, 10)) for town, arm in (("Berlin", "treated"), ("Lyon", "control"))]
    markets = frame(plan, "campaign string, town string, arm string, starts_on date, ends_on date")
    read = [("posters 1", name, 1, 9, of * 300.0, of * 20.0, of * 40.0) for name, of in (("synthetic control", 1), ("ridge augmented", 9))]
    geo = frame(read, "campaign string, method string, treated int, days int, incremental double, low double, high double")

    def asked(contributions: Any) -> pd.DataFrame:
        told = (contributions, credit, worth, geo, markets, daily, orders, customers, shops)
        return pred_channel_effect.function(*told).toPandas()

    answers = asked(weeks)
    found = answers[answers["geography"] == "all"].set_index("channel")
    assert found["evidence"].to_dict() == {
        "paid_search": "media mix, attribution", "paid_social": "media mix", "email": "experiment newsletter, attribution",
        "outdoor": "experiment posters 1 in places",
    }  # fmt: skip
    assert {str(period) for period in answers["period"]} == {month}
    assert found.loc["paid_search", "media_mix"] == pytest.approx(1000, rel=0.1)
    assert found.loc["email", "low"] < 700 < found.loc["email", "high"]
    by_place = answers[answers["geography"] != "all"]
    assert by_place.groupby("channel")["effect"].sum().to_dict() == pytest.approx(found["effect"].to_dict())
    search = by_place[by_place["channel"] == "paid_search"].set_index("geography")["effect"]
    assert set(search.index) == {"DE: Berlin", "DE: elsewhere", "FR: Lyon", "unknown"}
    assert search["DE: Berlin"] == search.max() and search["FR: Lyon"] > search["DE: elsewhere"]
    assert by_place[by_place["channel"] == "outdoor"][["geography", "evidence"]].to_numpy().tolist() == [
        ["DE: Berlin", "experiment posters 1 here, shares of sales by place"]
    ]
    assert asked(weeks.where("channel = 'none'")).empty
