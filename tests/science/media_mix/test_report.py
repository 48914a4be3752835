import numpy as np
import pytest

from lakehouse.science.media_mix import calibration
from lakehouse.science.media_mix.budget import allocate
from lakehouse.science.media_mix.future import Foresight
from lakehouse.science.media_mix.lift import LiftTest
from lakehouse.science.media_mix.mix import stacked
from lakehouse.science.media_mix.plan import Budget
from lakehouse.science.media_mix.report import in_words, media_mix_report
from tests.science.media_mix.simulated import market, written

TRUTH = ([300.0, 200.0], [60.0, 120.0], [0.2, 0.6])


@pytest.fixture(scope="module")
def mix():
    data, _ = market(*TRUTH)
    fits = [written(data, *TRUTH, spread=0.1), written(data, [450.0, 200.0], *TRUTH[1:], saturation="michaelis", spread=0.1)]
    flat = np.ones(8)
    seen = Foresight(96, -flat, flat * 0.2, (), flat, flat, flat, flat)
    return stacked(fits, np.array([0.75, 0.25]), foresight=[seen, seen])


def test_the_page_says_what_media_brought_and_what_that_rests_on(mix):
    tests = [LiftTest("channel_1", 60, (80.0,) * 4, 90.0, 10.0)]
    pulled = calibration.pull(tests, mix.fits[0], mix.fits[0])
    html = media_mix_report(mix, allocate(mix, Budget(1500.0, 12)), pulled)
    for head in ("In words", "Return on spend", "Experiments", "Proposed split", "Convergence", "Limits", "By form of saturation"):
        assert head in html
    assert html.count("<svg") == 1 + 2 + 2
    assert "http" not in html


def test_the_words_are_made_from_the_numbers(mix):
    words = in_words(mix, allocate(mix, Budget(1500.0, 12)))
    assert "From 2023-01-02 to 2024-12-23 media brought" in words
    assert "most came from channel_0" in words
    assert "depends on the form of saturation most for channel_0" in words
    assert "Of 1,500, the proposed split" in words


def test_a_vague_channel_is_named_for_a_test():
    data, _ = market(*TRUTH)
    vague = stacked([written(data, *TRUTH, spread=0.8, draws=300)], np.ones(1))
    assert "a lift test there would help most" in in_words(vague)
