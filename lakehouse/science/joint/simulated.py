"""Channels whose effects are known, and three sources that see them each in its own wrong way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakehouse.science.joint.evidence import Attributed, Mix, Study

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """truth (C,): effects. The sources as the joint model takes them."""

    truth: Floats
    mix: Mix
    studies: tuple[Study, ...]
    attributed: tuple[Attributed, ...]


def scene(seed: int, *, channels: int = 6, tested: int = 3, attribution_bias: float = 0.3, attribution_spread: float = 0.25) -> Scene:
    """A media mix whose errors (35 %) are correlated between channels, experiments of 20 % error on some channels, and
    attribution that credits e^`attribution_bias` times the effect, give or take `attribution_spread`."""
    random = np.random.default_rng([11, seed])
    names = tuple(f"channel {i}" for i in range(channels))
    truth = np.exp(random.normal(10, 0.7, channels))
    wide = 0.35**2 * (0.7 * np.eye(channels) + 0.3)
    seen = np.log(truth) + np.linalg.cholesky(wide) @ random.normal(size=channels)
    chosen = random.choice(channels, tested, replace=False)
    studies = []
    for at in chosen:
        part, error = 0.1, 0.2 * 0.1 * truth[at]
        studies.append(Study(f"test {at}", names[at], float(part * truth[at] + random.normal(0, error)), float(error), part))
    off = attribution_bias + random.normal(0, attribution_spread, channels)
    attributed = tuple(Attributed(name, float(value * np.exp(o))) for name, value, o in zip(names, truth, off, strict=True))
    return Scene(truth, Mix(names, seen, wide), tuple(studies), attributed)
