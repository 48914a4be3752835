"""What a media mix model is fitted on: sales, spend and controls per period and geography, in one unit each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lakehouse.science.unfit import UnfitData

Floats = npt.NDArray[np.float64]
YEAR = 365.25


@dataclass(frozen=True)
class MediaData:
    """dates (T,) evenly spaced; target (T, G) e.g. revenue; spend (T, G, C), never below zero; controls (T, G, K).

    before (B, G, C): spend of the periods ahead of the first, if known. National data has one geography.
    """

    dates: pd.DatetimeIndex
    target: Floats
    spend: Floats
    controls: Floats
    channels: tuple[str, ...]
    geos: tuple[str, ...] = ("national",)
    control_names: tuple[str, ...] = ()
    before: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse what no model could use."""
        periods, geos, channels = len(self.dates), len(self.geos), len(self.channels)
        shapes = (self.target.shape, self.spend.shape, self.controls.shape)
        wanted = ((periods, geos), (periods, geos, channels), (periods, geos, len(self.control_names)))
        if shapes != wanted:
            raise UnfitData(f"media data: target, spend, controls are {shapes}; with these dates and names they must be {wanted}.")
        if not all(np.isfinite(part).all() for part in (self.target, self.spend, self.controls)):
            raise UnfitData("media data: a value is missing or infinite; fill gaps (0 for spend) or leave the period out.")
        if periods < 26:
            raise UnfitData(f"media data: {periods} periods; at least 26 are needed, two years to separate seasons from media.")
        if (self.spend < 0).any() or (self.target.mean(axis=0) <= 0).any():
            raise UnfitData("media data: spend below zero or a geography without sales; use amounts ≥ 0 and drop empty geographies.")
        silent = [name for name, total in zip(self.channels, self.spend.sum(axis=(0, 1)), strict=True) if total <= 0]
        if silent:
            raise UnfitData(f"media data: no spend at all in {', '.join(silent)}; leave the channel out.")
        steps = np.diff(self.dates.to_numpy()).astype("timedelta64[h]").astype(float)
        if steps.min() <= 0 or steps.max() > steps.min() * 1.01:
            raise UnfitData(f"media data: steps between dates run from {steps.min():g} to {steps.max():g} hours; give even ones, in order.")

    @property
    def step_days(self) -> float:
        """Days from one period to the next."""
        return float((self.dates[1] - self.dates[0]) / pd.Timedelta(days=1))

    @property
    def unit(self) -> float:
        """Mean target per period and geography: what the model calls 1."""
        return float(self.target.mean())

    @property
    def size(self) -> Floats:
        """(G,) a geography's mean target relative to the average one."""
        return np.asarray(self.target.mean(axis=0) / self.unit, dtype=np.float64)

    @property
    def reference(self) -> Floats:
        """(C,) the largest spend in a period, per unit of size: what the model calls 1 for media."""
        return np.asarray((self.spend / self.size[:, None]).max(axis=(0, 1)), dtype=np.float64)

    def scaled(self, spend: Floats) -> Floats:
        """spend (…, G, C) in the model's unit."""
        return np.asarray(spend / self.size[:, None] / self.reference, dtype=np.float64)

    @property
    def active(self) -> Floats:
        """(C,) periods with spend, geographies weighed by size."""
        return np.asarray(((self.spend > 0) * self.size[:, None]).sum(axis=(0, 1)), dtype=np.float64)


def from_frame(
    frame: pd.DataFrame,
    *,
    date: str,
    target: str,
    channels: Sequence[str] | Mapping[str, str],
    controls: Sequence[str] = (),
    geo: str | None = None,
) -> MediaData:
    """One row per period (and geography). channels: spend columns, or name → column."""
    columns = dict(channels) if isinstance(channels, Mapping) else {name: name for name in channels}
    missing = [c for c in (date, target, *columns.values(), *controls, *([geo] if geo else [])) if c not in frame]
    if missing:
        raise UnfitData(f"media data: no column {', '.join(missing)}; there are {', '.join(map(str, frame.columns))}.")
    rows = frame.assign(_date=pd.to_datetime(frame[date]), _geo=frame[geo].astype(str) if geo else "national")
    doubled = int(rows.duplicated(["_date", "_geo"]).sum())
    if doubled:
        raise UnfitData(f"media data: {doubled} rows repeat a date and geography; aggregate first, or name the geography's column.")

    def panel(column: str) -> Floats:
        return rows.pivot(index="_date", columns="_geo", values=column).sort_index().to_numpy(dtype=np.float64)

    def stack(names: Sequence[str], like: Floats) -> Floats:
        return np.stack([panel(name) for name in names], axis=-1) if names else np.zeros((*like.shape, 0))

    sales = panel(target)
    return MediaData(
        dates=pd.DatetimeIndex(sorted(rows["_date"].unique())),
        target=sales,
        spend=stack(list(columns.values()), sales),
        controls=stack(list(controls), sales),
        channels=tuple(columns),
        geos=tuple(sorted(rows["_geo"].unique())),
        control_names=tuple(controls),
    )


def holiday_flags(dates: pd.DatetimeIndex, holidays: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """(T, holidays) days of each holiday within each period (its first day is the date): controls to add to a frame."""
    step = dates[1] - dates[0]
    found = {}
    for name, days in holidays.items():
        marks = pd.DatetimeIndex(pd.to_datetime(list(days)))
        found[name] = [float(((marks >= start) & (marks < start + step)).sum()) for start in dates]
    return pd.DataFrame(found, index=dates)
