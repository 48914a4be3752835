"""Why a customer's probability is what it is: Shapley values of the logistic model, exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.propensity.logistic import CalibratedLogistic


def contributions(model: CalibratedLogistic, features: pd.DataFrame) -> pd.DataFrame:
    """Contribution of each feature to each customer's log odds, against the average training customer.

    φⱼ = b·βⱼ·(xⱼ − E xⱼ) with b the calibration's slope: for a linear model the Shapley value under
    independent features (Štrumbelj & Kononenko 2014; Lundberg & Lee 2017, NeurIPS, corollary 1). Columns of
    one feature (levels, hinges, "is missing") are added up. base_log_odds + Σφ = log odds of the row.

    Returns:
        Frame (rows, features), in log odds.
    """
    parts = model.encoding.matrix(features) * np.asarray(model.coefficients) * model.calibration_slope
    table = pd.DataFrame(parts, index=features.index, columns=model.encoding.columns)
    owners = pd.Index(model.encoding.owners)
    return pd.DataFrame({name: table.loc[:, owners == name].sum(axis=1) for name in dict.fromkeys(owners)})


def base_log_odds(model: CalibratedLogistic) -> float:
    """Log odds of the average training customer."""
    return model.calibration_intercept + model.calibration_slope * model.intercept


def importance(model: CalibratedLogistic, features: pd.DataFrame) -> pd.Series[Any]:
    """Mean |φ| of each feature over the rows, largest first, equal ones by name."""
    mean = contributions(model, features).abs().mean()
    return mean.sort_index().sort_values(ascending=False, kind="stable")


def reasons(model: CalibratedLogistic, features: pd.DataFrame, most: int = 3) -> list[str]:
    """For each row the features that move it most, in words: "orders = 7 raises (+0.83); …"."""
    table = contributions(model, features)
    names = np.asarray(table.columns)
    values = table.to_numpy(dtype=np.float64)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :most]
    texts = []
    for row, places in enumerate(order):
        said = []
        for place in places:
            moved, value = float(values[row, place]), features[names[place]].iloc[row]
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            said.append(f"{names[place]} = {shown} {'raises' if moved > 0 else 'lowers'} ({moved:+.2f})")
        texts.append("; ".join(said))
    return texts
