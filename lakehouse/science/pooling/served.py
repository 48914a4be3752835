"""Pooled studies as tables ask for them: numbers in, one row per question out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.pooling.answer import Together

QUESTIONS = ("row_code",)
ANSWERS = (
    "effect", "low", "high", "weight", "drawn_in", "studies", "tau", "i2", "small_study_p", "filled_studies", "filled_effect",
    "selection_p", "selected_effect",
)  # fmt: skip
SUMMARIES = {"mean": "all studies", "prediction": "a further study"}


def code(kind: str, measure: str, row: str, study: str) -> float:
    """A row's number for a table that takes numbers: Spark's crc32 of its names, with | between."""
    return float(zlib.crc32("|".join((kind, measure, row, study)).encode()))


@dataclass(frozen=True)
class ServedPools:
    """answers: row_code and ANSWERS, one row per study, mean and further study. Effects are shares: 0.1 is a tenth more."""

    answers: pd.DataFrame

    @classmethod
    def of(cls, together: Sequence[Together]) -> ServedPools:
        """All rows of all pools, computed once."""
        return cls(pd.concat([_rows(one) for one in together], ignore_index=True))

    def table(self, features: pd.DataFrame) -> pd.DataFrame:
        """One row per row of `features` (QUESTIONS), in their order; a study the pool does not know stays missing."""
        found = features.merge(self.answers, on=list(QUESTIONS), how="left")
        return found[list(ANSWERS)].astype(float)


def _rows(one: Together) -> pd.DataFrame:
    rows = one.forest
    study = [SUMMARIES.get(kind, name) for kind, name in zip(rows["kind"], rows["study"], strict=True)]
    codes = [code(one.kind, one.measure, kind, name) for kind, name in zip(rows["kind"], study, strict=True)]
    made = pd.DataFrame({"row_code": codes, **{name: np.expm1(rows[name]) for name in ("effect", "low", "high")}})
    made["weight"], made["drawn_in"] = rows["weight"], [*np.expm1(one.believed.studies), np.nan, np.nan]
    return made.assign(
        studies=float(len(one.studies)), tau=one.believed.tau, i2=one.classic.i2, small_study_p=one.asymmetry.p_value,
        filled_studies=float(one.filled.missing), filled_effect=float(np.expm1(one.filled.pooled.mean)),
        selection_p=one.selected.p_value, selected_effect=float(np.expm1(one.selected.mean)),
    )  # fmt: skip
