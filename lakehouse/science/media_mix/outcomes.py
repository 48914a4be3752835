"""What people ask of a media mix: contributions, return on spend, curves, and how much of it came from where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.priors import APART, COMMON
from lakehouse.science.media_mix.response import baseline, contributions, steady
from lakehouse.science.media_mix.sampling import Posterior

Floats = npt.NDArray[np.float64]
LEVEL = 0.9


def interval(draws: Floats, level: float = LEVEL) -> dict[str, Floats]:
    """mean, low, high over the first axis; equal tails."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {"mean": draws.mean(axis=0), "low": low, "high": high}


def weekly_contributions(mix: MediaMix, level: float = LEVEL) -> pd.DataFrame:
    """date, channel (also "baseline"), mean, low, high: all geographies together, per period."""
    media = mix.draws(lambda p: contributions(p).sum(axis=2))
    rest = mix.draws(lambda p: baseline(p).sum(axis=2))
    frames = [
        pd.DataFrame({"date": mix.data.dates, "channel": name, **interval(part, level)})
        for name, part in (*((c, media[:, :, i]) for i, c in enumerate(mix.data.channels)), ("baseline", rest))
    ]
    return pd.concat(frames, ignore_index=True)


def returns(mix: MediaMix, level: float = LEVEL, step: float = 0.01) -> pd.DataFrame:
    """Per channel: spend, contribution, ROAS = contribution ÷ spend, marginal ROAS = further contribution ÷ further spend if
    every period's spend were `step` larger; each with low and high."""
    spend = mix.data.spend.sum(axis=(0, 1))
    total = mix.draws(lambda p: contributions(p).sum(axis=(1, 2)))
    more = mix.draws(lambda p: contributions(p, mix.data.spend * (1 + step), mix.data.before).sum(axis=(1, 2)))
    table = {"channel": list(mix.data.channels), "spend": spend}
    for name, draws in (("contribution", total), ("roas", total / spend), ("marginal_roas", (more - total) / (step * spend))):
        found = interval(draws, level)
        table |= {name: found["mean"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
    return pd.DataFrame(table)


def curves(mix: MediaMix, level: float = LEVEL, largest: float = 2.0, points: int = 41) -> pd.DataFrame:
    """channel, multiple, spend, mean, low, high: contribution per period if that spend went on for ever."""
    multiples = np.linspace(0, largest, points)
    spend = steady(mix.parts[0], multiples)[0]
    drawn = interval(mix.draws(lambda p: steady(p, multiples)[1]), level)
    return pd.concat(
        [
            pd.DataFrame(
                {"channel": name, "multiple": multiples, "spend": spend[:, i], **{key: value[:, i] for key, value in drawn.items()}}
            )
            for i, name in enumerate(mix.data.channels)
        ],
        ignore_index=True,
    )


def by_form(mix: MediaMix, level: float = LEVEL) -> pd.DataFrame:
    """channel, form, weight, ROAS with interval; `apart` = largest minus smallest mean over the forms ÷ the stack's mean."""
    spend = mix.data.spend.sum(axis=(0, 1))
    whole = mix.draws(lambda p: contributions(p).sum(axis=(1, 2)) / spend).mean(axis=0)
    rows, means = [], []
    for fit, weight in zip(mix.fits, mix.weights, strict=True):
        drawn = interval(contributions(fit.thinned(400)).sum(axis=(1, 2)) / spend, level)
        means.append(drawn["mean"])
        rows.append(pd.DataFrame({"channel": list(mix.data.channels), "form": str(fit.setting.form), "weight": weight, **drawn}))
    apart = np.ptp(np.stack(means), axis=0) / whole
    return pd.concat([row.assign(apart=apart) for row in rows], ignore_index=True)


def out_of_time(mix: MediaMix) -> pd.DataFrame:
    """Per form: periods foreseen, error, bias, coverage, mean score, refits, worst Pareto shape."""
    return pd.DataFrame(
        [
            {
                "form": str(fit.setting.form),
                "weight": weight,
                **seen.error,
                "score": float(seen.score.mean()),
                "refits": len(seen.refits),
                "worst_pareto": float(seen.pareto.max()),
            }
            for fit, weight, seen in zip(mix.fits, mix.weights, mix.foresight, strict=True)
        ]
    )


def _believed(p: Posterior) -> tuple[Floats, Floats]:
    """(mean, deviation) (C,) of the prior on the effect: a normal law above zero, or log-normal where channels are alike."""
    priors = p.setting.priors
    law = stats.truncnorm(-priors.centre / priors.spread, np.inf, loc=priors.centre, scale=priors.spread)
    mean, deviation = np.asarray(law.mean(), dtype=np.float64), np.asarray(law.std(), dtype=np.float64)
    if priors.alike is not None:
        wide = COMMON**2 + APART**2
        middle = priors.spread * np.exp(wide / 2)
        mean = np.where(priors.alike, middle, mean)
        deviation = np.where(priors.alike, middle * np.sqrt(np.expm1(wide)), deviation)
    return mean, deviation


def prior_and_posterior(mix: MediaMix) -> pd.DataFrame:
    """Per channel, as ROAS: prior and posterior mean and deviation, and the data's pull.

    pull: 1 − posterior ÷ prior variance, 0 where nothing was learned, 1 where the prior no longer matters (negative: the
    data spread it). shift: posterior minus prior mean in prior deviations; beyond 2 the two disagree.
    """
    data = mix.data
    worth = data.active * data.unit / data.spend.sum(axis=(0, 1))
    mean, spread = _believed(mix.fits[0])
    found = mix.draws(lambda p: p.draws["effect"])
    return pd.DataFrame(
        {
            "channel": list(data.channels),
            "prior_mean": mean * worth,
            "prior_deviation": spread * worth,
            "mean": found.mean(axis=0) * worth,
            "deviation": found.std(axis=0) * worth,
            "pull": 1 - found.var(axis=0) / spread**2,
            "shift": (found.mean(axis=0) - mean) / spread,
        }
    )
