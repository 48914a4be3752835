import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from lakehouse.errors import LakehouseError
from lakehouse.science.experiments.adjustment import compare_cuped, compare_stratified, winsorised
from lakehouse.science.experiments.analysis import Experiment, Kpi, analyse
from lakehouse.science.experiments.bayes import read_estimate, read_proportions
from lakehouse.science.experiments.compare import (
    compare_clusters,
    compare_means,
    compare_proportions,
    compare_ratios,
    relative_lift,
)
from lakehouse.science.experiments.estimate import conclude
from lakehouse.science.experiments.reading import read_variants
from lakehouse.science.experiments.report import experiment_report, in_words
from lakehouse.science.experiments.sample_ratio import sample_ratio
from lakehouse.science.experiments.variation import heterogeneity, novelty


@pytest.fixture(scope="module")
def cats(shared_data) -> pd.DataFrame:
    frame = pd.read_csv(shared_data / "cookie_cats_ab" / "cookie_cats.csv.gz")
    return frame.assign(arm=frame["version"].map({"gate_30": "control", "gate_40": "treatment"}))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("kpi", "control", "treatment", "p", "digits"),
    [("retention_1", 0.4482, 0.4423, 0.0744, 0.00005), ("retention_7", 0.1902, 0.1820, 0.0016, 0.00005)],
)
def test_cookie_cats_retention(cats, kpi, control, treatment, p, digits):
    # cookie_cats_ab/README.md
    arms = [cats.loc[cats["arm"] == arm, kpi] for arm in ("control", "treatment")]
    found = compare_proportions(tuple(int(arm.sum()) for arm in arms), tuple(map(len, arms)))
    assert (found.control, found.treatment) == pytest.approx((control, treatment), abs=0.00005)
    assert found.p_value == pytest.approx(p, abs=digits)


@pytest.mark.shared_data
def test_cookie_cats_arms_are_suspiciously_uneven(cats):
    ratio = sample_ratio(cats["arm"].value_counts().to_dict(), {"control": 0.5, "treatment": 0.5})
    assert ratio.p_value == pytest.approx(0.0086, abs=0.00005)
    assert ratio.state == "suspicious"


@pytest.mark.shared_data
def test_cookie_cats_from_declaration_to_results(cats):
    kpis = [
        Kpi("retention_1", "proportion"),
        Kpi("retention_7", "proportion"),
        Kpi("sum_gamerounds", winsorise=0.999),
    ]
    table, ratio = analyse(Experiment("gate", kpis), cats)
    assert table["significant"].tolist() == [True, True, False]
    assert table["probability_better"].tolist()[:2] == pytest.approx([0.037, 0.0008], abs=0.001)
    assert table["sample_ratio"].unique().tolist() == ["suspicious"]
    assert ratio.p_value == table["sample_ratio_p"].iloc[0]


@pytest.mark.shared_data
def test_the_report_says_in_words_what_the_figures_say(cats):
    plan = Experiment("Gate at level 40", [Kpi("retention_1", "proportion"), Kpi("retention_7", "proportion")])
    results, ratio = analyse(plan, cats)
    said = in_words(plan, results, ratio)
    assert "retention_1 was 44.23% with treatment and 44.82% in control (-1.3%), more than chance explains (p = 0.074, limit 0.1)" in said
    assert "unlikely under the plan (p = 0.0086)" in said
    page = experiment_report(plan, results, ratio, cats["arm"].value_counts())
    assert page.count("<svg") == 3
    assert "control (planned 50%)" in page
    assert "<script" not in page


def test_sample_ratio_of_5000_to_5200():
    ratio = sample_ratio({"a": 5_000, "b": 5_200}, {"a": 0.5, "b": 0.5})
    assert ratio.p_value == pytest.approx(0.0477, abs=0.00005)
    assert ratio.state == "as planned"


def test_a_broken_sample_ratio_withholds_the_result_until_someone_signs():
    counts, shares = {"a": 5_000, "b": 5_600}, {"a": 0.5, "b": 0.5}
    with pytest.raises(ValueError, match="record an override"):
        sample_ratio(counts, shares).require()
    accepted = sample_ratio(counts, shares, override="A. Person: bots removed from b")
    accepted.require()
    assert (accepted.state, accepted.override) == ("overridden", "A. Person: bots removed from b")


def test_an_uneven_plan_is_no_mismatch():
    assert sample_ratio({"a": 9_000, "b": 1_000}, {"a": 0.9, "b": 0.1}).p_value == pytest.approx(1.0)


def test_welch_agrees_with_scipy():
    draw = np.random.default_rng(0)
    a, b = draw.normal(10, 3, 80), draw.normal(11, 6, 130)
    theirs = stats.ttest_ind(b, a, equal_var=False)
    ours = compare_means(a, b)
    assert (ours.p_value, ours.degrees) == pytest.approx((theirs.pvalue, theirs.df))
    limits = theirs.confidence_interval(0.90)
    assert (ours.low, ours.high) == pytest.approx((limits.low, limits.high))


def test_one_sided_as_declared_is_open_on_the_other_side():
    both = conclude(10.0, 11.0, 0.7, 100)
    up = conclude(10.0, 11.0, 0.7, 100, side="greater")
    assert up.high == math.inf
    assert up.low > both.low
    assert up.p_value == pytest.approx(both.p_value / 2)
    assert not both.significant
    assert up.significant


def test_a_ratio_of_sums_is_right_ninety_times_in_a_hundred():
    draw = np.random.default_rng(4)
    covered = 0
    for _ in range(400):
        arms = []
        for rate in (0.2, 0.22):
            views = draw.poisson(draw.gamma(2, 5, 500)).astype(float)
            own = np.clip(draw.normal(rate, 0.1, 500), 0, 1)
            arms.append((draw.binomial(views.astype(int), own).astype(float), views))
        found = compare_ratios(*arms)
        covered += found.low <= 0.02 <= found.high
    assert covered / 400 == pytest.approx(0.9, abs=0.035)


def test_a_relative_lift_carries_the_noise_of_control():
    found = compare_means(np.array([9.0, 11.0] * 50), np.array([10.0, 12.0] * 50))
    lift = relative_lift(found, 0.1, 0.1)
    assert lift.effect == pytest.approx(0.1)
    assert lift.error == pytest.approx(math.hypot(0.1, 1.1 * 0.1) / 10)


def test_clustered_errors_agree_with_statsmodels():
    draw = np.random.default_rng(6)
    cluster = np.repeat(np.arange(40), 25)
    treated = cluster % 2 == 1
    y = draw.normal(size=40)[cluster] + 0.3 * treated + draw.normal(size=1_000)
    ours = compare_clusters(y, treated, cluster)
    theirs = sm.OLS(y, sm.add_constant(treated.astype(float))).fit(cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True)
    assert (ours.effect, ours.error, ours.p_value) == pytest.approx((theirs.params[1], theirs.bse[1], theirs.pvalues[1]))
    assert ours.error > 2 * compare_means(y[~treated], y[treated]).error


def test_the_past_takes_noise_out_and_leaves_the_effect():
    draw = np.random.default_rng(8)
    before = draw.normal(50, 10, (2, 20_000))
    y = 0.9 * before + draw.normal(0, 5, (2, 20_000)) + np.array([[0.0], [0.5]])
    plain = compare_means(y[0], y[1])
    better = compare_cuped(y[0], y[1], before[0], before[1])
    correlation = np.corrcoef(before[0], y[0])[0, 1]
    assert better.error == pytest.approx(plain.error * math.sqrt(1 - correlation**2), rel=0.02)
    assert abs(better.effect - 0.5) < 3 * better.error


def test_several_past_figures_take_out_more_than_one():
    draw = np.random.default_rng(9)
    before = draw.normal(size=(2, 5_000, 2))
    y = before.sum(axis=2) + draw.normal(size=(2, 5_000))
    one = compare_cuped(y[0], y[1], before[0, :, 0], before[1, :, 0])
    two = compare_cuped(y[0], y[1], before[0], before[1])
    assert two.error == pytest.approx(one.error / math.sqrt(2), rel=0.03)


def test_strata_take_out_what_they_explain():
    draw = np.random.default_rng(10)
    stratum = draw.integers(0, 4, 8_000)
    treated = draw.random(8_000) < 0.5
    y = 10.0 * stratum + treated + draw.normal(size=8_000)
    found = compare_stratified(y, treated, stratum)
    assert found.low <= 1.0 <= found.high
    assert found.error < 0.15 * compare_means(y[~treated], y[treated]).error
    with pytest.raises(ValueError, match="merge it with another"):
        compare_stratified(y[:3], treated[:3], stratum[:3])


def test_one_limit_tames_both_arms():
    a, b = winsorised(np.arange(100.0), np.append(np.arange(99.0), 49_854.0), upper=0.99)
    assert b.max() == a.max() < 100


def test_the_bayesian_reading_of_even_odds_and_of_a_clear_winner():
    even = read_proportions((100, 100), (1_000, 1_000))
    assert even.better == pytest.approx(0.5, abs=0.002)
    clear = read_proportions((100, 150), (1_000, 1_000))
    draw = np.random.default_rng(0)
    gains = draw.beta(150.5, 850.5, 200_000) - draw.beta(100.5, 900.5, 200_000)
    assert clear.better == pytest.approx((gains > 0).mean(), abs=0.002)
    assert (clear.low, clear.high) == pytest.approx(tuple(np.quantile(gains, [0.05, 0.95])), abs=0.0005)
    assert even.expected_loss > clear.expected_loss >= 0


def test_a_doubtful_estimate_is_shrunk_by_experience():
    found = conclude(10.0, 12.0, 2.0, 100)
    read = read_estimate(found, prior_error=1.0)
    assert read.effect == pytest.approx(2.0 * (1 / 4) / (1 / 4 + 1))
    assert read.low < 0 < read.high
    assert read_estimate(found, prior_error=1e6).better == pytest.approx(stats.norm.cdf(1.0))


def test_an_effect_that_fades_is_noticed_and_a_steady_one_is_not():
    assert novelty(np.linspace(2, 0, 14), np.full(14, 0.3)).p_value < 0.001
    steady = novelty(np.full(14, 1.0), np.full(14, 0.3))
    assert steady.fading == pytest.approx(0)
    assert steady.p_value == pytest.approx(1)


def test_segments_differ_only_where_they_do():
    draw = np.random.default_rng(12)
    segment = np.array(["new", "old", "lost"])[draw.integers(0, 3, 6_000)]
    treated = draw.random(6_000) < 0.5
    same = draw.normal(size=6_000) + 0.2 * treated
    other = same + 0.5 * (treated & (segment == "new"))
    assert heterogeneity(same, treated, segment)[1] > 0.05
    table, p = heterogeneity(other, treated, segment)
    assert p < 0.001
    assert table.loc[table["effect"].idxmax(), "segment"] == "new"


def test_four_kpis_are_judged_at_a_fourth_of_the_error():
    draw = np.random.default_rng(13)
    frame = pd.DataFrame(draw.normal(size=(2_000, 4)), columns=list("wxyz"))
    frame["arm"] = np.where(np.arange(2_000) % 2, "treatment", "control")
    table, _ = analyse(Experiment("four", [Kpi(c) for c in "wxyz"]), frame)
    assert table["alpha"].tolist() == pytest.approx([0.025] * 4)
    assert (table["significant"] == ((table["low"] > 0) | (table["high"] < 0))).all()


def test_an_undeclared_arm_is_refused():
    frame = pd.DataFrame({"arm": ["control", "blue"] * 50, "x": 1.0})
    with pytest.raises(ValueError, match=r"units in arms \['blue'\]; declared are control, treatment"):
        analyse(Experiment("odd", [Kpi("x")]), frame)


@pytest.mark.parametrize("compare", [compare_means, lambda a, b: compare_ratios((a, a + 1), (b, b + 1))])
def test_missing_figures_are_refused_instead_of_spreading(compare):
    whole, holed = np.arange(10.0), np.array([1.0, np.nan, 3.0])
    with pytest.raises(LakehouseError, match="of 3 figures of an arm are missing"):
        compare(whole, holed)


def sent(random, count=6000, click=(0.10, 0.15), lost=0.0):
    """Mails in variants A and B, of which `lost` of B are missing."""
    arm = np.where(random.random(count) < 0.5, "A", "B")
    units = pd.DataFrame({"arm": arm, "opened": random.random(count) < 0.3, "unsubscribed": random.random(count) < 0.01})
    units["clicked"] = units["opened"] & (random.random(count) < np.where(arm == "A", *click))
    return units[~((arm == "B") & (random.random(count) < lost))]


def test_variants_are_read_as_an_experiment_and_withheld_where_mails_are_missing():
    random = np.random.default_rng(3)
    rows, plan, ratio = read_variants("offer", sent(random))
    clicked = rows.set_index("kpi").loc["clicked"]
    assert clicked["low"] < 0.015 < clicked["high"]
    assert clicked["significant"]
    assert not rows.set_index("kpi").loc["opened", "significant"]
    assert (list(plan.shares), ratio.state) == (["A", "B"], "as planned")
    broken, _, ratio = read_variants("offer", sent(random, lost=0.2))
    assert ratio.state == "blocked"
    assert broken["effect"].isna().all()
    assert broken.shape == rows.shape
    assert read_variants("offer", sent(random, count=40)) is None
