"""What a posterior says: contributions of any spend plan, the baseline, and predicted sales, draw by draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.media_mix import baseline as base
from lakehouse.science.media_mix import linear
from lakehouse.science.media_mix.adstock import lagged
from lakehouse.science.media_mix.lift import LiftRows
from lakehouse.science.media_mix.model import weights
from lakehouse.science.media_mix.sampling import Posterior, linear_columns, linear_groups, standardised
from lakehouse.science.media_mix.saturation import SATURATIONS
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]


def _parts(p: Posterior) -> tuple[Floats, Floats, Floats]:
    """(weights (S, C, L), half (S, C), slope (S, C))."""
    half = p.draws["half"]
    slope = p.draws.get("slope", np.ones_like(half))
    return weights(p.setting.form, p.draws, p.setting.lags, np), half, slope


def _reached(p: Posterior, media: Floats) -> Floats:
    """Share of the ceiling (S, T, G, C) at lagged scaled media (T, G, C, L)."""
    memory, half, slope = _parts(p)
    carried = np.einsum("tgcl,scl->stgc", media, memory, optimize=True)
    saturate = SATURATIONS[p.setting.form.saturation]
    return np.asarray(saturate(carried, half[:, None, None, :], slope[:, None, None, :]), dtype=np.float64)


def _training(p: Posterior) -> Floats:
    data = p.setting.data
    past = None if data.before is None else data.scaled(data.before)
    return lagged(data.scaled(data.spend), p.setting.lags, past)


def _worth(p: Posterior, reached: Floats | None = None) -> Floats:
    """(S, G, C) what a full ceiling is worth per period, in the target's unit. reached: of the training media, if at hand."""
    data = p.setting.data
    if "ceiling" in p.draws:
        ceiling = p.draws["ceiling"]
    else:
        share = _reached(p, _training(p)) if reached is None else reached
        ceiling = p.draws["effect"] * data.active / np.einsum("stgc,g->sc", share, data.size)
    strength = np.exp(p.draws["strength_geo"]) if "strength_geo" in p.draws else 1.0
    return np.asarray(ceiling[:, None, :] * strength * data.size[:, None] * data.unit, dtype=np.float64)


def contributions(p: Posterior, spend: Floats | None = None, before: Floats | None = None) -> Floats:
    """(S, T, G, C) target brought by each channel: of the data's spend, or of another plan (T, G, C) with its past (B, G, C)."""
    data = p.setting.data
    if spend is None:
        reached = _reached(p, _training(p))
        return reached * _worth(p, reached)[:, None]
    if spend.shape[1:] != data.spend.shape[1:]:
        raise UnfitData(f"contributions: spend has shape {spend.shape}; it must be (periods, {len(data.geos)}, {len(data.channels)}).")
    past = None if before is None else data.scaled(before)
    return _reached(p, lagged(data.scaled(spend), p.setting.lags, past)) * _worth(p)[:, None]


def unexplained(p: Posterior) -> tuple[Floats, Floats]:
    """(residual (S, T, G) of target less media and less the level expected beforehand, in the model's unit; the baseline
    coefficients' prior deviations (S, K))."""
    data, sizes = p.setting.data, linear_groups(p.setting)
    left = data.target / (data.unit * data.size) - linear.LEVEL - contributions(p).sum(axis=-1) / (data.unit * data.size)
    rows = linear.spreads(sizes)
    spread = np.repeat(rows[:1], p.count, axis=0)
    for row, name in zip(rows[1:], linear.LEARNED.values(), strict=True):
        if name in p.draws:
            spread = spread + p.draws[name][:, None] * row
    return np.asarray(left, dtype=np.float64), spread


def with_baseline(p: Posterior, seed: int = 0) -> Posterior:
    """The posterior with a draw of level, trend, seasons, wandering level and controls beside each of its draws."""
    left, spread = unexplained(p)
    drawn = linear.coefficients(left, p.setting.counts, linear_columns(p.setting), spread, p.draws["noise"], seed)
    found = {name: drawn[:, where] for name, where in linear.slices(linear_groups(p.setting))}
    return replace(p, draws={**p.draws, **found, "level": found["level"][:, 0] + linear.LEVEL})


def log_densities(p: Posterior, start: int) -> Floats:
    """(S, T − start + 1) log density of the target before each period from `start` on, and of all of it: the baseline's
    coefficients integrated out under each draw. Differences are densities of a period given those before it."""
    data, z = p.setting.data, linear_columns(p.setting)
    left, spread = unexplained(p)
    unit, periods = np.log(data.unit * data.size).sum(), np.arange(len(data.dates))
    parts = []
    for until in range(start, len(periods) + 1):
        known = (periods < until).astype(np.float64)
        parts.append(linear.log_densities(left, known, z, spread, p.draws["noise"]) - unit * until)
    return np.stack(parts, axis=1)


def steady(p: Posterior, multiples: Floats) -> tuple[Floats, Floats]:
    """(spend (M, C), contribution (S, M, C)) per period, all geographies together, if a plan of `multiples` of the mean spend
    ran for ever."""
    data = p.setting.data
    mean = data.spend.mean(axis=0)
    plans = multiples[:, None, None] * mean
    _, half, slope = _parts(p)
    saturate = SATURATIONS[p.setting.form.saturation]
    share = saturate(data.scaled(plans)[None], half[:, None, None, :], slope[:, None, None, :])
    return plans.sum(axis=1), np.einsum("smgc,sgc->smc", share, _worth(p))


def baseline(p: Posterior, steps: int = 0, controls: Floats | None = None) -> Floats:
    """(S, T + steps, G) target without media; controls (steps, G, K) of later periods, their means if not given."""
    s, data, draws = p.setting, p.setting.data, p.draws
    step = data.dates[1] - data.dates[0]
    dates = pd.DatetimeIndex([*data.dates, *(data.dates[-1] + (i + 1) * step for i in range(steps))])
    level = draws["level"][:, None] * np.ones(len(dates))
    for name, columns in (
        ("trend_step", base.trend(data, s.baseline, steps)),
        ("season", base.seasons(data, s.baseline, dates)),
        ("wander_step", base.wander(data, s.baseline, steps)),
    ):
        if name in draws:
            level = level + draws[name] @ columns.T
    whole = np.repeat(level[:, :, None], len(data.geos), axis=2)
    if "level_geo" in draws:
        whole = whole + draws["level_geo"][:, None, :]
    if "control" in draws:
        seen = standardised(data)
        if steps:
            spread = data.controls.std(axis=(0, 1))
            later = np.zeros((steps, *seen.shape[1:]))
            if controls is not None:
                later = (controls - data.controls.mean(axis=(0, 1))) / np.where(spread > 0, spread, 1.0)
            seen = np.concatenate([seen, later])
        whole = whole + np.einsum("tgk,sk->stg", seen, draws["control"])
    return np.asarray(whole * data.size * data.unit, dtype=np.float64)


def predicted(p: Posterior) -> Floats:
    """(S, T, G) expected target in every period of the data, whether it counted or not."""
    return baseline(p) + contributions(p).sum(axis=-1)


def noise(p: Posterior) -> Floats:
    """(S, G) standard deviation of a period's target around its expectation."""
    data = p.setting.data
    return np.asarray(p.draws["noise"] * data.size * data.unit, dtype=np.float64)


def lifts(p: Posterior, tests: LiftRows) -> Floats:
    """(S, M) lift each test should find, in the target's unit."""
    memory, half, slope = _parts(p)
    saturate, at = SATURATIONS[p.setting.form.saturation], tests.channel
    gain = np.zeros((p.count, *tests.counted.shape))
    for sign, media in ((1.0, tests.with_test), (-1.0, tests.without)):
        carried = np.einsum("nwl,snl->snw", media, memory[:, at])
        gain += sign * saturate(carried, half[:, at, None], slope[:, at, None])
    worth = _worth(p)[:, tests.geo, at]
    return np.asarray(worth * (gain * tests.counted).sum(axis=-1) @ tests.test.T, dtype=np.float64)
