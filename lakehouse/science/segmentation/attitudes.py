"""Segments by attitude, from answers to a survey, as something that can be kept and applied to who answers next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lakehouse.science.propensity.unfit import UnfitData
from lakehouse.science.segmentation.inputs import scale_scores, survey_scales
from lakehouse.science.segmentation.model import SegmentModel, fit_segments


@dataclass(frozen=True)
class AttitudeModel:
    """Scales of the survey and the segments found in their scores; `segments` is None where there are no clusters.

    names: of each segment: the scale that stands highest in it.
    reliability: Cronbach's α of each scale.
    """

    scales: Mapping[str, Sequence[str]]
    reliability: Mapping[str, float]
    segments: SegmentModel | None
    names: tuple[str, ...]
    sizes: Mapping[str, int]

    def table(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Columns attitude (the segment's name) and certainty (0 on the border, 1 at the centre) of each row of answers.

        Without clusters a customer's attitude is their own highest scale and certainty how far it stands above the next one, as a
        share of it and one point. Who answered too little of a scale has neither (None, NaN).
        """
        scores = scale_scores(answers, self.scales)
        attitude, certainty = np.full(len(answers), None, dtype=object), np.full(len(answers), np.nan)
        if not len(scores):
            return pd.DataFrame({"attitude": attitude, "certainty": certainty}, index=answers.index)
        if self.segments is None:
            ranked = np.sort(scores.to_numpy(), axis=1)
            ahead = ranked[:, -1] - ranked[:, -2]
            named, sure = scores.to_numpy().argmax(axis=1), ahead / (ahead + 1)
        else:
            found = self.segments.table(scores)
            named, sure = found["segment"].to_numpy(), found["certainty"].to_numpy()
        places = answers.index.get_indexer(scores.index)
        attitude[places], certainty[places] = np.asarray(self.names, dtype=object)[named], sure
        return pd.DataFrame({"attitude": attitude, "certainty": certainty}, index=answers.index)


def fit_attitudes(answers: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, least: float = 0.35, seed: int = 0) -> AttitudeModel:
    """Scales (`survey_scales`), then clusters of their scores where there are any (`fit_segments`), each named by its highest scale.

    Two segments in which the same scale stands highest are told apart by the second highest: "price, speed".

    Args:
        answers: one row per customer, a number per item, missing where not answered.
        scales: scale to its items.
        least: reliability (Cronbach's α) below which a scale is refused; three items of one attitude reach .4 to .7.

    Raises:
        UnfitData: the items of a scale do not hang together, or nobody answered half of each.
    """
    found = survey_scales(answers, scales, least=least)
    if not len(found.scores):
        raise UnfitData(f"answers: none of {len(answers)} customers answered half of the items of each scale {list(scales)}")
    scores = found.scores.reset_index(drop=True)
    segments: SegmentModel | None = fit_segments(scores, pd.Series(np.ones(len(scores))), seed=seed)
    names = tuple(scales)
    if segments is not None and segments.structured:
        labels = segments.table(scores)["segment"].to_numpy()
        means = [scores.to_numpy()[labels == one].mean(axis=0) for one in range(len(segments.centres))]
        names = _names([[str(scores.columns[place]) for place in np.argsort(-mean, kind="stable")] for mean in means])
    else:
        segments = None
    model = AttitudeModel({k: tuple(v) for k, v in scales.items()}, found.reliability, segments, names, {})
    counted = model.table(answers.loc[found.scores.index])["attitude"].value_counts()
    return AttitudeModel(model.scales, found.reliability, segments, names, {str(k): int(v) for k, v in counted.items()})


def _names(orders: Sequence[Sequence[str]]) -> tuple[str, ...]:
    first = [order[0] for order in orders]
    return tuple(order[0] if first.count(order[0]) == 1 else ", ".join(order[:2]) for order in orders)
