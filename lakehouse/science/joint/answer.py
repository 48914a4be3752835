"""The joint model: one posterior of channels' effects from a media mix, experiments and attribution.

    θ ~ Normal(m, S)                                    logarithms of effects: the media mix's posterior is the prior here
    y_j ~ Normal(part_j · exp θ_c, error_j² + gap²)      each experiment, with its error
    log a_c ~ Normal(θ_c + b, τ² + error_c² + gap²)      attribution: off by a common factor e^b, and by τ from channel to channel
    b ~ Normal(0, ½), log τ ~ Normal(log ½, ½)           both learned from where sources overlap

What measurement does not see (`seen` below 1: no match, no consent, doubled) is scaled up, and the scaling itself is taken for
unsure: gap = log(1 / seen), as a relative error. Sampled by elliptical slice sampling, which is exact for normal priors and has
nothing to tune: Murray, Adams, MacKay (2010), "Elliptical slice sampling", AISTATS 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.joint.evidence import Attributed, Mix, Study, counted_once

Floats = npt.NDArray[np.float64]
BIAS, SPREAD, SPREAD_KNOWN = 0.5, 0.5, 0.5


@dataclass(frozen=True)
class Joint:
    """effects (S, C): draws in the effect's unit. bias (S,), spread (S,): of attribution, as logarithms."""

    channels: tuple[str, ...]
    effects: Floats
    bias: Floats
    spread: Floats

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """channel, effect (median), low, high."""
        low, middle, high = np.quantile(self.effects, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0)
        return pd.DataFrame({"channel": list(self.channels), "effect": middle, "low": low, "high": high})


def join(
    mix: Mix, studies: Sequence[Study] = (), attributed: Sequence[Attributed] = (), *, draws: int = 3000, warm: int = 300, seed: int = 0
) -> Joint:
    """The joint posterior. A study counts once: in the mix's likelihood or here."""
    counted_once(mix, studies, attributed)
    place = {name: at for at, name in enumerate(mix.channels)}
    tested = np.array([place[s.channel] for s in studies], dtype=int)
    found = np.array([s.effect / s.seen for s in studies])
    noise = np.array([np.hypot(s.error / s.seen, s.effect / s.seen * np.log(1 / s.seen)) for s in studies])
    part = np.array([s.part for s in studies])
    told = np.array([place[a.channel] for a in attributed], dtype=int)
    credit = np.array([np.log(a.credit / a.seen) for a in attributed])
    unsure = np.array([a.error**2 + np.log(1 / a.seen) ** 2 for a in attributed])
    count = len(mix.channels)

    def log_likelihood(x: Floats) -> float:
        total = -0.5 * float((((found - part * np.exp(x[tested])) / noise) ** 2).sum())
        variance = np.exp(2 * x[-1]) + unsure
        return total - 0.5 * float(((credit - x[told] - x[-2]) ** 2 / variance + np.log(variance)).sum())

    centre = np.concatenate([mix.mean, [0.0, np.log(SPREAD)]])
    root = np.zeros((count + 2, count + 2))
    root[:count, :count] = np.linalg.cholesky(mix.covariance + 1e-10 * np.eye(count))
    root[count, count], root[count + 1, count + 1] = BIAS, SPREAD_KNOWN
    kept = _slices(centre, root, log_likelihood, draws, warm, np.random.default_rng(seed))
    return Joint(mix.channels, np.exp(kept[:, :count]), kept[:, -2], np.exp(kept[:, -1]))


def _slices(
    centre: Floats, root: Floats, log_likelihood: Callable[[Floats], float], draws: int, warm: int, random: np.random.Generator
) -> Floats:
    """Draws (S, D) of Normal(centre, root rootᵀ) × likelihood."""
    at = np.zeros(len(centre))
    known = log_likelihood(centre + at)
    kept = np.empty((draws, len(centre)))
    for step in range(-warm, draws):
        other = root @ random.normal(size=len(centre))
        floor = known + np.log(random.random())
        angle = random.uniform(0, 2 * np.pi)
        low, high = angle - 2 * np.pi, angle
        while True:
            tried = at * np.cos(angle) + other * np.sin(angle)
            known = log_likelihood(centre + tried)
            if known > floor:
                break
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = random.uniform(low, high)
        at = tried
        if step >= 0:
            kept[step] = centre + at
    return kept


def moved_by(mix: Mix, studies: Sequence[Study], attributed: Sequence[Attributed], **how: int) -> pd.DataFrame:
    """Which evidence moved each channel: its effect by all, and what it would be without experiments, without attribution and
    by the media mix alone; `width` likewise for the 90 % interval (high ÷ low)."""
    asked = {"all": (studies, attributed), "without experiments": ((), attributed), "without attribution": (studies, ())}
    frames = []
    for name, (tests, credits) in {**asked, "media mix alone": ((), ())}.items():
        table = join(mix, tests, credits, **how).table()
        frames.append(table.assign(evidence=name, width=table["high"] / table["low"]))
    return pd.concat(frames, ignore_index=True)[["channel", "evidence", "effect", "low", "high", "width"]]
