"""A spending plan's question and its response: what each amount for each channel would bring, draw by draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from lakehouse.science.media_mix.mix import MediaMix
from lakehouse.science.media_mix.response import contributions
from lakehouse.science.media_mix.sampling import Posterior
from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Budget:
    """What is to be decided, all amounts in the data's spend unit, summed over the window.

    total: fixed, for all channels, pinned ones included. periods: length of the window, which follows the data.
    bounds: channel → (least, most); without one, from 0 to twice the most ever spent in a window of that length.
    pinned: channel → amount that is fixed. pattern (periods,): how a channel's amount is spread over the window, flat if empty.
    risk: None maximises the mean; 0.25 maximises what is reached in three of four cases. by_geo: each geography decides by
    itself (bounds and pins hold for a channel's share in proportion to its recent split); otherwise the recent split stays.
    """

    total: float
    periods: int
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    pinned: Mapping[str, float] = field(default_factory=dict)
    pattern: tuple[float, ...] = ()
    risk: float | None = None
    by_geo: bool = False


@dataclass(frozen=True)
class Cell:
    """One amount to decide: a channel, or a channel in a geography."""

    channel: str
    geo: str | None
    least: float
    most: float
    recent: float


@dataclass(frozen=True)
class Responses:
    """grid (J, cells): amounts; drawn (J, cells, S): target gained by them beyond what past advertising still brings, with
    the carryover that comes after the window. in_flight (cells, S): what past advertising still brings."""

    cells: tuple[Cell, ...]
    grid: Floats
    drawn: Floats
    in_flight: Floats

    def curves(self) -> list[PchipInterpolator]:
        """amount → (S,) per cell; monotone between the points."""
        return [PchipInterpolator(self.grid[:, i], self.drawn[:, i], axis=0) for i in range(len(self.cells))]


def _window_most(spend: Floats, periods: int) -> Floats:
    sums = np.cumsum(np.concatenate([np.zeros((1, *spend.shape[1:])), spend]), axis=0)
    width = min(periods, len(spend))
    return np.asarray((sums[width:] - sums[:-width]).max(axis=0) * periods / width, dtype=np.float64)


def cells(mix: MediaMix, budget: Budget) -> tuple[Cell, ...]:
    """The amounts to decide, with bounds. Refuses what cannot add up, saying by how much."""
    data = mix.data
    unknown = (set(budget.bounds) | set(budget.pinned)) - set(data.channels)
    if unknown:
        raise UnfitData(f"budget: no channel {', '.join(sorted(unknown))}; there are {', '.join(data.channels)}.")
    if budget.periods < 1 or budget.total <= 0 or (budget.pattern and len(budget.pattern) != budget.periods):
        raise UnfitData(
            f"budget: total {budget.total:g} over {budget.periods} periods with a pattern of {len(budget.pattern)}; "
            "give a total above 0, at least one period, and a pattern as long as the window or none."
        )
    if budget.risk is not None and not 0 < budget.risk < 1:
        raise UnfitData(f"budget: risk = {budget.risk}; a quantile between 0 and 1, e.g. 0.25, or None for the mean.")
    recent = data.spend[-budget.periods :].sum(axis=0) * budget.periods / min(budget.periods, len(data.dates))
    found = []
    for i, channel in enumerate(data.channels):
        parts = recent[:, i] if recent[:, i].sum() > 0 else data.spend[:, :, i].sum(axis=0)
        share = parts / parts.sum()
        least, most = budget.bounds.get(channel, (0.0, 2 * float(_window_most(data.spend.sum(axis=1), budget.periods)[i])))
        if channel in budget.pinned:
            least = most = budget.pinned[channel]
        if not 0 <= least <= most:
            raise UnfitData(f"budget: {channel} is bounded by {least:g} and {most:g}; give 0 ≤ least ≤ most.")
        places = list(enumerate(data.geos)) if budget.by_geo else [(None, None)]
        for place, geo in places:
            part = 1.0 if place is None else float(share[place])
            now = float(recent[:, i].sum()) if place is None else float(recent[place, i])
            found.append(Cell(channel, geo, least * part, most * part, now))
    low, high = sum(c.least for c in found), sum(c.most for c in found)
    if not low - 1e-9 <= budget.total <= high + 1e-9:
        raise UnfitData(
            f"budget: {budget.total:g} cannot be placed, bounds and pins allow {low:g} to {high:g}; "
            + ("raise upper bounds." if budget.total > high else "lower the least amounts or the pinned ones.")
        )
    return tuple(found)


def laid_out(mix: MediaMix, budget: Budget, amounts: Floats) -> Floats:
    """(periods, G, C) spend per period of one amount per cell: spread by the pattern, and over geographies by the recent split."""
    data = mix.data
    pattern = np.asarray(budget.pattern or np.ones(budget.periods), dtype=np.float64)
    geos, channels = len(data.geos), len(data.channels)
    if budget.by_geo:
        whole = amounts.reshape(channels, geos).T
    else:
        now = data.spend[-budget.periods :].sum(axis=0)
        now = np.where(now.sum(axis=0) > 0, now, data.spend.sum(axis=0))
        whole = now / now.sum(axis=0) * amounts
    return np.asarray((pattern / pattern.sum())[:, None, None] * whole, dtype=np.float64)


def responses(mix: MediaMix, budget: Budget, draws: int = 240, points: int = 33) -> Responses:
    """Every cell's response on a grid from 0 to its upper bound. Channels add up, so one pass per grid point serves all."""
    data, wanted = mix.data, cells(mix, budget)
    geos, channels = len(data.geos), len(data.channels)
    top = np.array([max(c.most, 1e-9) for c in wanted])
    scale = np.linspace(0, 1, points)
    most = laid_out(mix, budget, top)

    def brought(part: Posterior, level: float) -> Floats:
        tail = np.zeros((part.setting.lags - 1, geos, channels))
        past = data.spend[-part.setting.lags :]
        gained = contributions(part, np.concatenate([most * level, tail]), past).sum(axis=1)
        return np.asarray(gained.transpose(2, 1, 0).reshape(channels * geos, -1) if budget.by_geo else gained.sum(axis=1).T)

    total = sum(part.count for part in mix.parts)
    thin = [part.thinned(max(1, round(draws * part.count / total))) for part in mix.parts]
    drawn = np.stack([np.concatenate([brought(part, level) for part in thin], axis=1) for level in scale])
    return Responses(wanted, scale[:, None] * top, drawn - drawn[0], drawn[0])
