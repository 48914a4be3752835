import hashlib

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.experiments.assignment import assign, first_exposures, places
from lakehouse.science.experiments.holdout import hold_out, incremental_value, smallest_goal, worth_of_campaign
from lakehouse.science.experiments.power import Sizes, power_means
from lakehouse.science.experiments.sample_ratio import sample_ratio

UNITS = [f"c{n}" for n in range(20_000)]


def test_a_unit_keeps_its_arm_whoever_asks_and_when():
    assert assign(UNITS[:50], "spring") == assign(UNITS[:500], "spring")[:50]
    digest = hashlib.sha256(b"spring:c7").hexdigest()[:13]
    assert places(["c7"], "spring")[0] == int(digest, 16) / 16**13


def test_shares_come_out_as_declared():
    arms = pd.Series(assign(UNITS, "autumn", {"control": 0.1, "a": 0.6, "b": 0.3})).value_counts()
    ratio = sample_ratio(arms.to_dict(), {"control": 0.1, "a": 0.6, "b": 0.3})
    assert ratio.p_value > 0.001


def test_two_experiments_do_not_share_their_split():
    one, two = (np.array(assign(UNITS, salt)) == "treatment" for salt in ("spring", "summer"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.02


def test_a_roll_out_moves_units_only_into_the_treatment():
    narrow = np.array(assign(UNITS, "roll", {"control": 0.9, "treatment": 0.1}))
    wide = np.array(assign(UNITS, "roll", {"control": 0.5, "treatment": 0.5}))
    assert np.all(wide[narrow == "treatment"] == "treatment")


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.4}, {"a": 1.5, "b": -0.5}])
def test_shares_that_do_not_add_up_are_refused(shares):
    with pytest.raises(ValueError, match="sum to 1"):
        assign(UNITS[:3], "x", shares)
    with pytest.raises(ValueError, match="the salt is empty"):
        places(UNITS[:3], "")


def test_an_exposure_delivered_twice_counts_once_and_the_first_one_stays():
    arms = dict(zip(UNITS, assign(UNITS, "log"), strict=True))
    log = pd.DataFrame([(u, arms[u], pd.Timestamp("2026-01-02")) for u in UNITS[:10]], columns=["unit", "arm", "at"])
    early = log.head(1).assign(at=pd.Timestamp("2026-01-01"))
    once = first_exposures(pd.concat([log, log, early]), "log")
    assert len(once.units) == 10
    assert once.units["at"].min() == pd.Timestamp("2026-01-01")
    assert (once.crossed, once.contradicting) == (0, 0)


def test_a_unit_seen_in_both_arms_is_left_out_and_counted():
    log = pd.DataFrame({"unit": ["x", "x", "y"], "arm": ["control", "treatment", "control"], "at": pd.Timestamp("2026-01-01")})
    seen = first_exposures(log, "log")
    assert seen.crossed == 1
    assert seen.units["unit"].tolist() == ["y"]
    assert seen.contradicting == int(assign(["y"], "log") != ["control"])


def test_a_holdout_meets_its_goal_and_changes_with_the_period():
    first, second = (np.array(hold_out(UNITS, period)) for period in ("2026H1", "2026H2"))
    assert first.mean() == pytest.approx(0.05, abs=0.005)
    assert (first & second).mean() == pytest.approx(0.0025, abs=0.0015)


def test_the_value_of_all_campaigns_together_is_found_and_summed():
    draw = np.random.default_rng(3)
    held = np.array(hold_out(UNITS, "2026H1", 0.2))
    taste = draw.gamma(2, 10, len(UNITS))
    months = [
        pd.DataFrame(
            {
                "customer": UNITS,
                "held_out": held,
                "period": f"2026-0{month}",
                "value": taste + draw.normal(0, 3, len(UNITS)) + 2.0 * ~held,
            }
        )
        for month in (1, 2, 3)
    ]
    table = incremental_value(pd.concat(months), goal=0.2)
    reached = (~held).sum()
    assert ((table["low"] <= 2 * reached) & (2 * reached <= table["high"])).all()
    last = table.iloc[-1]
    assert last["cumulative_low"] <= 6 * reached <= last["cumulative_high"]
    assert last["cumulative"] == pytest.approx(table["incremental"].sum())
    # The same customers come back, so the sum is much less sure than three independent months would be.
    widths = (table["high"] - table["low"]).to_numpy()
    assert last["cumulative_high"] - last["cumulative_low"] > 1.5 * np.sqrt((widths**2).sum())


def test_sums_of_what_customers_spent_say_what_their_rows_say():
    draw = np.random.default_rng(8)
    held = np.array(hold_out(UNITS[:4000], "2026H1", 0.2))
    spent = draw.gamma(1, 20, (4000, 3)) * (draw.random((4000, 3)) < 0.4)
    rows = [pd.DataFrame({"customer": UNITS[:4000], "held_out": held, "period": m, "value": spent[:, m]}) for m in range(3)]
    known = incremental_value(pd.concat(rows), goal=0.2)
    running = spent.cumsum(axis=1)
    grown = running**2 - (running - spent) ** 2
    sums = {"campaign": "all", "period": range(3), "chance": [0.8, np.nan, np.nan]}
    for arm, chosen in (("held_out", held), ("reached", ~held)):
        sums |= {arm: [chosen.sum(), np.nan, np.nan], f"{arm}_sum": spent[chosen].sum(axis=0)}
        sums |= {f"{arm}_squares": (spent[chosen] ** 2).sum(axis=0), f"{arm}_grown": grown[chosen].sum(axis=0)}
    found = worth_of_campaign(pd.DataFrame(sums))
    for name in known.columns:
        assert found[name].to_numpy() == pytest.approx(known[name].to_numpy()), name
    assert set(found["sample_ratio"]) == {"as planned"}
    lost = worth_of_campaign(pd.DataFrame(sums).assign(chance=0.5))
    assert set(lost["sample_ratio"]) == {"blocked"}
    assert lost["incremental"].isna().all()


def test_a_holdout_that_lost_customers_is_withheld():
    frame = pd.DataFrame({"customer": UNITS, "held_out": [n % 4 == 0 for n in range(20_000)], "period": "2026-01", "value": 1.0})
    with pytest.raises(ValueError, match="result is withheld"):
        incremental_value(frame, goal=0.2)


def test_the_smallest_holdout_that_sees_the_effect_has_the_planned_power():
    share = smallest_goal(40.0, 1.5, 200_000)
    held = round(200_000 * share)
    assert 0.01 < share < 0.05
    assert power_means(40.0, 1.5, Sizes(held, 200_000 - held)) == pytest.approx(0.8, abs=0.001)
    with pytest.raises(ValueError, match="even half of 1,000 customers"):
        smallest_goal(40.0, 1.5, 1_000)
