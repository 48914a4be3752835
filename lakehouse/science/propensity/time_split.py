"""Training on what was known, checking on what came later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lakehouse.science.propensity.unfit import UnfitData


@dataclass(frozen=True)
class TimeSplit:
    """Rows to train on, rows to check on, and rows left out since their label looks past the boundary."""

    train: NDArray[np.bool_]
    later: NDArray[np.bool_]
    boundary: pd.Timestamp

    @property
    def left_out(self) -> int:
        """Rows in neither part."""
        return int(np.sum(~self.train & ~self.later))


def split_by_time(
    at: pd.Series[Any],
    *,
    boundary: pd.Timestamp | str | None = None,
    later_share: float = 0.25,
    horizon: pd.Timedelta | str = "0D",
) -> TimeSplit:
    """Split rows at a moment so that no training label was known only after it.

    A row of time t whose label looks `horizon` ahead trains if t + horizon ≤ boundary and checks if
    t ≥ boundary; those between are left out (de Prado 2018, Advances in Financial Machine Learning, §7.4:
    purging). Rows of one time are never divided.

    Args:
        at: the time features were computed as of, one per row.
        boundary: the moment; or None for the earliest time with at most `later_share` of the rows from it on.
        later_share: share of rows to check on, between 0 and 1, where no boundary is given.
        horizon: how far the label looks ahead, such as "30D".

    Raises:
        UnfitData: a missing time, a share out of range, or either part is empty.
    """
    times = pd.Series(pd.to_datetime(at)).reset_index(drop=True)
    if times.empty or times.isna().any():
        raise UnfitData(f"at: {int(times.isna().sum())} of {len(times)} times are missing; every row needs one")
    if boundary is None:
        if not 0 < later_share < 1:
            raise UnfitData(f"later_share: received {later_share}; a share between 0 and 1 is valid")
        distinct, rows = np.unique(times.to_numpy(), return_counts=True)
        from_here = np.cumsum(rows[::-1])[::-1]
        fitting = distinct[from_here <= later_share * len(times)]
        moment = pd.Timestamp(fitting[0] if len(fitting) else distinct[-1])
    else:
        moment = pd.Timestamp(boundary)
    train = (times + pd.Timedelta(horizon) <= moment).to_numpy()
    later = (times >= moment).to_numpy()
    train &= ~later
    if not train.any() or not later.any():
        raise UnfitData(
            f"boundary {moment}, horizon {horizon}: {int(train.sum())} rows to train on, {int(later.sum())} "
            f"later; times reach from {times.min()} to {times.max()}: choose a boundary between them"
        )
    return TimeSplit(train, later, moment)
