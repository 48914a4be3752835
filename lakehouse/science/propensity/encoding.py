"""From a frame of customer features to a matrix of standardised numbers, learnt once and written as JSON.

Numbers are standardised, (x − mean) ÷ standard deviation; skewed ones after sign(x)·log(1 + |x|);
missing ones filled with the median beside a column that says so; texts become one 0/1 column per value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lakehouse.science.propensity.unfit import UnfitData

Matrix = NDArray[np.float64]
MOST_LEVELS = 50
SKEWED = 1.0
KNOTS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Feature:
    """How one column of the frame becomes columns of the matrix."""

    name: str
    levels: tuple[str, ...] = ()
    fill: float = 0.0
    flags_missing: bool = False
    log: bool = False
    knots: tuple[float, ...] = ()
    means: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the matrix columns, `name`, `name = value`, `name > knot`, `name is missing`."""
        if self.levels:
            return [f"{self.name} = {level}" for level in self.levels]
        hinges = [f"{self.name} > {knot:g}" for knot in self.knots]
        return [self.name, *hinges, *([f"{self.name} is missing"] if self.flags_missing else [])]

    def raw(self, values: pd.Series[Any]) -> Matrix:
        """Matrix columns before standardisation, shape (rows, len(columns))."""
        if self.levels:
            text = values.astype("string").fillna("").to_numpy(dtype=object)
            return np.column_stack([(text == level).astype(np.float64) for level in self.levels])
        number = _as_numbers(values, self.name)
        missing = np.isnan(number)
        number = np.where(missing, self.fill, number)
        if self.log:
            number = np.sign(number) * np.log1p(np.abs(number))
        parts = [number, *(np.maximum(number - knot, 0.0) for knot in self.knots)]
        if self.flags_missing:
            parts.append(missing.astype(np.float64))
        return np.column_stack(parts)


@dataclass(frozen=True)
class Encoding:
    """All features, in the order of the matrix."""

    features: tuple[Feature, ...]

    @property
    def columns(self) -> list[str]:
        """Names of all matrix columns."""
        return [column for feature in self.features for column in feature.columns]

    @property
    def owners(self) -> list[str]:
        """For each matrix column, the feature it comes from."""
        return [feature.name for feature in self.features for _ in feature.columns]

    def matrix(self, frame: pd.DataFrame) -> Matrix:
        """Standardised matrix, shape (rows, columns); a text not seen in training gives zeros before scaling.

        Raises:
            UnfitData: a feature of the training is not in the frame.
        """
        absent = [feature.name for feature in self.features if feature.name not in frame.columns]
        if absent:
            raise UnfitData(f"features: column {absent[0]!r} is not among {list(frame.columns)}; add {absent}")
        parts = [(feature.raw(frame[feature.name]) - np.asarray(feature.means)) / np.asarray(feature.scales) for feature in self.features]
        return np.column_stack(parts)


def learn_encoding(frame: pd.DataFrame, log1p: Sequence[str] | Literal["auto"] = "auto", hinges: Sequence[str] = ()) -> Encoding:
    """Learn medians, levels, means and standard deviations (population, ddof 0) from the training rows.

    Args:
        frame: one row per customer, columns numbers, booleans, decimals or texts.
        log1p: columns to take the logarithm of; "auto" takes those without negative values, with more than
            two values, and with skewness m₃ / m₂^1.5 above 1.
        hinges: columns that also get max(x − quartile, 0) for three quartiles: a curve instead of a line.

    Raises:
        UnfitData: no rows or columns, dates, or a text column with more than 50 values (an identifier?).
    """
    if frame.empty:
        raise UnfitData(f"features: received shape {frame.shape}; at least one row and one column are needed")
    for given, argument in ((() if log1p == "auto" else log1p, "log1p"), (hinges, "hinges")):
        unknown = [name for name in given if name not in frame.columns]
        if unknown:
            raise UnfitData(f"{argument}: {unknown[0]!r} is no feature; valid: {list(frame.columns)}")
    return Encoding(tuple(_learn(frame[name], str(name), log1p, name in hinges) for name in frame.columns))


def _learn(values: pd.Series[Any], name: str, log1p: Sequence[str] | Literal["auto"], curved: bool) -> Feature:
    if _is_text(values):
        levels = tuple(sorted({str(value) for value in values.dropna()}))
        if not 1 <= len(levels) <= MOST_LEVELS:
            raise UnfitData(
                f"features: column {name!r} has {len(levels)} different texts; 1 to {MOST_LEVELS} are valid: "
                "leave identifiers out, group rare values"
            )
        return _scaled(Feature(name, levels), values)
    number = _as_numbers(values, name)
    known = number[~np.isnan(number)]
    if len(known) == 0:
        raise UnfitData(f"features: column {name!r} has no value in any of {len(number)} rows; leave it out")
    log = _is_skewed(known) if log1p == "auto" else name in log1p
    shown = np.sign(known) * np.log1p(np.abs(known)) if log else known
    cuts = np.unique(np.quantile(shown, KNOTS)) if curved else np.empty(0)
    knots = tuple(float(cut) for cut in cuts if shown.min() < cut < shown.max())
    return _scaled(Feature(name, (), float(np.median(known)), len(known) < len(number), log, knots), values)


def _scaled(feature: Feature, values: pd.Series[Any]) -> Feature:
    raw = np.sort(feature.raw(values), axis=0)  # sums in one order, whatever the order of the rows
    spread = raw.std(axis=0)
    scales = tuple(float(s) if s > 1e-12 else 1.0 for s in spread)
    means = tuple(float(m) for m in raw.mean(axis=0))
    return replace(feature, means=means, scales=scales)


def _is_skewed(known: Matrix) -> bool:
    if known.min() < 0 or len(np.unique(known)) < 3:
        return False
    centred = np.sort(known) - np.sort(known).mean()
    return bool(np.mean(centred**3) > SKEWED * np.mean(centred**2) ** 1.5)


def _is_text(values: pd.Series[Any]) -> bool:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return True
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return False
    known = values.dropna()
    return len(known) > 0 and isinstance(known.iloc[0], str)


def _as_numbers(values: pd.Series[Any], name: str) -> Matrix:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        raise UnfitData(f"features: column {name!r} holds times; give days before the scoring date instead")
    known = values.dropna()
    valid = (bool, int, float, Decimal, np.number)
    if values.dtype == object and len(known) and not isinstance(known.iloc[0], valid):
        kind = type(known.iloc[0]).__name__
        raise UnfitData(f"features: column {name!r} holds {kind}; give numbers, booleans, decimals, texts")
    return pd.to_numeric(values, errors="raise").to_numpy(dtype=np.float64, na_value=np.nan)
