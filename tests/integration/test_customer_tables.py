"""Features from surveys and mails, attitudes, audiences, decisions: each job on a small company of known answers, as Spark computes it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.models.newsletter_uplift import COLUMNS as MOVED
from jobs.predictions.pred_model_drift import WATCHED
from lakehouse.declare import NotEnoughData
from lakehouse.delta.session import open_session
from lakehouse.graph import load
from lakehouse.run.build import conforming
from lakehouse.settings import REPOSITORY, Settings
from tests.models.at_hand import at_hand

pytestmark = pytest.mark.integration
DAY, PEOPLE = date(2026, 11, 18), 240
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
KINDS = ("quality", "price", "convenience", "responsibility")


def who(number: int) -> str:
    return f"C{number:05d}"


def answers() -> list[tuple[Any, ...]]:
    """One questionnaire of each of 200 by their kind; the second ticked one column, the third sent two, the first another yesterday,
    to be exported on Monday."""
    draw = np.random.default_rng(8)
    rows = []
    for n in range(200):
        own = np.arange(12) // 3 == n % 4
        given = np.clip(np.rint(2.5 + 1.7 * own + draw.normal(0, 0.5, 12)), 1, 5).astype(int).tolist()
        rows.append((f"R{n}", who(n), NOON - timedelta(days=3), *given, 8, "30-44", "a friend", False))
    rows[1] = (*rows[1][:3], *([3] * 12), 8, "30-44", "a friend", True)
    rows.append(("late", who(0), NOON - timedelta(days=1), *([1, 1, 1, 5, 5, 5] + [2] * 6), 1, "60+", "e-mail", False))
    rows.append(("again", who(2), NOON - timedelta(days=2, hours=14), *([5, 5, 5] + [1] * 9), 9, "30-44", "press", False))
    return rows


def events() -> list[tuple[Any, ...]]:
    """The first got four mails in a week and opened one, a program another; the second's mailbox is not there; one mail is of tomorrow."""
    sent = [(f"m{n}", who(0), "sent", NOON - timedelta(days=n), False, False) for n in range(4)]
    told = [
        *sent, ("m9", who(0), "sent", NOON - timedelta(days=20), False, False), ("m0", who(0), "opened", NOON, False, False),
        ("m1", who(0), "opened", NOON - timedelta(days=1), True, False), ("m5", who(0), "sent", NOON + timedelta(days=1), False, False),
        ("m1", who(1), "sent", NOON, False, False), ("m1", who(1), "bounced", NOON, False, True),
    ]  # fmt: skip
    return [(*event, "offer" if event[0] in ("m0", "m3") else "newsletter") for event in told]


@pytest.fixture(scope="module")
def made(stack: Settings) -> dict[str, Any]:
    """Every table by name, made by its job from frames and held to its contract; customers 1 to 240, worth less and less."""
    graph, found = load(REPOSITORY / "jobs"), {}
    needs = [c.name for c in graph["feat_customer_survey"].columns if c.name.startswith("need_")]
    with open_session() as spark:
        frames: dict[str, Any] = {}

        def given(name: str, rows: list[tuple[Any, ...]], schema: str) -> None:
            frames[name] = spark.createDataFrame(rows, schema)

        def run(name: str, **models: Any) -> None:
            table = graph[name]
            arguments = {i.name: models.get(i.name, frames.get(i.name)) for i in table.inputs}
            out = conforming(table, table.function(**arguments, as_of=DAY))
            found[name] = out.toPandas().set_index("customer_id").sort_index()
            frames[name] = spark.createDataFrame(found[name].reset_index(), out.schema) if len(found[name]) else out

        there = [(who(n), NOON - timedelta(days=60)) for n in range(PEOPLE) if n != 5]
        given("customers", there, "customer_id string, created_at timestamp")
        asked = ", ".join(f"{name} tinyint" for name in needs)
        given("survey_answers", answers(), f"answer_id string, customer_id string, submitted_at timestamp, {asked}, "
              "recommendation tinyint, age_group string, heard_of_us_by string, is_straight_line boolean")  # fmt: skip
        given("email_events", events(), "mailing_id string, customer_id string, event string, happened_at timestamp, is_machine boolean, "
              "is_hard_bounce boolean, campaign string")  # fmt: skip
        given("campaign_assignments", [(who(n), "newsletter", "mailed" if n else "held out", NOON - timedelta(days=n)) for n in range(3)],
              "customer_id string, campaign string, arm string, assigned_at timestamp")  # fmt: skip
        run("feat_customer_survey")
        run("feat_customer_contacts")
        attitudes = graph["customer_attitudes"]
        with pytest.raises(NotEnoughData, match="2 customers answered a survey; 60 are needed"):
            attitudes.function(frames["feat_customer_survey"].limit(2), dict(attitudes.parameters))
        fitted = attitudes.function(frames["feat_customer_survey"], dict(attitudes.parameters))
        assert "<svg" in fitted.figures["report.html"] and fitted.metrics["structured"] == 1
        run("pred_customer_attitude", customer_attitudes=at_hand("customer_attitudes", 3, fitted.features, fitted.estimator))
        days = [DAY - timedelta(days=back) for back in range(3)]
        value = [(who(n), day, 0.9 if n == 7 else 0.1, 20.0, float(PEOPLE - n), 1) for n in range(PEOPLE) for day in days]
        given("pred_customer_value", value, "customer_id string, as_of_date date, churned double, spend_per_order double, value_1y double, "
              "model_version int")  # fmt: skip
        given("pred_customer_segment", [(who(n), DAY, n % 2) for n in range(PEOPLE)], "customer_id string, as_of_date date, segment bigint")
        known = [(who(n), DAY, 3.0 if n == 9 else 28.0, 2, float(PEOPLE - n), 5 if n == 11 else 1) for n in range(PEOPLE)]
        given("feat_customer_rfm", known,
              "customer_id string, as_of_date date, tenure_days double, repeat_days int, mean_repeat_spend double, "
              "orders_28d int")  # fmt: skip
        given("feat_customer_behaviour", [(who(n), DAY, (PEOPLE - n) // 20, 1, 0, 0.5, 1) for n in range(PEOPLE)],
              "customer_id string, as_of_date date, visits_28d int, pages_28d int, carts_28d int, phone_visit_share_28d double, "
              "has_email_consent int")  # fmt: skip
        run("pred_customer_audience")

        class Tenner:
            """The newsletter brings ten euros with everybody, nothing after many orders. Local: Spark's workers get it by value."""

            def table(self, features: pd.DataFrame) -> pd.DataFrame:
                return pd.DataFrame({"effect": 10.0, "effect_left": (features["orders_28d"] < 5).astype(float)}, index=features.index)

        run("pred_next_best_offer", newsletter_uplift=at_hand("newsletter_uplift", 2, ["orders_28d"], Tenner()))
        watched(graph["pred_model_drift"], frames, given, found)
        found["newsletter"] = trained(graph["newsletter_uplift"], frames, given)
    return found


def trained(model: Any, frames: dict[str, Any], given: Any) -> Any:
    """The newsletter's model, learnt where it brings more to who buys more and where each further mail costs a tenth of the attention."""
    draw, names = np.random.default_rng(12), [name for name in MOVED if name != "orders_28d"]
    rows, contacts = [], []
    for n in range(600):
        lot, bought = int(draw.random() < 0.75), int(draw.poisson(1.0))
        after = int(draw.poisson(0.4 + 0.3 * bought + 0.4 * lot * bought))
        facts = (bought, *draw.gamma(2.0, 3.0, len(names)).tolist())
        part, day = ("later", DAY) if n % 2 else ("earlier", DAY - timedelta(days=30))
        rows.append((who(n), day, part, 1, lot, 9.0 * after, after, "ABCD"[n % 4], "DE", *facts))
        load = 1.0 + 4.0 * lot
        contacts.append((who(n), DAY, lot, 4, int(draw.binomial(4, 0.5 * np.exp(-0.105 * load))), load))
    stated = ", ".join(f"{name} double" for name in names)
    given("feat_purchase_training", rows, "customer_id string, as_of_date date, part string, has_email_consent int, newsletter_lot int, "
          f"spend_after double, order_days_after int, segment string, country string, orders_28d int, {stated}")  # fmt: skip
    given("feat_customer_contacts", contacts, "customer_id string, as_of_date date, newsletter_lot int, offers_28d int, "
          "offers_opened_28d int, contact_pressure double")  # fmt: skip
    return model.function(*(frames[i.name] for i in model.inputs), dict(model.parameters))


def watched(table: Any, frames: dict[str, Any], given: Any, found: dict[str, Any]) -> None:
    """Drift of the models served, where baskets have become a hundred times larger since; and of a company without anybody."""
    names = sorted({name for columns in WATCHED.values() for name in columns})
    draw, stated = np.random.default_rng(11), ", ".join(f"{name} double" for name in names)
    people = [(who(n), DAY, *draw.gamma(2.0, 3.0, len(names)).tolist()) for n in range(PEOPLE)]
    training = [("later", *draw.gamma(2.0, 3.0, len(names)).tolist()) for _ in range(400)]
    basket = names.index("mean_basket_28d") + 2
    given(
        "feat_customer_rfm",
        [(*p[:basket], p[basket] * 100, *p[basket + 1 :]) for p in people],
        f"customer_id string, as_of_date date, {stated}",
    )
    given("feat_customer_behaviour", [p[:2] for p in people], "customer_id string, as_of_date date")
    given("feat_purchase_training", training, f"part string, {stated}")
    given("pred_customer_segment", [], "customer_id string, as_of_date date, segment bigint, model_version int")  # none is served
    for name, limit in (("pred_model_drift", 10_000), ("of nobody", 0)):
        out = table.function(**{i.name: frames[i.name].limit(limit) for i in table.inputs}, as_of=DAY)
        found[name] = conforming(table, out).toPandas()


def test_a_survey_counts_from_when_it_was_exported_and_neither_carelessly_nor_of_who_is_erased(made: dict[str, Any]):
    told = made["feat_customer_survey"]
    assert len(told) == 198 and who(1) not in told.index and who(5) not in told.index
    assert told.loc[who(0), "recommendation"] == 8 and told.loc[who(0), "questionnaires"] == 1  # yesterday's is exported on Monday
    assert told.loc[who(2), "recommendation"] == 9 and told.loc[who(2), "questionnaires"] == 2
    assert told.loc[who(2), "answer_age_days"] == pytest.approx(2 + 14 / 24 + 0.5)
    assert (told["survey_known_until"] < pd.Timestamp("2026-11-19")).all()


def test_a_mail_counts_once_sent_and_a_program_that_opens_it_is_nobody(made: dict[str, Any]):
    counted = made["feat_customer_contacts"]
    assert len(counted) == PEOPLE - 1
    assert counted.loc[who(0), ["mails_7d", "mails_28d", "opened_28d", "clicked_28d"]].tolist() == [4, 5, 1, 0]
    half = [2 ** (-(age + 0.5) / 7) for age in (0, 1, 2, 3, 20)]
    assert counted.loc[who(0), "contact_pressure"] == pytest.approx(sum(half))
    assert counted["refuses_mail"].to_dict()[who(1)] == 1 and counted["refuses_mail"].sum() == 1
    assert counted.loc[who(3), "contact_pressure"] == 0
    assert counted.loc[who(0), ["offers_28d", "offers_opened_28d", "newsletter_lot"]].tolist() == [2, 1, 0]
    assert counted.loc[who(2), "newsletter_lot"] == 1 and counted["newsletter_lot"].notna().sum() == 3


def test_attitudes_are_what_people_said_they_want(made: dict[str, Any]):
    said = made["pred_customer_attitude"]
    truth = pd.Series({who(n): KINDS[n % 4] for n in range(200)})
    truth[who(2)] = "quality"  # by the questionnaire sent last
    assert len(said) == 198 and (said["attitude"] == truth[said.index]).mean() > 0.95
    assert set(said["model_version"]) == {3} and said["certainty"].between(0, 1).all()


def test_audiences_name_the_best_the_new_and_those_worth_winning_back(made: dict[str, Any]):
    told = made["pred_customer_audience"]
    assert len(told) == PEOPLE and (told["audience"] == "high").sum() == 48
    assert told.loc[who(7), "marketing_group"] == "worth winning back" and told.loc[who(9), "marketing_group"] == "new"
    assert told.loc[who(10), "marketing_group"] == "segment 0" and told.loc[who(0), "attitude"] == "quality"
    assert told["lookalike"].isna().sum() == 48 and told.loc[who(60), "lookalike"] > 0.9 > 0.3 > told.loc[who(239), "lookalike"]
    assert told["conversion_value"].iloc[2] > told["conversion_value"].iloc[-1] > 0


def test_one_decision_each_within_contact_limit_refusals_and_budget(made: dict[str, Any]):
    decided = made["pred_next_best_offer"]
    assert decided.loc[who(0), ["offer", "reason"]].tolist() == ["none", "contact limit"]
    assert decided.loc[who(1), "offer"] == "web: invitation"  # the mailbox is not there
    assert decided.loc[who(11), ["effect", "effect_left", "offer", "reason"]].tolist() == [10, 0, "none", "no offer pays"]  # tired
    assert (decided["offer"] == "mail: newsletter").sum() == PEOPLE - 4 and decided["cost"].sum() <= 400


def test_customers_unlike_those_trained_on_are_told_of_each_model_in_use_and_a_company_of_nobody_of_none(made: dict[str, Any]):
    told = made["pred_model_drift"].set_index(["model", "figure"])
    assert set(told.index.get_level_values("model")) == {"customer_value", "newsletter_uplift"}  # no segments are served
    beyond = told.index[told["verdict"] == "beyond"]
    assert set(beyond) == {(model, "drift of mean_basket_28d") for model in ("customer_value", "newsletter_uplift")}
    assert len(told.loc["newsletter_uplift"]) == len(WATCHED["newsletter_uplift"])
    assert told.loc["customer_value", "model_version"].eq(1).all() and told.loc["newsletter_uplift", "model_version"].eq(2).all()
    assert made["of nobody"].empty


def test_the_newsletter_is_worth_less_to_who_had_many_mails_where_attention_falls_with_them(made: dict[str, Any]):
    fitted = made["newsletter"]
    rate, low, high = (fitted.metrics[f"fatigue_rate{end}"] for end in ("", "_low", "_high"))
    print(f"attention falls by {rate:.3f} ({low:.3f} to {high:.3f}) with each mail, .105 in truth")
    assert 0 < low < 0.105 < high
    people = pd.DataFrame(dict.fromkeys(MOVED, 3.0), index=["usual", "pressed"]).assign(contact_pressure=[5.0, 8.0])
    told = fitted.estimator.table(people[list(fitted.features)])
    assert told.loc["usual", "effect_left"] == 1 and told.loc["pressed", "effect_left"] == pytest.approx(np.exp(-3 * rate))
    assert told["effect"].nunique() == 1 and told["effect"].iloc[0] > 0
    page = fitted.figures["report.html"]
    assert page.count("<svg") == 2 and "the decision takes the effect to fall as attention does" in page and "Whom it reaches" in page
