"""Leaks: what a model is told in training and will not know when it scores. Each check fails; none repairs silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lakehouse.science.propensity.unfit import UnfitData, binary

ALONE = 0.985


class LeakFound(UnfitData):
    """Training rows hold something that is not known when the model scores. Says which column or rows, and the repair."""


def nothing_known_later(known_until: pd.Series[Any], moment: pd.Series[Any]) -> None:
    """The newest record that features of a row were computed from was there before the row's moment.

    Args:
        known_until: when the newest record used was recorded, one per row; missing where none was used.
        moment: when the features would have been computed.

    Raises:
        LeakFound: a row used something recorded at or after its moment.
    """
    late = (pd.to_datetime(known_until, utc=True) >= pd.to_datetime(moment, utc=True)).to_numpy()
    if late.any():
        first = int(np.flatnonzero(late)[0])
        raise LeakFound(
            f"{int(late.sum())} of {len(late)} rows use what was recorded later: the first as of {moment.iloc[first]} knows "
            f"{known_until.iloc[first]}. Select by the time of recording, before the moment: recorded_at < moment"
        )


def no_column_tells_alone(
    features: pd.DataFrame, label: ArrayLike, most: float = ALONE, allowed: Mapping[str, float] | None = None
) -> pd.Series[Any]:
    """No column alone ranks the label better than real behaviour does: AUC of each, in either direction, at most `most`.

    Texts and the mere fact that a value is missing are judged too (a text by the mean label of its value on the
    other half of the rows). A column that legitimately ranks so well is named in `allowed` with its own limit.

    Returns:
        AUC by column, highest first.

    Raises:
        LeakFound: a column is above its limit: a proxy of the label, or one written after it.
    """
    y = binary(label, "label", len(features))
    found: dict[str, float] = {}
    for name in map(str, features.columns):
        column = features[name]
        auc = _alone(_as_ranks(column, y), y)
        if column.isna().any() and not column.isna().all():
            auc = max(auc, _alone(column.isna().to_numpy(dtype=np.float64), y))
        found[name] = auc
    table = pd.Series(found).sort_values(ascending=False, kind="stable")
    limits = {name: (allowed or {}).get(name, most) for name in table.index}
    beyond = [name for name in table.index if table[name] > limits[name]]
    if beyond:
        raise LeakFound(
            f"column '{beyond[0]}' alone ranks the label with AUC {table[beyond[0]]:.3f} (at most {limits[beyond[0]]} is believed). "
            f"Is it made from the label, or written after it? Leave it out, compute it as of the moment, or allow it: "
            f"allowed={{'{beyond[0]}': …}}. Suspects: {beyond}"
        )
    return table


def labels_known_by(as_of: pd.Series[Any], horizon: pd.Timedelta | str, boundary: pd.Timestamp | str) -> None:
    """Labels of training rows were complete at the boundary from which on the model is checked.

    Raises:
        LeakFound: a row's label looks past the boundary, into what the check asks.
    """
    end = pd.to_datetime(as_of) + pd.Timedelta(horizon)
    late = (end > pd.Timestamp(boundary)).to_numpy()
    if late.any():
        raise LeakFound(
            f"{int(late.sum())} of {len(late)} training rows have labels that end after {pd.Timestamp(boundary).date()}, up to "
            f"{end.max().date()}: the model has seen the answers of its check. Leave rows of the last {horizon} before it out "
            "(split_by_time with horizon=)"
        )


def rows_apart(train: pd.DataFrame, later: pd.DataFrame, key: Sequence[str]) -> None:
    """No row is trained on and checked on.

    Raises:
        LeakFound: rows of one key are in both parts.
    """
    both = train[list(key)].drop_duplicates().merge(later[list(key)].drop_duplicates(), on=list(key))
    if len(both):
        raise LeakFound(
            f"{len(both)} rows are in both the training and the check, the first: {both.iloc[0].to_dict()}. Divide by time "
            "before anything is fitted, and give each row one part"
        )


def same_when_replayed(now: pd.DataFrame, then: pd.DataFrame, key: Sequence[str], gone: float = 0.0) -> None:
    """Features of a past moment computed from today's tables equal those computed at that moment.

    Catches what windows alone do not show: a current value in place of the one that held then (type 1 for type
    2), a status that came later, a record dated back.

    Args:
        now, then: frames of the same columns, one row per key.
        key: columns that identify a row.
        gone: share of the rows of then that may be missing now (people erased since).

    Raises:
        LeakFound: a column differs, or rows came or went beyond `gone`.
    """
    keys = list(key)
    both = then.merge(now, on=keys, how="outer", suffixes=("_then", "_now"), indicator=True)
    new, lost = int((both["_merge"] == "right_only").sum()), int((both["_merge"] == "left_only").sum())
    if new or lost > gone * len(then):
        raise LeakFound(
            f"{new} rows of today's computation were not there then, {lost} of {len(then)} rows of then are missing: who counts "
            "must be decided by what was known at the moment"
        )
    both = both[both["_merge"] == "both"]
    for name in [str(c) for c in then.columns if c not in keys]:
        before, after = both[f"{name}_then"], both[f"{name}_now"]
        same = (before == after) | (before.isna() & after.isna())
        if pd.api.types.is_float_dtype(before.dtype):
            same |= np.isclose(before.astype(float), after.astype(float), rtol=1e-12, atol=1e-12, equal_nan=True)
        if not same.all():
            row = both[~same].iloc[0]
            raise LeakFound(
                f"column '{name}' of {int((~same).sum())} of {len(both)} rows is not what it was at the moment: "
                f"{row[keys].to_dict()} was {row[f'{name}_then']!r}, is {row[f'{name}_now']!r}. Read the version valid then "
                "(type 2, valid_from ≤ moment < valid_to) and records by their time of recording"
            )


def _as_ranks(column: pd.Series[Any], y: Any) -> Any:
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        number = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(number), np.nanmedian(number) if not np.isnan(number).all() else 0.0, number)
    text = column.astype("string").fillna("").to_numpy(dtype=object)
    half = np.arange(len(y)) % 2 == 0
    score = np.full(len(y), float(y.mean()))
    for part in (half, ~half):
        mean = pd.Series(y[~part]).groupby(text[~part]).mean()
        score[part] = pd.Series(text[part]).map(mean).fillna(float(y.mean())).to_numpy()
    return score


def _alone(score: Any, y: Any) -> float:
    rank = pd.Series(score).rank(method="average").to_numpy()
    positives = float(y.sum())
    auc = (float(rank[y == 1].sum()) - positives * (positives + 1) / 2) / (positives * (len(y) - positives))
    return max(auc, 1 - auc)
