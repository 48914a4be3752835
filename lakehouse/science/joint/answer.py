"""The joint model: one posterior of channels' effects from a media mix, experiments and attribution.

    θ ~ Normal(m, S)                                    logarithms of effects: the media mix's posterior is the prior here
    y_j ~ Normal(part_j · exp θ_c, error_j² + gap²)      each experiment, with its error
    log a_c ~ Normal(θ_c + b, τ² + error_c² + gap²)      attribution: off by a common factor e^b, and by τ from channel to channel
    b ~ Normal(0, ½), log τ ~ Normal(log ½, ½)           both learned from where sources overlap
    w_c = softmax(log s_c + δ_c), δ_cg ~ Normal(−σ_cg²/2, σ_cg²)   where the effect lies: place g has exp(θ_c) · w_cg
    z_k ~ Normal(Σ_g part_kg · exp(θ_c) · w_cg, error_k² + gap²)   each experiment in some places

Places add up to the whole in every draw. s: shares of sales (`Places.of`), with a logistic-normal law: Aitchison, Shen (1980),
"Logistic-normal distributions", Biometrika 67(2); channel effects pooled over geographies as in Sun et al. (2017), "Geo-level Bayesian
hierarchical media mix modeling", Google. Where no experiment tells, δ keeps its prior, so a place is less sure than the whole.

What measurement does not see (`seen` below 1: no match, no consent, doubled) is scaled up, and the scaling itself is taken for
unsure: gap = log(1 / seen), as a relative error. Sampled by elliptical slice sampling, which is exact for normal priors and has
nothing to tune: Murray, Adams, MacKay (2010), "Elliptical slice sampling", AISTATS 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.joint.evidence import Attributed, Mix, Study, counted_once
from lakehouse.science.joint.places import Places, PlaceStudy, softmax, spots_of

Floats = npt.NDArray[np.float64]
BIAS, SPREAD, SPREAD_KNOWN = 0.5, 0.5, 0.5


@dataclass(frozen=True)
class Joint:
    """effects (S, C): draws in the effect's unit. bias (S,), spread (S,): of attribution, as logarithms.

    shares: channel → names of its places and draws (S, P) of where its effect lies, adding up to 1 in each draw.
    """

    channels: tuple[str, ...]
    effects: Floats
    bias: Floats
    spread: Floats
    shares: Mapping[str, tuple[tuple[str, ...], Floats]] = field(default_factory=dict)

    def table(self, level: float = 0.9) -> pd.DataFrame:
        """channel, effect (median), low, high."""
        low, middle, high = np.quantile(self.effects, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0)
        return pd.DataFrame({"channel": list(self.channels), "effect": middle, "low": low, "high": high})

    def by_place(self, level: float = 0.9) -> pd.DataFrame:
        """channel, place, effect, low, high. effect: the channel's median, split in proportion to mean effects, so that places add
        up to `table` exactly."""
        rows = []
        for at, channel in enumerate(self.channels):
            if channel not in self.shares:
                continue
            names, shares = self.shares[channel]
            there = self.effects[:, [at]] * shares
            middle = np.median(self.effects[:, at]) * there.mean(axis=0) / self.effects[:, at].mean()
            low, high = np.quantile(there, [(1 - level) / 2, (1 + level) / 2], axis=0)
            rows.append(pd.DataFrame({"channel": channel, "place": list(names), "effect": middle, "low": low, "high": high}))
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["channel", "place", "effect", "low", "high"])


def join(
    mix: Mix,
    studies: Sequence[Study] = (),
    attributed: Sequence[Attributed] = (),
    *,
    places: Sequence[Places] = (),
    placed: Sequence[PlaceStudy] = (),
    draws: int = 3000,
    warm: int = 300,
    seed: int = 0,
) -> Joint:
    """The joint posterior. A study counts once: in the mix's likelihood or here. places: of channels to be split; placed:
    experiments in some of their places."""
    counted_once(mix, studies, attributed, placed)
    place = {name: at for at, name in enumerate(mix.channels)}
    tested = np.array([place[s.channel] for s in studies], dtype=int)
    found = np.array([s.effect / s.seen for s in studies])
    noise = np.array([_unseen(s.error, s.effect, s.seen) for s in studies])
    part = np.array([s.part for s in studies])
    told = np.array([place[a.channel] for a in attributed], dtype=int)
    credit = np.array([np.log(a.credit / a.seen) for a in attributed])
    unsure = np.array([a.error**2 + np.log(1 / a.seen) ** 2 for a in attributed])
    count = len(mix.channels)
    spots, questions = spots_of(places, placed, count + 2)

    def log_likelihood(x: Floats) -> float:
        total = -0.5 * float((((found - part * np.exp(x[tested])) / noise) ** 2).sum())
        variance = np.exp(2 * x[count + 1]) + unsure
        total -= 0.5 * float(((credit - x[told] - x[count]) ** 2 / variance + np.log(variance)).sum())
        for study, parts, where in questions:
            expected = np.exp(x[place[study.channel]]) * float(softmax(where, x[spots[study.channel]]) @ parts)
            total -= 0.5 * ((study.effect / study.seen - expected) / _unseen(study.error, study.effect, study.seen)) ** 2
        return total

    wide = [where.spread for where in places if where.channel in spots]
    centre = np.concatenate([mix.mean, [0.0, np.log(SPREAD)], *(np.zeros(len(one)) for one in wide)])
    root = np.diag(np.concatenate([np.zeros(count), [BIAS, SPREAD_KNOWN], *wide]))
    root[:count, :count] = np.linalg.cholesky(mix.covariance + 1e-10 * np.eye(count))
    kept = _slices(centre, root, log_likelihood, draws, warm, np.random.default_rng(seed))
    free = np.random.default_rng([seed, 1])
    shares = {}
    for where in places:
        own = kept[:, spots[where.channel]] if where.channel in spots else free.normal(size=(draws, len(where.names))) * where.spread
        shares[where.channel] = (where.names, softmax(where, own))
    return Joint(mix.channels, np.exp(kept[:, :count]), kept[:, count], np.exp(kept[:, count + 1]), shares)


def _unseen(error: float, effect: float, seen: float) -> float:
    return float(np.hypot(error / seen, effect / seen * np.log(1 / seen)))


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


def moved_by(
    mix: Mix,
    studies: Sequence[Study],
    attributed: Sequence[Attributed],
    *,
    places: Sequence[Places] = (),
    placed: Sequence[PlaceStudy] = (),
    **how: int,
) -> pd.DataFrame:
    """Which evidence moved each channel, in all (`place` "") and in each of `places`: its effect by all, and what it would be without
    experiments, without attribution and by the media mix alone; `width` likewise for the 90 % interval (high ÷ low)."""
    asked = {
        "all": (studies, attributed, placed),
        "without experiments": ((), attributed, ()),
        "without attribution": (studies, (), placed),
    }
    frames = []
    for name, (tests, credits, there) in {**asked, "media mix alone": ((), (), ())}.items():
        joint = join(mix, tests, credits, places=places, placed=there, **how)
        table = pd.concat([joint.table().assign(place=""), *([joint.by_place()] if places else [])], ignore_index=True)
        frames.append(table.assign(evidence=name, width=table["high"] / table["low"]))
    return pd.concat(frames, ignore_index=True)[["channel", "place", "evidence", "effect", "low", "high", "width"]]
