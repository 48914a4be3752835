"""Did the arms get the shares they were meant to? If not, no result of the experiment can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from lakehouse.science.unfit import UnfitData

WARNS_BELOW = 0.01
BLOCKS_BELOW = 0.001


@dataclass(frozen=True)
class SampleRatio:
    """state: "as planned", "suspicious" (p below .01), "blocked" (below .001), "overridden".

    override: who accepted a blocked result and why, as recorded.
    """

    statistic: float
    p_value: float
    state: Literal["as planned", "suspicious", "blocked", "overridden"]
    override: str | None = None

    def require(self) -> None:
        """Raise unless the result may be shown."""
        if self.state == "blocked":
            raise UnfitData(
                f"Sample ratio: p = {self.p_value:.2g} is below {BLOCKS_BELOW}: units are lost or doubled in "
                "one arm, so the result is withheld. Look at redirects, bots and logging of exposures; to "
                "show it all the same, record an override with a name and a reason."
            )


def sample_ratio(observed: Mapping[str, int], shares: Mapping[str, float], override: str | None = None) -> SampleRatio:
    """Pearson's χ² of units per arm against the planned shares, arms − 1 degrees of freedom.

    Fabijan et al. (2019), "Diagnosing sample ratio mismatch in online controlled experiments", KDD '19.
    """
    if set(observed) != set(shares):
        raise UnfitData(f"sample_ratio: units in {sorted(observed)}, shares for {sorted(shares)}; name the same arms.")
    counts = np.array([observed[arm] for arm in shares], dtype=np.float64)
    planned = np.array(list(shares.values()), dtype=np.float64)
    if counts.sum() == 0 or planned.min() <= 0:
        raise UnfitData(f"sample_ratio: units {dict(observed)}, shares {dict(shares)}; all shares must be above 0.")
    expected = counts.sum() * planned / planned.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    chance = float(stats.chi2.sf(statistic, len(counts) - 1))
    if chance < BLOCKS_BELOW:
        return SampleRatio(statistic, chance, "overridden" if override else "blocked", override)
    return SampleRatio(statistic, chance, "suspicious" if chance < WARNS_BELOW else "as planned")
