"""Experiments and media mix as tables and models: what mails in variants did, and what is said before there is enough to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.gold.fct_experiment_results import fct_experiment_results
from jobs.models.experiment_readings import experiment_readings
from jobs.models.media_mix import media_mix
from jobs.predictions.pred_channel_contribution import pred_channel_contribution
from lakehouse.declare import NotEnoughData
from lakehouse.delta.session import open_session
from lakehouse.models.version import ModelVersion
from lakehouse.science.media_mix.outcomes import weekly_contributions
from lakehouse.science.media_mix.served import QUESTIONS, ServedMix
from lakehouse.settings import Settings
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


def test_each_experiment_has_its_report_page(events: Any) -> None:
    fitted = experiment_readings.function(events)
    assert set(fitted.figures) == {"offer.html", "report.html"}
    assert "clicked was" in fitted.figures["offer.html"]
    with pytest.raises(NotEnoughData, match="no campaign has 30 mails of each variant"):
        experiment_readings.function(events.where("variant = 'A'"))


def test_a_media_mix_waits_for_a_year_of_whole_weeks_and_says_so(spark: Any) -> None:
    days = pd.date_range("2026-01-07", periods=80)
    rows = [(day.date(), channel, 10.0, 100.0) for day in days for channel in ("paid_search", "organic")]
    short = spark.createDataFrame(pd.DataFrame(rows, columns=["date_id", "channel", "spend", "revenue"]))
    with pytest.raises(NotEnoughData, match="10 whole weeks and 2 channels with spend; 52 weeks"):
        media_mix.function(short, {"lags": 8, "media_share": 0.3})


TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


class Known(ModelVersion):
    """A version whose estimator is at hand, so that nothing needs training."""

    def estimator(self) -> Any:
        """A mix that knows the truth."""
        return ServedMix.of(known_mix(market(*TRUTH)[0], *TRUTH, spread=0.1))


def test_each_week_of_a_channel_gets_the_contribution_of_the_mix_served(spark: Any) -> None:
    mix = known_mix(market(*TRUTH)[0], *TRUTH, spread=0.1)
    day = mix.data.dates[10].date()
    rows = [(day + timedelta(days=d), "channel_0", 5.0, 50.0) for d in range(7)] + [(day, "radio", 5.0, 50.0)]
    daily = spark.createDataFrame(pd.DataFrame(rows, columns=["date_id", "channel", "spend", "revenue"]))
    found = pred_channel_contribution.function(daily, Known("media_mix", 3, "", "", "", {}, list(QUESTIONS))).toPandas()
    weeks = weekly_contributions(mix)
    expected = weeks[(weeks["channel"] == "channel_0") & (weeks["date"] == mix.data.dates[10])].iloc[0]
    assert found[["channel", "week_start", "model_version"]].to_numpy().tolist() == [["channel_0", day, 3]]
    assert float(found["spend"].iloc[0]) == 35.0
    assert found["contribution"].iloc[0] == pytest.approx(expected["mean"])
