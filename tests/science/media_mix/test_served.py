"""What tables ask of a media mix is what its own functions say."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.media_mix.outcomes import returns, weekly_contributions
from lakehouse.science.media_mix.served import QUESTIONS, ServedMix, code
from tests.science.media_mix.simulated import known_mix, market

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


def test_a_week_and_channel_have_the_mixs_answer_and_others_none():
    data, _ = market(*TRUTH)
    mix = known_mix(data, *TRUTH, spread=0.1)
    day = float((data.dates[10] - pd.Timestamp("1970-01-01")).days)
    asked = pd.DataFrame([(code("channel_1"), day), (code("television"), day), (code("channel_0"), day + 1)], columns=list(QUESTIONS))
    found = ServedMix.of(mix).table(asked)
    weeks = weekly_contributions(mix)
    week = weeks[(weeks["channel"] == "channel_1") & (weeks["date"] == data.dates[10])].iloc[0]
    assert found.loc[0, ["contribution", "contribution_low", "contribution_high"]].to_numpy() == pytest.approx(
        week[["mean", "low", "high"]]
    )
    assert found.loc[0, "roas"] == pytest.approx(returns(mix).set_index("channel").loc["channel_1", "roas"])
    assert np.isnan(found.loc[1:].to_numpy()).all()
