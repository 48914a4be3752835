"""From a list of studies to what they say together: pooled where they are enough, and what is missing where they are not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lakehouse.science.pooling.bayes import Believed, believe
from lakehouse.science.pooling.random_effects import Floats, Pooled, pool
from lakehouse.science.pooling.small_studies import Asymmetry, Filled, Selection, egger, selection, trim_and_fill
from lakehouse.science.pooling.studies import NEEDED, cells_ratio, forest, require_enough
from lakehouse.science.unfit import UnfitData

CELLS = ("measure", "study", "effect", "error", "cells", "units")


@dataclass(frozen=True)
class Together:
    """Studies of one kind and measure, on the log ratio scale: `believed` is the answer, with the default priors of `believe`.

    studies: `study`, `effect`, `error`, one row each. classic: REML with Hartung–Knapp errors, beside it. The three checks ask what
    small, or unseen, studies would change.
    """

    kind: str
    measure: str
    studies: pd.DataFrame
    believed: Believed
    classic: Pooled
    asymmetry: Asymmetry
    filled: Filled
    selected: Selection

    @property
    def forest(self) -> pd.DataFrame:
        """Rows of `forest`: the studies with REML's weights, then mean and further study as `believed` has them."""
        own = self.believed
        told = replace(self.classic, mean=own.mean, low=own.low, high=own.high, next_low=own.next_low, next_high=own.next_high)
        return forest(list(self.studies["study"]), *_figures(self.studies), told)


def _figures(studies: pd.DataFrame) -> tuple[Floats, Floats]:
    return studies["effect"].to_numpy(dtype=np.float64), studies["error"].to_numpy(dtype=np.float64) ** 2


def pool_studies(studies: pd.DataFrame, kind: str, measure: str) -> Together:
    """Pool three or more studies of one kind; studies: `study`, `effect` (log ratio), `error` (its standard error)."""
    kept = studies[["study", "effect", "error"]].sort_values("study", ignore_index=True)
    effects, variances = _figures(kept)
    believed = believe(effects, variances)
    return Together(
        kind, measure, kept, believed, pool(effects, variances, adjusted=True), egger(effects, variances),
        trim_and_fill(effects, variances), selection(effects, variances, positive=believed.mean > 0),
    )  # fmt: skip


def pool_each(studies: pd.DataFrame) -> tuple[list[Together], list[str]]:
    """Every `kind` and `measure` with enough studies (`require_enough`), pooled; and of the others what is missing, in words.

    studies: columns `kind`, `measure`, `study`, `effect`, `error`. Those without an error, or of a kind that is not pooled, don't count.
    """
    usable = studies[studies["kind"].isin(list(NEEDED)) & studies["effect"].notna() & (studies["error"] > 0)]
    together, lacking = [], []
    for kind in NEEDED:
        of_kind = usable[usable["kind"] == kind]
        measures = sorted(of_kind["measure"].unique()) or ["any measure"]
        for measure in measures:
            rows = of_kind[of_kind["measure"] == measure]
            try:
                require_enough(kind, len(rows))  # type: ignore[arg-type]
            except UnfitData as few:
                lacking.append(f"{measure}: {few}")
            else:
                together.append(pool_studies(rows, kind, measure))
    return together, lacking


def read_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """One study, columns CELLS, from the results of one experiment and KPI that are shares: `control`, `treatment`, `control_units`,
    `arm_units`, one row per treated arm, all against one control. Without any event there is no ratio and no row."""
    units, first = rows["arm_units"].to_numpy(dtype=np.float64), rows.iloc[0]
    control = float(first["control_units"])
    events = np.round(rows["treatment"].to_numpy(dtype=np.float64) * units)
    seen = round(float(first["control"]) * control)
    if events.sum() + seen == 0:
        return pd.DataFrame(columns=list(CELLS), dtype=object)
    effect, variance = cells_ratio((seen, control), events, units)
    known = (first["kpi"], first["experiment"], effect, float(np.sqrt(variance)), len(rows), int(units.sum() + control))
    return pd.DataFrame([known], columns=list(CELLS))
