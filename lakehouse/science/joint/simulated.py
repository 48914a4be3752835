"""Channels whose effects are known, and three sources that see them each in its own wrong way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakehouse.science.joint.evidence import Attributed, Mix, Study
from lakehouse.science.joint.places import Places, PlaceStudy

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


@dataclass(frozen=True)
class PlacedScene:
    """A scene over places. truth (C, P): effects by place. places, placed: as the joint model takes them."""

    truth: Floats
    scene: Scene
    places: tuple[Places, ...]
    placed: tuple[PlaceStudy, ...]


def placed_scene(seed: int, *, count: int = 8, spread: float = 0.5, tested: int = 3, **how: float) -> PlacedScene:
    """A scene whose effects lie over `count` places of unlike size, off the shares of sales there by `spread`; 30 to 600 orders tell
    of a channel's shares, and the first channel was tested in `tested` places with an error of 20 %."""
    known = scene(seed, **how)  # type: ignore[arg-type]
    random = np.random.default_rng([12, seed])
    names = tuple(f"place {i}" for i in range(count))
    size = random.dirichlet(np.full(count, 3.0))
    truth, places, studies = [], [], []
    for channel, total in zip(known.mix.channels, known.truth, strict=True):
        own = size * np.exp(random.normal(0, 0.3, count))
        own /= own.sum()
        off = own * np.exp(random.normal(0, spread, count))
        truth.append(total * off / off.sum())
        orders = random.multinomial(int(random.integers(30, 600)), own)
        euros = dict(zip(names, 40.0 * orders, strict=True))
        places.append(
            Places.of(channel, dict(zip(names, 1e6 * size, strict=True)), euros, dict(zip(names, orders.astype(float), strict=True)))
        )
    chosen = random.choice(count, tested, replace=False)
    caused = float(truth[0][chosen].sum())
    found, channel = float(random.normal(caused, 0.2 * caused)), known.mix.channels[0]
    studies.append(PlaceStudy("towns", channel, {names[at]: 1.0 for at in chosen}, found, 0.2 * caused))
    return PlacedScene(np.array(truth), known, tuple(places), tuple(studies))
