import numpy as np
import pandas as pd
import pytest

from lakehouse.science.pooling.bayes import believe
from lakehouse.science.pooling.random_effects import log_risk_ratio, pool
from lakehouse.science.unfit import UnfitData

SCHOOLS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18]) ** 2


@pytest.mark.shared_data
def test_bcg_vaccine_trials_with_priors(shared_data):
    rows = pd.read_csv(shared_data / "bcg_meta_analysis" / "dat.bcg.txt", sep=r"\s+")
    found = believe(*log_risk_ratio(*(rows[c].to_numpy(dtype=float) for c in ("tpos", "tneg", "cpos", "cneg"))))
    assert found.mean == pytest.approx(-0.707, abs=0.005)
    assert (found.low, found.high) == pytest.approx((-1.04, -0.38), abs=0.01)
    assert found.next_low < found.low < found.high < found.next_high


def test_eight_schools():
    found = believe(*SCHOOLS, mean_scale=5, spread="half_cauchy", spread_scale=5)
    assert (found.mean, found.error) == pytest.approx((4.4, 3.3), abs=0.1)


def test_each_school_is_drawn_towards_the_mean_the_more_the_less_it_knows():
    effects, variances = SCHOOLS
    found = believe(effects, variances, mean_scale=5, spread="half_cauchy", spread_scale=5)
    kept = (found.studies - found.mean) / (effects - found.mean)
    assert ((kept > 0) & (kept < 1)).all()
    assert kept[variances.argmin()] > kept[variances.argmax()]
    assert (found.study_errors < np.sqrt(variances)).all()


def test_it_agrees_with_drawing_from_the_model():
    """Importance sampling from the priors, an independent way to the same integral."""
    effects, variances = SCHOOLS
    random = np.random.default_rng(1)
    mu, tau = random.normal(0, 5, 400_000), np.abs(5 * random.standard_cauchy(400_000))
    whole = variances + tau[:, None] ** 2
    weight = np.exp(-0.5 * (np.log(whole) + (effects - mu[:, None]) ** 2 / whole).sum(axis=1))
    weight /= weight.sum()
    found = believe(effects, variances, mean_scale=5, spread="half_cauchy", spread_scale=5)
    assert found.mean == pytest.approx(weight @ mu, abs=0.05)
    assert found.above_zero == pytest.approx(weight @ (mu > 0), abs=0.01)
    order = np.argsort(tau)
    assert found.tau == pytest.approx(tau[order][np.searchsorted(np.cumsum(weight[order]), 0.5)], abs=0.1)


def test_wide_priors_come_near_to_reml_where_studies_are_many():
    random = np.random.default_rng(2)
    effects = random.normal(random.normal(0.3, 0.2, 80), 0.1)
    variances = np.full(80, 0.01)
    classic, found = pool(effects, variances), believe(effects, variances, mean_scale=50, spread_scale=5)
    assert found.mean == pytest.approx(classic.mean, abs=0.002)
    assert found.error == pytest.approx(classic.error, rel=0.05)


def test_one_study_alone_may_be_read_and_nonsense_is_refused():
    assert believe(np.array([0.5]), np.array([0.01])).mean < 0.5
    with pytest.raises(UnfitData, match="half_normal or half_cauchy"):
        believe(*SCHOOLS, spread="uniform")
    with pytest.raises(UnfitData, match="all above 0"):
        believe(np.array([0.5]), np.array([0.0]))
