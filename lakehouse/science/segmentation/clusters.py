"""Clusterings of a standardised matrix, with labels numbered the same way every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lakehouse.science.propensity.unfit import UnfitData

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Cluster = Callable[[Matrix, int], Labels]
NOISE = -1


def k_means(x: Matrix, k: int, seed: int = 0) -> Labels:
    """k-means++ (Arthur & Vassilvitskii 2007), best of ten starts; labels 0 … k − 1, the largest cluster first."""
    from sklearn.cluster import KMeans

    return ordered(KMeans(_valid(x, k), n_init=10, random_state=seed).fit_predict(x), x)


def hierarchical(x: Matrix, k: int, linkage: Literal["ward", "complete", "average", "single"] = "ward") -> Labels:
    """Agglomerative clustering cut at k clusters; Ward's joins raise the sum of squares least (1963, JASA 58)."""
    from sklearn.cluster import AgglomerativeClustering

    return ordered(AgglomerativeClustering(_valid(x, k), linkage=linkage).fit_predict(x), x)


def dbscan(x: Matrix, radius: float, least: int) -> Labels:
    """Dense regions: chains of points with `least` points within `radius` (Ester et al. 1996, KDD); −1 is noise."""
    from sklearn.cluster import DBSCAN

    return ordered(DBSCAN(eps=radius, min_samples=least).fit_predict(_finite(x)), x)


def hdbscan(x: Matrix, least: int = 25) -> Labels:
    """Clusters that persist over densities, of at least `least` points (Campello et al. 2013, PAKDD); −1 is noise."""
    from sklearn.cluster import HDBSCAN

    return ordered(HDBSCAN(min_cluster_size=least, copy=True).fit_predict(_finite(x)), x)


def ordered(labels: NDArray[np.int64], x: Matrix) -> Labels:
    """Labels renumbered by falling size, equal sizes by the centre's coordinates; noise stays −1."""
    found = [int(one) for one in np.unique(labels) if one != NOISE]
    place = sorted(found, key=lambda one: (-int(np.sum(labels == one)), tuple(x[labels == one].mean(axis=0))))
    renamed = np.full(len(labels), NOISE, dtype=np.int64)
    for new, old in enumerate(place):
        renamed[labels == old] = new
    return renamed


def silhouette(x: Matrix, labels: Labels, most: int = 3000, seed: int = 0) -> float:
    """Mean (b − a)/max(a, b): a mean distance to the own cluster, b to the nearest other (Rousseeuw 1987).

    Noise counts as a cluster of its own, as in scikit-learn's example. Above `most` rows, of a sample.

    Raises:
        UnfitData: fewer than two clusters.
    """
    from sklearn.metrics import silhouette_score

    if len(np.unique(labels)) < 2:
        raise UnfitData(f"labels: one cluster of {len(labels)} rows; a silhouette needs two: use a smaller radius or k ≥ 2")
    if len(x) > most:
        kept = np.random.default_rng(seed).choice(len(x), most, replace=False)
        x, labels = x[kept], labels[kept]
    return float(silhouette_score(x, labels))


def _valid(x: Matrix, k: int) -> int:
    rows = len(np.unique(_finite(x), axis=0))
    if not 2 <= k <= rows:
        raise UnfitData(f"k: received {k} for {rows} different rows; 2 to {rows} is valid")
    return k


def _finite(x: Matrix) -> Matrix:
    if x.ndim != 2 or not np.isfinite(x).all():
        raise UnfitData(f"x: received shape {x.shape} with {int(np.sum(~np.isfinite(x)))} missing values; encode them first")
    return x
