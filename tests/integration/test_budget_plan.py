"""The budget plan as a table on Spark: all the money, within bounds, and nothing where no media mix or no spending is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobs.predictions.pred_budget_plan import CHANGE, WEEKS, pred_budget_plan
from lakehouse.delta.session import open_session
from lakehouse.run.build import Builder
from lakehouse.science.media_mix.served import QUESTIONS, ServedMix
from lakehouse.settings import Settings
from tests.models.at_hand import at_hand
from tests.science.media_mix.simulated import known_mix, market

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])
DATA = market(*TRUTH)[0]


def test_the_plan_places_all_the_money_within_bounds_and_is_empty_without_a_mix_or_spending(stack: Settings) -> None:
    version = at_hand("media_mix", 3, QUESTIONS, ServedMix.of(known_mix(DATA, *TRUTH, spread=0.1)))
    began = DATA.dates[-1].date() + timedelta(weeks=1)
    spent = [(began + timedelta(days=d), "channel_0", 3.33, 50.0) for d in range(30)]
    spent += [(began + timedelta(days=d), "channel_1", 50.01, 50.0) for d in range(30)] + [(began, "radio", 5.0, 50.0)]
    with open_session() as spark:
        daily = spark.createDataFrame(spent, "date_id date, channel string, spend double, revenue double")

        def planned(model: Any, days: Any) -> Any:
            return Builder(spark, pred_budget_plan, None, {"media_mix": model})({"agg_channel_performance_daily": days})

        plan = planned(version, daily).orderBy("channel").toPandas()
        assert planned(None, daily).count() == planned(version, daily.withColumn("spend", daily["spend"] * 0)).count() == 0
    assert plan["channel"].tolist() == ["channel_0", "channel_1"]
    assert set(plan["starts_on"]) == {began + timedelta(weeks=WEEKS)}
    assert [float(value) for value in plan["current_spend"]] == [93.24, 1400.28]
    assert plan["recommended_spend"].sum() == plan["total"].iloc[0] == plan["placed"].iloc[0] == plan["current_spend"].sum()
    assert [float(value) for value in plan["most"]] == [CHANGE[1] * 93.24, CHANGE[1] * 1400.28]
    assert plan["recommended_spend"].between(plan["least"], plan["most"]).all()
    assert float(plan["recommended_spend"].iloc[0]) > 93.24
    assert plan["extra_response"].sum() == pytest.approx(plan["left_on_table"].iloc[0])
    assert 0 < plan["left_on_table_low"].iloc[0] < plan["left_on_table"].iloc[0] < plan["left_on_table_high"].iloc[0]
    assert plan["in_flight"].iloc[1] > plan["in_flight"].iloc[0] > 0
