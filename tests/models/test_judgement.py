"""Which version of a model is served: by rule, from its trial on later time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lakehouse.declare import Fitted, Trial
from lakehouse.models.stage import judge

ROWS = 800
DRAW = np.random.default_rng(1)
TRUTH = DRAW.random(ROWS)
HAPPENED = (DRAW.random(ROWS) < TRUTH).astype(float)
BASE = list((HAPPENED.mean() - HAPPENED) ** 2)


def estimator(noise: float, seed: int = 2) -> Callable[[], Any]:
    """Knows the truth up to so much noise."""
    seen = np.clip(TRUTH + np.random.default_rng(seed).normal(0, noise, ROWS), 0, 1)
    return lambda: seen


def fitted(tried: Callable[[], Any], failed: dict[str, str] | None = None, margin: float = 0.01) -> Fitted:
    owners = [f"C{i}" for i in range(ROWS)]
    trial = Trial(tried, lambda one: list((one() - HAPPENED) ** 2), BASE, owners, failed or {}, margin)
    return Fitted(tried, ("a",), {}, {}, trial)


def test_the_first_version_that_passes_is_served():
    found = judge(fitted(estimator(0.1)), None)
    assert found.stage == "champion" and "first that passes" in found.reason and found.low > 0


def test_a_failed_check_blocks_promotion_whatever_the_gain_and_says_which():
    found = judge(fitted(estimator(0.0), {"fairness": "gap .21 between segments, .15 allowed"}), estimator(0.5))
    assert found.stage == "rejected" and "fairness: gap .21" in found.reason


def test_what_is_no_better_than_a_simple_rule_is_rejected():
    found = judge(fitted(lambda: np.full(ROWS, HAPPENED.mean())), None)
    assert found.stage == "rejected" and "simple rule does as well" in found.reason


def test_a_challenger_needs_its_whole_interval_above_the_margin():
    champion = estimator(0.3)
    assert judge(fitted(estimator(0.05)), champion).stage == "champion"
    assert judge(fitted(estimator(0.05), margin=0.9), champion).stage == "challenger"
    same = judge(fitted(estimator(0.3, seed=5)), champion)
    assert same.stage == "challenger" and "margin" in same.reason


def test_a_champion_that_knows_the_erased_makes_room_for_any_that_is_not_proven_worse():
    champion, reason = estimator(0.1), "version 4 learnt from 1 people erased since"
    equal = judge(fitted(estimator(0.1, seed=9)), champion, must_leave=reason)
    assert equal.stage == "champion" and equal.reason.startswith(reason)
    assert judge(fitted(estimator(0.6, seed=9)), champion, must_leave=reason).stage in ("challenger", "rejected")


def test_a_model_without_a_trial_is_served_as_it_is():
    assert judge(Fitted(None, (), {}), None).stage == "champion"
