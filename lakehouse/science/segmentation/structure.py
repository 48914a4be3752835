"""How many clusters, how stable, and whether there are any at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.segmentation.clusters import NOISE, Cluster, Labels, Matrix, k_means, silhouette

STABLE = 0.75


@dataclass(frozen=True)
class Segments:
    """An accepted clustering: labels, and the evidence by number of clusters."""

    labels: Labels
    k: int
    evidence: pd.DataFrame


def jaccard_stability(
    x: Matrix, labels: Labels, cluster: Cluster = k_means, draws: int = 10, seed: int = 0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """For each cluster, the mean over bootstrap samples of the best |A ∩ B| ÷ |A ∪ B| with a cluster found there.

    Hennig 2007, Computational Statistics & Data Analysis 52: below .6 not to be trusted, from .75 on stable.
    """
    draw = np.random.default_rng(seed)
    k = int(labels.max()) + 1
    best = np.empty((draws, k))
    for i in range(draws):
        rows = np.unique(draw.integers(0, len(x), len(x)))
        found, before = cluster(x[rows], k), labels[rows]
        for one in range(k):
            inside = before == one
            best[i, one] = max(
                (float(np.sum(inside & (found == other)) / max(np.sum(inside | (found == other)), 1))) for other in np.unique(found)
            )
    return np.asarray(best.mean(axis=0))


def dispersion(x: Matrix, labels: Labels) -> float:
    """ln Σ squared distances to the cluster's centre, the W of the gap statistic."""
    inside = sum(float(((x[labels == one] - x[labels == one].mean(axis=0)) ** 2).sum()) for one in np.unique(labels))
    return float(np.log(max(inside, 1e-300)))


def without_structure(x: Matrix, draw: np.random.Generator) -> Matrix:
    """As many points, uniform in the box along the principal axes of x (Tibshirani et al. 2001, method b)."""
    centred = x - x.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    turned = centred @ axes.T
    return np.asarray(draw.uniform(turned.min(axis=0), turned.max(axis=0), turned.shape) @ axes + x.mean(axis=0))


def one_cloud(x: Matrix, draw: np.random.Generator) -> Matrix:
    """As many points of one normal cloud with the mean and covariance of x."""
    covariance = np.cov(x, rowvar=False).reshape(x.shape[1], x.shape[1])
    return np.asarray(draw.multivariate_normal(x.mean(axis=0), covariance, len(x), method="eigh"))


def find_segments(
    x: Matrix,
    *,
    k_range: tuple[int, int] = (2, 8),
    cluster: Cluster = k_means,
    references: int = 10,
    most: int = 2000,
    seed: int = 0,
) -> Segments:
    """The number of clusters of highest silhouette among those with structure and stability.

    For each k: the gap ln W* − ln W over uniform references with its s (Tibshirani, Walther & Hastie 2001,
    JRSS B 63), the silhouette, and the lowest bootstrap Jaccard of its clusters. A k is accepted if

    * its silhouette exceeds every one of the `references` uniform and as many one-cloud data sets' (a Monte
      Carlo test as SigClust's, Liu et al. 2008, JASA 103, against both shapes without clusters),
    * its gap exceeds the gap of one cluster by one s, and
    * its least stable cluster has a Jaccard of .75 or more.

    Args:
        x: standardised matrix, shape (customers, features).
        k_range: smallest and largest k.
        cluster: from (x, k) to labels; deterministic.
        most: rows used for the evidence; all rows are labelled.

    Raises:
        UnfitData: no k is accepted: there is no structure to segment by. Says how far each test was from it.
    """
    draw = np.random.default_rng(seed)
    kept = x if len(x) <= most else x[np.sort(draw.choice(len(x), most, replace=False))]
    boxes = [without_structure(kept, draw) for _ in range(references)]
    clouds = [one_cloud(kept, draw) for _ in range(references)]
    alone = np.zeros(len(kept), dtype=np.int64)
    gap_of_one = float(np.mean([dispersion(box, alone) for box in boxes])) - dispersion(kept, alone)
    rows = []
    for k in range(k_range[0], k_range[1] + 1):
        labels = cluster(kept, k)
        box_labels = [cluster(box, k) for box in boxes]
        expected = np.array([dispersion(box, found) for box, found in zip(boxes, box_labels, strict=True)])
        chance = [silhouette(box, found) for box, found in zip(boxes, box_labels, strict=True)]
        shape = silhouette(kept, labels)
        if shape > max(chance):  # the costlier tests only where the first is passed
            chance += [silhouette(cloud, cluster(cloud, k)) for cloud in clouds]
        gap, s = float(expected.mean()) - dispersion(kept, labels), float(expected.std() * np.sqrt(1 + 1 / references))
        stable = float(jaccard_stability(kept, labels, cluster, seed=seed).min()) if shape > max(chance) else np.nan
        accepted = shape > max(chance) and gap > gap_of_one + s and stable >= STABLE
        rows.append((k, shape, max(chance), gap, s, stable, bool(accepted)))
    columns = ["k", "silhouette", "by_chance", "gap", "s", "jaccard", "accepted"]
    evidence = pd.DataFrame(rows, columns=columns).set_index("k")
    if not evidence["accepted"].any():
        k = int(evidence["silhouette"].idxmax())
        best = evidence.loc[k]
        raise UnfitData(
            f"no structure: the best of k = {k_range[0]} … {k_range[1]} is k = {k} with silhouette {best['silhouette']:.3f} "
            f"(without structure up to {best['by_chance']:.3f}) gap {best['gap']:.2f} "
            f"(above {gap_of_one + best['s']:.2f} needed), stability {best['jaccard']:.2f} ({STABLE} needed); "
            "use RFM scores or value tiers instead, or other features (logarithms of skewed ones)"
        )
    chosen = int(evidence.loc[evidence["accepted"], "silhouette"].idxmax())
    return Segments(cluster(x, chosen), chosen, evidence)


def share_of_noise(labels: Labels) -> float:
    """Share of rows in no cluster."""
    return float(np.mean(labels == NOISE))
