"""The refusal of data from which a method cannot give an honest answer, and the commonest checks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lakehouse.science.unfit import UnfitData

__all__ = ["UnfitData", "Vector", "binary", "numbers", "one_of"]

Vector = NDArray[np.float64]


def numbers(values: ArrayLike, name: str, length: int | None = None) -> Vector:
    """The values as a finite vector of floats.

    Raises:
        UnfitData: not one dimension, another length than `length`, or NaN or infinity among them.
    """
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise UnfitData(f"{name}: received shape {vector.shape}; one number per row is valid")
    if length is not None and len(vector) != length:
        raise UnfitData(f"{name}: received {len(vector)} values beside {length} rows; give one per row")
    bad = int(np.sum(~np.isfinite(vector)))
    if bad:
        raise UnfitData(f"{name}: {bad} of {len(vector)} values are missing or infinite; drop or fill them")
    return vector


def binary(values: ArrayLike, name: str, length: int | None = None, both: bool = True) -> Vector:
    """The values as a vector of 0.0 and 1.0.

    Raises:
        UnfitData: another value than 0, 1, False, True; or (with `both`) one of the two does not occur.
    """
    vector = numbers(values, name, length)
    found = np.unique(vector)
    if not np.isin(found, (0.0, 1.0)).all():
        raise UnfitData(f"{name}: received the values {found[:5].tolist()}…; only 0 and 1 are valid")
    if both and len(found) < 2:
        raise UnfitData(f"{name}: {len(vector)} rows, all {found.tolist()}; rows of both 0 and 1 are needed: widen it")
    return vector


def one_of(value: str, valid: Sequence[str], name: str) -> str:
    """The value, if it is among the valid ones.

    Raises:
        UnfitData: it is not.
    """
    if value not in valid:
        raise UnfitData(f"{name}: received {value!r}; valid: {', '.join(valid)}")
    return value
