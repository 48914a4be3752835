import numpy as np
import pandas as pd
import pytest

from lakehouse.science.experiments.geo import conformal_p, geo_lift
from lakehouse.science.experiments.markets import candidates, detectable_effect, power_curve, select_markets
from lakehouse.science.experiments.synthetic_control import placebo_p, simplex_weights, synthetic_control
from lakehouse.science.experiments.towns import FIGURES, METHODS, read_towns


def wide(shared_data, name):
    rows = pd.read_csv(shared_data / "geolift" / name)
    return rows.pivot(index="date", columns="location", values="Y")


@pytest.mark.shared_data
@pytest.mark.parametrize(("ridge", "lift", "incremental", "att"), [(False, 0.054, 4_667, 155.556), (True, 0.055, 4_704, 156.805)])
def test_the_geolift_walkthrough(shared_data, ridge, lift, incremental, att):
    # geolift/README.md, after the package's walkthrough: chicago and portland, days 91 to 105
    found = geo_lift(wide(shared_data, "GeoLift_Test.csv"), ["chicago", "portland"], 90, ridge=ridge)
    assert found.effect == pytest.approx(att, abs=0.001)
    assert found.incremental == pytest.approx(incremental, abs=0.5)
    assert found.lift == pytest.approx(lift, abs=0.0005)
    assert found.low < found.effect < found.high


@pytest.mark.shared_data
def test_no_campaign_is_seen_in_one_test_of_ten(shared_data):
    # The package permutes single days, which on these 40 cities raises 14 false alarms in 100; whole windows 10.
    panel = wide(shared_data, "GeoLift_PreTest.csv").astype(float)
    alarms = [
        conformal_p(panel[city].to_numpy()[:end], panel.drop(columns=city).to_numpy()[:end], end - 15) <= 0.10
        for city in panel.columns
        for end in (90, 75, 60, 45)
    ]
    assert np.mean(alarms) == pytest.approx(0.10, abs=2 * np.sqrt(0.09 / len(alarms)))


@pytest.mark.shared_data
def test_proposition_99_cost_california_about_nineteen_and_a_half_packs(shared_data):
    # Abadie, Diamond, Hainmueller (2010): about 20 on average 1989 to 2000, about 26 in 2000
    panel = pd.read_csv(shared_data / "time_series_classics" / "california_prop99.csv").set_index("Year")
    donors = panel.drop(columns="California")
    found = synthetic_control(panel["California"].to_numpy(), donors.to_numpy(), before=19)
    assert found.gap[19:].mean() == pytest.approx(-19.5, abs=0.05)
    assert found.gap[-1] == pytest.approx(-26.6, abs=0.05)
    chosen = set(donors.columns[found.weights > 0.1])
    assert chosen == {"Connecticut", "Montana", "Nevada", "Utah"}
    assert placebo_p(panel.to_numpy(), list(panel.columns).index("California"), 19) <= 0.10


def test_weights_are_a_mixture_and_the_best_one():
    draw = np.random.default_rng(0)
    donors = draw.normal(size=(60, 8))
    target = donors @ np.array([0.5, 0.3, 0.2, 0, 0, 0, 0, 0]) + draw.normal(0, 0.05, 60)
    weights = simplex_weights(target, donors)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    best = ((target - donors @ weights) ** 2).sum()
    others = draw.dirichlet(np.full(8, 0.3), 5_000) * 0.05 + 0.95 * weights
    assert best <= ((target[:, None] - donors @ others.T) ** 2).sum(axis=0).min() + 1e-12


def panel_of(seed, periods=90, markets=12):
    draw = np.random.default_rng(seed)
    days = np.arange(periods)
    common = 100 + 10 * np.sin(days / 7 * 2 * np.pi) + draw.normal(0, 3, periods).cumsum() * 0.3
    scale = draw.uniform(0.5, 2, markets)
    values = common[:, None] * scale + draw.normal(0, 2, (periods, markets))
    return pd.DataFrame(values, columns=[f"m{n}" for n in range(markets)])


def test_a_known_lift_is_recovered_and_inside_its_interval():
    panel = panel_of(1)
    panel.iloc[75:, [0, 3]] *= 1.10
    found = geo_lift(panel, ["m0", "m3"], 75)
    assert found.lift == pytest.approx(0.10, abs=0.015)
    assert found.p_value <= 0.05
    true = panel.iloc[75:, [0, 3]].to_numpy().mean() * (1 - 1 / 1.10)
    assert found.low <= true <= found.high


def test_intervals_cover_as_often_as_they_say():
    covered = 0
    for seed in range(60):
        panel = panel_of(seed + 100, periods=60)
        panel.iloc[50:, 0] += 8.0
        found = geo_lift(panel, ["m0"], 50)
        covered += found.low <= 8.0 <= found.high
    assert 0.9 * 60 - 3 * np.sqrt(60 * 0.09) <= covered


def test_a_misspelt_market_is_named():
    with pytest.raises(ValueError, match=r"no market \['m99'\]; the panel has m0, m1"):
        geo_lift(panel_of(1), ["m99"], 75)


def test_a_rehearsal_sees_large_effects_and_not_small_ones():
    curve = power_curve(panel_of(2), ["m1", "m2"], 14, [0.0, 0.02, 0.2], windows=8)
    assert curve["power"].iloc[-1] == 1.0
    assert curve["power"].iloc[0] <= 0.5
    assert curve["estimated"].iloc[-1] == pytest.approx(0.2, abs=0.03)
    assert detectable_effect(curve) in (0.02, 0.2)


def test_markets_are_ranked_by_what_a_test_in_them_can_see():
    table = select_markets(panel_of(3), [2], 14, effects=(0.0, 0.05, 0.2), windows=2, exclude=["m5"])
    assert all("m5" not in markets for markets in table["markets"])
    seen = table["detectable"].dropna()
    assert seen.is_monotonic_increasing
    assert len(candidates(panel_of(3), 2, ["m5"])) == len(table)


def test_too_short_a_past_is_refused():
    with pytest.raises(ValueError, match="give at least"):
        power_curve(panel_of(4, periods=30), ["m1"], 14, [0.1])


def test_a_campaign_in_four_of_ten_towns_is_read_once_it_is_over():
    random, days = np.random.default_rng(6), pd.date_range("2026-03-02", periods=56)
    week, level = 1 + 0.3 * (days.dayofweek == 5), random.uniform(80, 200, 10)
    rows = [
        (day, f"town {town}", town < 4, number >= 28, True, level[town] * week[number] * (1.2 if town < 4 and number >= 28 else 1.0))
        for number, day in enumerate(days)
        for town in range(10)
        if day.dayofweek < 6
    ]
    daily = pd.DataFrame(rows, columns=["day", "town", "treated", "during", "over", "value"])
    daily["value"] += random.normal(0, 12, len(daily))
    found = read_towns("posters", daily)
    assert found["method"].tolist() == list(METHODS)
    assert found[["treated", "controls", "days_before", "days"]].drop_duplicates().to_numpy().tolist() == [[4, 6, 24, 24]]
    assert found["lift"].to_numpy() == pytest.approx(0.2, abs=0.04)
    assert (found["p_value"] < 0.1).all()
    assert ((found["low"] < found["effect"]) & (found["effect"] < found["high"])).all()
    for early in (daily.assign(over=False), daily[daily["day"] < days[30]]):
        assert read_towns("posters", early).empty
        assert list(read_towns("posters", early).columns) == list(FIGURES)
