"""Diminishing returns: the share of a channel's ceiling reached at carried media x.

Every form is stated by `half`, the media at which half the ceiling is reached, so that priors and answers compare
across forms. `xp` is numpy, or pytensor.tensor inside the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TINY = 1e-15
_LOG3, _ATANH_HALF = float(np.log(3.0)), float(np.arctanh(0.5))


def hill(x: Any, half: Any, slope: Any, xp: Any = np) -> Any:
    """x^s / (x^s + h^s): S-shaped for s > 1, Michaelis–Menten for s = 1. Hill (1910), J. of Physiology 40."""
    return 1 / (1 + xp.exp(-slope * (xp.log(x + TINY) - xp.log(half))))


def michaelis(x: Any, half: Any, slope: Any, xp: Any = np) -> Any:
    """x / (x + h): hill with slope 1, whatever `slope`. Michaelis & Menten (1913)."""
    return x / (x + half)


def logistic(x: Any, half: Any, slope: Any, xp: Any = np) -> Any:
    """(1 − e^(−λx)) / (1 + e^(−λx)), λ = ln 3 / h; `slope` is not used. PyMC-Marketing's default."""
    decay = xp.exp(-_LOG3 / half * x)
    return (1 - decay) / (1 + decay)


def tanh(x: Any, half: Any, slope: Any, xp: Any = np) -> Any:
    """tanh(x · artanh(½) / h). The same curve as `logistic`, since tanh(u) = (1 − e^(−2u)) / (1 + e^(−2u))."""
    return xp.tanh(_ATANH_HALF / half * x)


def exponential(x: Any, half: Any, slope: Any, xp: Any = np) -> Any:
    """1 − 2^(−x/h): between logistic and Michaelis–Menten."""
    return 1 - xp.exp(-float(np.log(2.0)) / half * x)


SATURATIONS: dict[str, Callable[..., Any]] = {
    "hill": hill,
    "michaelis": michaelis,
    "logistic": logistic,
    "tanh": tanh,
    "exponential": exponential,
}
