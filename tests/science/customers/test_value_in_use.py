"""Value put to use: audiences, conversion values, lookalikes, what a customer costs, thin groups."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.unfit import UnfitData
from lakehouse.science.value import (
    Histories,
    acquisition,
    conversion_values,
    fit_groups,
    fit_lookalike,
    fit_pareto_nbd,
    pooled_means,
    value_audiences,
)
from lakehouse.science.value.advertising import told_to_advertising


def test_audiences_have_their_shares_and_members_do_not_flicker():
    draw = np.random.default_rng(1)
    value = pd.Series(draw.gamma(0.5, 100, 2000), index=[f"C{i}" for i in range(2000)])
    first = value_audiences(value)
    assert first.value_counts().to_dict() == {"middle": 1000, "low": 600, "high": 400}
    moved = value * draw.lognormal(0, 0.1, 2000)
    sticky, loose = value_audiences(moved, first), value_audiences(moved)
    assert (sticky != first).sum() <= 0.6 * (loose != first).sum()
    assert value[first == "high"].min() >= value[first == "middle"].max()
    with pytest.raises(UnfitData, match="shares"):
        value_audiences(value, high=0.6, low=0.5)


def test_conversion_values_keep_their_total_and_cap_the_whale():
    predicted = np.array([10.0] * 99 + [10_000.0])
    paid = np.full(100, 5.0)
    told = conversion_values(predicted, paid, cap=0.98)
    assert told.sum() == pytest.approx((predicted + paid).sum())
    assert told.max() < predicted.max() / 5
    assert (conversion_values(predicted, paid, horizon_share=0.0) == paid).all()
    with pytest.raises(UnfitData, match="none negative"):
        conversion_values([-1.0], [2.0])


def test_people_like_the_best_customers_are_found_among_strangers_and_chance_is_refused():
    draw = np.random.default_rng(2)
    rich = draw.random(3000) < 0.2
    frame = pd.DataFrame({"pages": draw.poisson(np.where(rich, 9, 5)), "device": np.where(draw.random(3000) < 0.3 + 0.3 * rich, "a", "b")})
    found = fit_lookalike(frame[:2000], rich[:2000])
    score = found.score(frame[2000:])
    assert found.auc > 0.75 and score[rich[2000:]].mean() > score[~rich[2000:]].mean() + 0.25
    assert score.min() > 0 and score.max() == 1
    with pytest.raises(UnfitData, match="cannot be told"):
        fit_lookalike(pd.DataFrame({"noise": draw.normal(size=2000)}), rich[:2000])


def test_a_channel_costs_what_was_spent_per_customer_and_pays_back_when_margin_has_covered_it():
    channels = pd.DataFrame({"channel": ["search", "social", "direct"], "spend": [1000.0, 500.0, 0.0], "customers": [50, 10, 30]})
    margins = pd.DataFrame(
        [("search", 0, 400.0), ("search", 1, 400.0), ("search", 2, 400.0), ("social", 0, 100.0), ("direct", 0, 50.0)],
        columns=["channel", "period", "margin"],
    )
    table = acquisition(channels, margins)
    assert table.loc["search", "cost"] == 20 and table.loc["search", "payback"] == pytest.approx(2.5)
    assert table.loc["search", "ratio"] == pytest.approx(1.2)
    assert np.isnan(table.loc["social", "payback"]) and table.loc["direct", "payback"] == 0 and np.isnan(table.loc["direct", "ratio"])
    assert table.loc["social", "cost_low"] == pytest.approx(500 / 18.39, rel=1e-3)  # Garwood's interval of 10: 4.795 to 18.39
    assert table.loc["social", "cost_high"] == pytest.approx(500 / 4.795, rel=1e-3)
    with pytest.raises(UnfitData, match="periods"):
        acquisition(channels, margins[margins.period != 1])


def test_a_thin_group_is_held_near_all_customers_and_a_large_different_one_goes_its_own_way():
    draw = np.random.default_rng(3)

    def histories(n: int, rate: float) -> Histories:
        lam, mu = draw.gamma(0.8, rate, n), draw.gamma(1.0, 0.02, n)
        left, x, t = draw.exponential(1 / mu), np.zeros(n), np.zeros(n)
        for i in range(n):
            at = np.cumsum(draw.exponential(1 / lam[i], 60))
            at = at[at < min(left[i], 39.0)]
            x[i], t[i] = len(at), np.ceil(at[-1]) if len(at) else 0.0  # whole weeks: few distinct rows
        return Histories.of(x, t, np.full(n, 39.0))

    groups = {"web": histories(500, 0.10), "shop": histories(500, 0.30), "fair": histories(25, 0.10)}
    found = fit_groups(fit_pareto_nbd, groups)
    means = {name: model.r / model.alpha for name, model in found.groups.items()}
    alone = fit_pareto_nbd(groups["web"])[0]
    assert 0.05 < found.spread <= 2
    assert means["shop"] > 2 * means["web"]
    assert means["web"] == pytest.approx(alone.r / alone.alpha, rel=0.1)
    whole = found.whole.r / found.whole.alpha
    assert 0.4 * whole < means["fair"] < 1.5 * whole
    with pytest.raises(UnfitData, match="two or more"):
        fit_groups(fit_pareto_nbd, {"all": groups["web"]})


def test_the_mean_of_a_thin_channel_is_nearer_the_truth_held_near_all_and_its_interval_holds_it():
    draw, sizes = np.random.default_rng(4), np.array([3, 3, 5, 5, 8, 8, 12, 20, 40, 80, 200, 400])
    caught, mine, own = [], [], []
    for _ in range(400):
        truth = draw.normal(20, 3, len(sizes))
        seen = [draw.normal(mean, 8, n) for mean, n in zip(truth, sizes, strict=True)]
        found = pooled_means(pd.DataFrame([(len(v), v.sum(), v @ v) for v in seen], columns=["count", "total", "squares"]))
        caught.append((found["low"] < truth) & (truth < found["high"]))
        mine.append((found["mean"] - truth) ** 2)
        own.append((np.array([v.mean() for v in seen]) - truth) ** 2)
    thin = sizes <= 12
    ratio = np.mean(mine, axis=0) / np.mean(own, axis=0)
    print(f"squared error ÷ the own mean's: thin {ratio[thin].mean():.2f}, large {ratio[-1]:.2f}; in the interval {np.mean(caught):.3f}")
    assert ratio[thin].mean() < 0.6 and ratio[-1] == pytest.approx(1, abs=0.05)
    assert 0.90 < np.mean(caught) < 0.97
    same = pooled_means(pd.DataFrame({"count": [4, 4], "total": [8.0, 8.0], "squares": [20.0, 20.0]}))
    assert same["mean"].to_list() == [2, 2] and same["weight"].max() == 0
    assert pooled_means(pd.DataFrame({"count": [1, 1], "total": [8.0, 2.0], "squares": [64.0, 4.0]})).isna().all(axis=None)
    with pytest.raises(UnfitData, match="missing"):
        pooled_means(pd.DataFrame({"count": [1]}))


def test_each_customer_has_one_group_one_audience_and_what_an_order_of_theirs_is_worth():
    draw = np.random.default_rng(3)
    n = 1200
    worth = draw.gamma(1.0, 100.0, n)
    rows = pd.DataFrame(
        {
            "customer_id": [f"C{i:05d}" for i in range(n)], "tenure_days": 28.0, "churned": 0.1, "spent_before": worth,
            "segment": draw.integers(0, 2, n).astype(float), "spend_per_order": 30.0, "value_1": worth, "value_0": worth,
            "visits": draw.poisson(1 + worth / 50).astype(float),
        }
    )  # fmt: skip
    best, edge = int(worth.argmax()), int(np.argsort(-worth)[int(0.19 * n)])
    rows.loc[edge, "value_0"] = np.sort(worth)[::-1][int(0.22 * n)] + 1e-9  # yesterday in, today a little out: stays in
    rows.loc[best, "churned"], rows.loc[:4, "tenure_days"], rows.loc[5, "segment"] = 0.9, 3.0, np.nan
    rows.loc[6, ["value_1", "churned"]] = np.nan, 0.9
    rows.loc[6, "spent_before"] = 0.0
    made = told_to_advertising(rows, values=["value_1", "value_0"], likeness=["visits"], margin=0.4)
    assert made["customer_id"].to_list() == rows["customer_id"].to_list()
    assert made.loc[best, "marketing_group"] == "worth winning back" and made.loc[best, "claimed_by"] == "worth winning back; gone"
    assert set(made.loc[:4, "marketing_group"]) == {"new"} and made.loc[6, "marketing_group"] == "gone"
    assert made.loc[7, "marketing_group"] == f"segment {rows.loc[7, 'segment']:.0f}"
    assert made.loc[edge, "audience"] == "high"
    high = made["audience"] == "high"
    assert made.loc[high, "lookalike"].isna().all() and made.loc[~high, "lookalike"].between(0, 1).all()
    assert np.corrcoef(made.loc[~high, "lookalike"], rows.loc[~high, "visits"])[0, 1] > 0.9
    assert made["conversion_value"].sum() == pytest.approx(0.4 * (rows["value_0"] + 30).sum())
    chance = told_to_advertising(rows.assign(visits=draw.random(n)), values=["value_0"], likeness=["visits"], margin=0.4)
    assert chance["lookalike"].isna().all()  # the best cannot be told by noise: nobody is said to be like them
