"""The one answer of a period, from rows of evidence as tables hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lakehouse.science.joint.answer import moved_by
from lakehouse.science.joint.evidence import Attributed, Mix, Study

SOURCES = ("media mix", "experiment", "attribution", "sales")
ANSWERS = (
    "channel", "effect", "low", "high", "media_mix", "media_mix_low", "media_mix_high", "moved_by_experiments", "moved_by_attribution",
    "evidence",
)  # fmt: skip
VAGUE, VAGUE_SPREAD = 0.03, 1.2
"""What is believed of a channel that an experiment speaks about and the media mix does not, having no spend: 0.4 to 22 % of sales."""


def one_answer(evidence: pd.DataFrame, draws: int = 1500) -> pd.DataFrame:
    """ANSWERS, one row per channel, in the effect's unit; no row where the media mix says nothing of the period.

    evidence: `source` (SOURCES), `name`, `channel`, `effect`, `error`, `seen`. error: standard error, of an experiment in the effect's
    unit, of media mix and attribution relative to the effect (deviation of its logarithm). seen: share of conversions that
    the measurement sees. A row of "sales" gives the period's total, for channels without spend. moved_by: the effect by all evidence
    less what it is without experiments, or without attribution.
    """
    of = {source: evidence[evidence["source"] == source] for source in SOURCES}
    known = of["media mix"][of["media mix"]["effect"] > 0].sort_values("channel")
    if known.empty:
        return pd.DataFrame(columns=list(ANSWERS))
    total = float(of["sales"]["effect"].sum())
    further = sorted(set(of["experiment"]["channel"]) - set(known["channel"])) if total > 0 else []
    spread = np.concatenate([known["error"].to_numpy(dtype=np.float64), np.full(len(further), VAGUE_SPREAD)])
    middle = np.concatenate([np.log(known["effect"].to_numpy(dtype=np.float64)), np.full(len(further), np.log(VAGUE * max(total, 1e-9)))])
    mix = Mix((*known["channel"], *further), middle, np.diag(spread**2))
    studies = [
        Study(str(row["name"]), str(row["channel"]), float(row["effect"]), float(row["error"]), seen=float(row["seen"]))
        for _, row in of["experiment"].iterrows()
        if row["channel"] in mix.channels and row["error"] > 0
    ]
    credited = [
        Attributed(str(row["channel"]), float(row["effect"]), max(float(row["error"]), 0.01), float(row["seen"]))
        for _, row in of["attribution"].iterrows()
        if row["channel"] in mix.channels and row["effect"] > 0
    ]
    moved = moved_by(mix, studies, credited, draws=draws).set_index(["evidence", "channel"])
    whole, alone = moved.loc["all"], moved.loc["media mix alone"].copy()
    alone.loc[further] = np.nan
    said = {channel: ["media mix"] if channel not in further else [] for channel in mix.channels}
    for study in studies:
        said[study.channel].append(f"experiment {study.name}")
    for credit in credited:
        said[credit.channel].append("attribution")
    return pd.DataFrame(
        {
            "channel": whole.index,
            **{name: whole[name].to_numpy() for name in ("effect", "low", "high")},
            **{f"media_mix{end}": alone[name].to_numpy() for name, end in (("effect", ""), ("low", "_low"), ("high", "_high"))},
            "moved_by_experiments": (whole["effect"] - moved.loc["without experiments"]["effect"]).to_numpy(),
            "moved_by_attribution": (whole["effect"] - moved.loc["without attribution"]["effect"]).to_numpy(),
            "evidence": [", ".join(said[str(channel)]) for channel in whole.index],
        }
    )[list(ANSWERS)]
