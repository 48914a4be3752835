"""Why a customer's probability is what it is: Shapley values, exact for the logistic model, sampled for any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from lakehouse.science.propensity.logistic import CalibratedLogistic
from lakehouse.science.propensity.unfit import UnfitData, Vector


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
    columns = [features[name].to_numpy() for name in names]
    texts = []
    for row, places in enumerate(order):
        said = []
        for place in places:
            moved, value = float(values[row, place]), columns[place][row]
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            said.append(f"{names[place]} = {shown} {'raises' if moved > 0 else 'lowers'} ({moved:+.2f})")
        texts.append("; ".join(said))
    return texts


def sampled_contributions(
    predict: Callable[[pd.DataFrame], Vector], features: pd.DataFrame, background: pd.DataFrame, *, rounds: int = 2, seed: int = 0
) -> pd.DataFrame:
    """Shapley values of any model, such as a challenger's log odds, against the rows of `background`.

    For each background row the features of a customer take its place one after the other, in a random order and in
    the reverse of it; φⱼ is the mean change when j is replaced (Štrumbelj & Kononenko 2014, Knowledge and
    Information Systems 41, algorithm 2, with antithetic orders as in Mitchell et al. 2022, JMLR 23). Σφ = predict(row) −
    mean predict(background), exactly. Costs 2 · rounds · (rows of background) · (features + 1) predictions per row.

    Args:
        predict: from a frame to one number per row.
        features: rows to explain.
        background: what they are compared with, such as 50 training rows.
        rounds: orders drawn per background row.

    Returns:
        Frame (rows, features).

    Raises:
        UnfitData: columns differ, or no background.
    """
    names = list(features.columns)
    if background.empty or set(names) != set(background.columns):
        raise UnfitData(f"background: {len(background)} rows of {list(background.columns)}; rows of {names} are needed")
    draw = np.random.default_rng(seed)
    total = np.zeros((len(features), len(names)))
    for place in range(len(background)):
        start = pd.DataFrame({name: [background[name].iloc[place]] * len(features) for name in names}, index=features.index)
        start = start.astype(background[names].dtypes.to_dict())
        first = predict(start)
        for _ in range(rounds):
            order = draw.permutation(len(names))
            for way in (order, order[::-1]):
                frame, before = start.copy(), first
                for column in way:
                    frame[names[column]] = features[names[column]].to_numpy()
                    after = predict(frame)
                    total[:, column] += after - before
                    before = after
    return pd.DataFrame(total / (2 * rounds * len(background)), index=features.index, columns=names)
