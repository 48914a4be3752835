"""Two habits of buying and one chance of leaving: against sums written out, a simulation of known parameters, and where not to use it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import beta

from lakehouse.science.value.customer_value import fit_customer_value
from lakehouse.science.value.estimation import Prior
from lakehouse.science.value.histories import Histories
from lakehouse.science.value.two_habits import TwoHabits, fit_two_habits

KNOWN = TwoHabits(4.0, 20.0, 1.0, 200.0, 0.6, 0.0006)


def simulated(n: int, days: int = 90, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Histories by the model's own story, whether each is still there, and the chance to buy on a day."""
    draw = np.random.default_rng(seed)
    regular = draw.random(n) < 0.375
    chance = np.where(regular, draw.beta(4, 20, n), draw.beta(1, 200, n))
    leaves = draw.geometric(1 - 1 / 1.0006, n)
    buys = (draw.random((n, days)) < chance[:, None]) & (np.arange(1, days + 1) < leaves[:, None])
    last = np.where(buys.any(axis=1), days - np.argmax(buys[:, ::-1], axis=1), 0)
    count = buys.sum(axis=1)
    spent = np.where(count > 0, draw.gamma(20.0, 2.0, n), 0.0)
    frame = pd.DataFrame({"repeat_days": count, "last_repeat_day": last, "days_observed": days, "mean_repeat_spend": spent})
    return frame, leaves > days, chance


@pytest.mark.parametrize(("x", "last", "days"), [(0, 0, 90), (1, 3, 90), (14, 60, 90), (30, 88, 90), (9, 9, 10), (3, 90, 90)])
def test_its_chances_are_those_of_every_day_of_leaving_summed_up(x, last, days):
    stay, still, gone = 1 / 1.0006, 0.0, 0.0
    for a, b, share in ((4, 20, 0.375), (1, 200, 0.625)):
        still += share * beta(a + x, b + days - x) / beta(a, b) * stay**days
        gone += sum(share * (1 - stay) * stay**i * beta(a + x, b + i - x) / beta(a, b) for i in range(last, days))
    seen = Histories.of([x], [last / 7], [days / 7])
    assert KNOWN.alive(seen)[0] == pytest.approx(still / (still + gone), abs=1e-3)
    assert KNOWN.log_likelihood(seen) == pytest.approx(np.log(still + gone) + x * np.log(7), abs=3e-3)


def test_the_whole_life_is_the_forecast_of_a_very_long_time():
    seen = Histories.of([14.0], [60 / 7], [90 / 7])
    assert KNOWN.discounted(seen, 1e-12)[0] == pytest.approx(KNOWN.expected(seen, 20_000.0)[0], rel=1e-6)
    assert KNOWN.expected(seen, 1 / 7)[0] < KNOWN.expected(seen, 2 / 7)[0] < 2 * KNOWN.expected(seen, 1 / 7)[0]


def test_who_leaves_and_what_is_still_to_come_are_recovered_from_a_simulation():
    frame, there, chance = simulated(8000)
    model = fit_customer_value(frame)
    assert isinstance(model.buying, TwoHabits) and np.isinf(model.buying.alike)
    low, high = model.estimate.interval("leaving")
    assert low < 0.0006 < high < 2 * low
    buyers = (frame["repeat_days"] > 3).to_numpy()
    told = 1 - model.probability_alive(frame)[buyers]
    assert told.mean() == pytest.approx((~there[buyers]).mean(), abs=3 * np.sqrt(0.04 / buyers.sum()))
    ahead = (there * chance * sum((1 / 1.0006) ** i for i in range(1, 31))).sum()
    assert model.orders(frame, 30).sum() == pytest.approx(ahead, rel=0.03)


def test_where_some_leave_soon_and_others_hardly_ever_half_a_year_is_forecast_as_it_comes():
    draw = np.random.default_rng(4)
    rate, life = draw.gamma(0.6, 1 / 30, 3000), draw.exponential(1 / draw.gamma(0.6, 1 / 60, 3000))
    buys = (draw.random((3000, 360)) < -np.expm1(-rate)[:, None]) & (np.arange(1, 361) < life[:, None])
    before, after = buys[:, :180], buys[:, 180:].sum()
    last = np.where(before.any(axis=1), 180 - np.argmax(before[:, ::-1], axis=1), 0)
    frame = pd.DataFrame({"repeat_days": before.sum(axis=1), "last_repeat_day": last, "days_observed": 180,
                          "mean_repeat_spend": np.where(before.any(axis=1), draw.gamma(20.0, 2.0, 3000), 0.0)})  # fmt: skip
    model = fit_customer_value(frame)
    assert isinstance(model.buying, TwoHabits) and np.isfinite(model.buying.alike)
    assert model.orders(frame, 180).sum() == pytest.approx(after, rel=0.06)
    told = model.table(frame)
    assert (told["value_life"] >= told["value_1y"]).all()


def test_a_small_shop_whose_baskets_are_all_alike_has_a_value_too():
    frame, _, _ = simulated(200, seed=4)
    frame["mean_repeat_spend"] = np.where(frame["repeat_days"] > 0, 40.0, 0.0)
    assert np.isfinite(fit_customer_value(frame).table(frame)["value_life"]).all()


def test_a_prior_moves_the_estimate_less_than_its_own_interval():
    frame, _, _ = simulated(2000, seed=2)
    seen = Histories.of(frame["repeat_days"], frame["last_repeat_day"] / 7, frame["days_observed"] / 7)
    _, weak = fit_two_habits(seen, Prior({}, 1.5))
    _, weaker = fit_two_habits(seen, Prior({}, 3.0))
    low, high = weaker.interval("leaving")
    assert low < weak.values["leaving"] < high
