from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.attribution.bootstrap import bootstrap
from lakehouse.science.attribution.logistic import logistic
from lakehouse.science.attribution.markov import count_transitions, markov, removal_effects
from lakehouse.science.attribution.order_choice import choose_order
from lakehouse.science.attribution.paths import Paths, from_text
from lakehouse.science.attribution.shapley import coalition_worth, exact, sampled, shapley

# attribution_pathdata/README.md: first-order removal effects solved exactly
REMOVAL = {
    "alpha": 0.5584, "iota": 0.4058, "eta": 0.3490, "beta": 0.2640, "theta": 0.2060, "lambda": 0.1340,
    "epsilon": 0.0626, "zeta": 0.0398, "kappa": 0.0287, "gamma": 0.0179, "delta": 0.0005, "mi": 0.0002,
}  # fmt: skip


@pytest.fixture(scope="module")
def pathdata(shared_data) -> Paths:
    rows = pd.read_csv(shared_data / "attribution_pathdata" / "pathdata.csv")
    counts = (rows[name] for name in ("total_conversions", "total_conversion_value", "total_null"))
    return from_text(rows["path"], *counts)


@pytest.fixture(scope="module")
def bryl() -> Paths:
    # Bryl (2016), "Marketing multi-channel attribution model with R": one of three journeys converts
    return from_text(["C1 > C2 > C3", "C1", "C2 > C3"], [1, 0, 0], lost=[0, 1, 1])


def test_bryls_example_is_solved_exactly(bryl):
    removal = removal_effects(count_transitions(bryl))
    assert removal.base == pytest.approx(1 / 3, abs=1e-12)
    assert removal.effect == pytest.approx([1 / 2, 1, 1], abs=1e-12)
    assert removal.share == pytest.approx([0.2, 0.4, 0.4], abs=1e-12)


@pytest.mark.shared_data
def test_removal_effects_of_the_published_journeys(pathdata):
    removal = removal_effects(count_transitions(pathdata))
    got = dict(zip(removal.channels, removal.effect, strict=True))
    assert got == pytest.approx(REMOVAL, abs=0.00005)


def simulate(order: int, journeys: int, seed: int) -> Paths:
    """Journeys over a, b, c whose next step depends on the last `order` touches."""
    draw = np.random.default_rng(seed)
    table = draw.dirichlet(np.full(5, 0.6), size=(4,) * order) * 0.7 + np.array([0, 0, 0, 0.1, 0.2])
    texts, won = [], []
    for _ in range(journeys):
        state, path = (0,) * order, []
        while True:
            step = int(draw.choice(5, p=table[state]))
            if step >= 3 and path:
                break
            step = step if step < 3 else int(draw.integers(3))
            path.append("abc"[step])
            state = (*state[1:], step + 1)
        texts.append(" > ".join(path))
        won.append(float(step == 3))
    return from_text(texts, won, lost=[1 - one for one in won])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_without_removal_a_chain_of_any_order_returns_the_observed_rate(order):
    paths = simulate(2, 400, seed=3)
    base = removal_effects(count_transitions(paths, order)).base
    assert base == pytest.approx(paths.converted.sum() / len(paths.converted), abs=1e-10)


def test_the_exact_solution_agrees_with_walking_the_chain():
    paths = simulate(1, 2_000, seed=5)
    steps = count_transitions(paths)
    draw = np.random.default_rng(1)
    walkers, won = 200_000, 0
    at = np.zeros(walkers, dtype=int)
    for _ in range(200):
        nxt = np.full(len(at), -1)
        for state in np.unique(at):
            out = steps.source == state
            end = steps.state == state
            tall = np.concatenate([steps.weight[out], steps.converted[end], steps.lost[end]])
            goal = np.concatenate([steps.target[out], np.repeat([-2, -1], [end.sum(), end.sum()])])
            here = at == state
            nxt[here] = draw.choice(goal, size=here.sum(), p=tall / tall.sum())
        nxt[nxt == 1] = -1  # channel a is removed
        won += int((nxt == -2).sum())
        at = nxt[nxt >= 0]
        if not len(at):
            break
    removal = removal_effects(steps)
    assert won / walkers == pytest.approx(removal.base * (1 - removal.effect[0]), abs=0.004)


@pytest.mark.parametrize("order", [1, 2])
def test_the_memory_that_made_the_journeys_is_chosen(order):
    assert choose_order(simulate(order, 4_000, seed=11)).order == order


def test_steps_counted_in_parts_and_put_together_give_the_same_effects():
    paths = simulate(2, 500, seed=9)
    half = (np.arange(500) % 2).astype(float)
    parts = [count_transitions(paths.weighted(weight), 2) for weight in (half, 1 - half)]
    names = ("source", "target", "weight", "state", "converted", "value", "lost")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    together = removal_effects(replace(parts[0], **joined))
    assert together.effect == pytest.approx(removal_effects(count_transitions(paths, 2)).effect)


def test_removing_by_value_follows_the_money():
    paths = from_text(["a", "b"], [1, 1], [90.0, 10.0], [1, 1])
    assert markov(paths) == pytest.approx([1, 1])
    assert markov(paths, value=True) == pytest.approx([90, 10])


def test_no_conversion_is_refused_in_words():
    with pytest.raises(ValueError, match="no journey converted"):
        markov(from_text(["a"], [0], lost=[5]))


def test_shapley_equals_the_average_over_all_orders_of_joining():
    paths = simulate(1, 300, seed=2)
    for game in ("conversions", "rate"):
        worth = coalition_worth(paths, game)
        gains = np.zeros(3)
        for order in permutations(range(3)):
            inside = np.zeros((1, 3), dtype=bool)
            for channel in order:
                before = worth(inside)[0]
                inside[0, channel] = True
                gains[channel] += (worth(inside)[0] - before) / 6
        assert exact(worth, 3).credit == pytest.approx(gains)


@pytest.mark.shared_data
def test_shapley_splits_each_conversion_among_its_distinct_channels(pathdata):
    presence = pathdata.presence
    evenly = (presence * (pathdata.converted / presence.sum(axis=1))[:, None]).sum(axis=0)
    assert shapley(pathdata).credit == pytest.approx(evenly)


@pytest.mark.shared_data
def test_sampled_shapley_covers_the_exact_value_within_its_error(pathdata):
    worth = coalition_worth(pathdata, "rate")
    truth, guess = exact(worth, 12), sampled(worth, 12, orders=400, seed=4)
    assert np.all(np.abs(guess.credit - truth.credit) <= 4 * guess.error + 1e-9)
    assert guess.credit.sum() == pytest.approx(truth.credit.sum())


def test_thirteen_channels_are_not_computed_exactly():
    with pytest.raises(ValueError, match=r"13 channels mean 8,192 coalitions.*Use sampled"):
        exact(lambda coalitions: coalitions.sum(axis=1).astype(float), 13)


def test_the_challenger_finds_the_channel_that_matters():
    draw = np.random.default_rng(0)
    touched = draw.random((6_000, 3)) < 0.5
    touched[~touched.any(axis=1), 2] = True
    won = draw.random(6_000) < np.where(touched[:, 0], 0.30, 0.10)
    texts = [" > ".join(np.array(["works", "idle", "other"])[row]) for row in touched]
    answer = logistic(from_text(texts, won.astype(float), lost=(~won).astype(float)))
    by_name = dict(zip(["idle", "other", "works"], answer.incremental, strict=True))
    assert by_name["works"] == pytest.approx(0.20 * touched[:, 0].sum(), rel=0.15)
    assert abs(by_name["idle"]) < 0.2 * by_name["works"]
    assert answer.credit.sum() == pytest.approx(won.sum())


def test_journeys_of_one_customer_are_drawn_together():
    single = from_text(["a", "b"] * 200, [1.0, 1.0] * 200, lost=[0.0] * 400)
    rates = {}
    for name, customer in (("alone", np.arange(400)), ("together", np.arange(400) // 40)):
        won = np.repeat(np.arange(10) % 2, 40).astype(float)
        paths = replace(single, converted=won, customer=customer)
        rates[name] = bootstrap(paths, lambda p: np.array([p.converted.sum()]), replicates=300).error[0]
    assert rates["together"] > 4 * rates["alone"]


def test_ninety_per_cent_intervals_cover_the_truth_as_often_as_they_say():
    draw = np.random.default_rng(8)
    covered = 0
    for seed in range(60):
        won = draw.random(300) < 0.3
        paths = from_text(["a"] * 300, won.astype(float), lost=(~won).astype(float))
        paths = replace(paths, customer=np.arange(300))
        got = bootstrap(paths, lambda p: np.array([p.converted.sum() / 300]), replicates=100, seed=seed)
        covered += got.low[0] <= 0.3 <= got.high[0]
    assert 46 <= covered <= 60
