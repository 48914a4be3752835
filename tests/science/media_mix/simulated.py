"""A small market whose truth is known, and posteriors written by hand, for tests that need no sampling."""

import numpy as np
import pandas as pd

from lakehouse.science.media_mix.adstock import carry, geometric
from lakehouse.science.media_mix.baseline import Baseline
from lakehouse.science.media_mix.data import MediaData
from lakehouse.science.media_mix.mix import stacked
from lakehouse.science.media_mix.model import Form
from lakehouse.science.media_mix.priors import weak
from lakehouse.science.media_mix.sampling import Diagnosis, Posterior, setting
from lakehouse.science.media_mix.saturation import SATURATIONS

LEVEL = 1000.0


def market(ceilings, halves, retentions, saturation="hill", slope=1.3, weeks=104, noise=40.0, geos=1, seed=0):
    """(data, true contributions (T, G, C)): ceilings per period and geography in the target's unit, halves in spend."""
    random = np.random.default_rng(seed)
    channels = len(ceilings)
    spend = random.gamma(1.2, 60.0, (weeks, geos, channels)) * (random.random((weeks, geos, channels)) < 0.7)
    felt = carry(spend, geometric(np.asarray(retentions, dtype=float), 8))
    truth = np.asarray(ceilings) * SATURATIONS[saturation](felt, np.asarray(halves), slope)
    season = 1 + 0.1 * np.sin(2 * np.pi * np.arange(weeks) / 52.18)
    target = LEVEL * season[:, None] + truth.sum(axis=-1) + random.normal(0, noise, (weeks, geos))
    data = MediaData(
        pd.date_range("2023-01-02", periods=weeks, freq="7D"),
        target,
        spend,
        np.zeros((weeks, geos, 0)),
        tuple(f"channel_{i}" for i in range(channels)),
        tuple(f"place_{i}" for i in range(geos)) if geos > 1 else ("national",),
    )
    return data, truth


def written(data, ceilings, halves, retentions, saturation="hill", slope=1.3, spread=0.0, draws=50, seed=0):
    """A posterior that knows the truth, up to `spread` (relative)."""
    random = np.random.default_rng(seed)
    size = (draws, len(ceilings))

    def around(values):
        return np.asarray(values, dtype=float) * np.exp(spread * random.normal(size=size))

    known = {
        "ceiling": around(ceilings) / data.unit,
        "half": around(halves) / data.reference,
        "slope": around([slope] * len(ceilings)),
        "retention": np.minimum(around(retentions), 0.95),
        "level": np.full(draws, LEVEL / data.unit),
        "noise": np.full((draws, len(data.geos)), 40.0 / data.unit),
    }
    known["effect"] = known["ceiling"] * 0.3
    s = setting(data, Form(saturation), weak(data), Baseline(knot_days=0), 8)
    return Posterior(s, known, Diagnosis(1.0, 1000, 1000, 0, ""))


def known_mix(data, *args, **options):
    """A mix of one form whose posterior is written by hand."""
    return stacked([written(data, *args, **options)], np.ones(1))
