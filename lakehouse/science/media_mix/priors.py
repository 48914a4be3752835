"""What is believed before looking at sales: weakly, from spend shares, or from past experiments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lakehouse.science.media_mix.data import MediaData
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
COMMON, APART = 0.7, 0.7
"""Deviations of logarithms: of what channels have in common, and of a channel from it."""


@dataclass(frozen=True)
class Priors:
    """effect ~ Normal(centre, spread) above zero (C,): a channel's contribution per active period in units of mean sales,
    so that total contribution = effect × active periods, and ROAS = that × unit ÷ spend.

    alike (C,): where true, effect ~ LogNormal(ln spread + common, APART) with common ~ Normal(0, COMMON), so that channels which the data
    show well tell how strong media is here, and those which hardly vary follow them (partial pooling: Gelman & Hill 2007, ch. 12).

    retention ~ Beta(a, b). half ~ LogNormal(ln median, deviation), as a multiple of the largest spend in a period.
    slope ~ LogNormal(ln median, deviation). shape, peak: of the Weibull and delayed adstock.
    """

    centre: Floats
    spread: Floats
    retention: tuple[float, float] = (1.0, 3.0)
    half: tuple[float, float] = (0.6, 0.8)
    slope: tuple[float, float] = (1.3, 0.4)
    alike: npt.NDArray[np.bool_] | None = None


def weak(data: MediaData, media_share: float = 0.5) -> Priors:
    """Every channel alike: HalfNormal, together expected to bring `media_share` of sales. Lets the data speak; use it where
    there is enough variation in spend. Much wider ones expect more sales from media than there are."""
    count = len(data.channels)
    expected = media_share / count * len(data.dates) * data.size.sum() / data.active
    return Priors(np.zeros(count), expected * np.sqrt(np.pi / 2))


def pooled(data: MediaData, media_share: float = 0.3) -> Priors:
    """Channels are alike up to a factor of two or three, and together bring about `media_share` of sales, up to as much: what one of
    them shows is evidence about the others. For several channels of which some hardly vary; not where one may well do nothing."""
    count = len(data.channels)
    expected = media_share / count * len(data.dates) * data.size.sum() / data.active
    return Priors(np.zeros(count), expected, alike=np.ones(count, dtype=np.bool_))


def from_spend(data: MediaData, media_share: float = 0.3) -> Priors:
    """All media are expected to bring about `media_share` of sales, each channel according to its share of spend.

    HalfNormal with that mean; the usual prior where nothing else is known and spend hardly varies. Jin et al. (2017);
    Google's Meridian sets the same belief on ROI.
    """
    if not 0 < media_share < 1:
        raise UnfitData(f"from_spend: media_share = {media_share}; give a share of sales between 0 and 1, e.g. 0.3.")
    spend = data.spend.sum(axis=(0, 1))
    expected = media_share * spend / spend.sum() * len(data.dates) * data.size.sum() / data.active
    return Priors(np.zeros(len(expected)), expected * np.sqrt(np.pi / 2))


def from_experiments(data: MediaData, found: Mapping[str, tuple[float, float]], otherwise: Priors | None = None) -> Priors:
    """found: channel → (ROAS, standard error) of past experiments, outside the data's time. Others keep `otherwise`.

    An experiment inside the data's time belongs into the likelihood (`LiftTest`), never both.
    """
    unknown = set(found) - set(data.channels)
    if unknown:
        raise UnfitData(f"from_experiments: no channel {', '.join(sorted(unknown))}; there are {', '.join(data.channels)}.")
    base = otherwise or weak(data)
    centre, spread = base.centre.copy(), base.spread.copy()
    alike = None if base.alike is None else base.alike.copy()
    rate = data.spend.sum(axis=(0, 1)) / (data.active * data.unit)
    for name, (roas, error) in found.items():
        if error <= 0:
            raise UnfitData(f"from_experiments: {name} has standard error {error}; it must be above 0.")
        at = data.channels.index(name)
        centre[at], spread[at] = roas * rate[at], error * rate[at]
        if alike is not None:
            alike[at] = False
    return replace(base, centre=centre, spread=spread, alike=alike)
