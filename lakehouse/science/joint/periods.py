"""The one answer of a period, from rows of evidence as tables hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lakehouse.science.joint.answer import moved_by
from lakehouse.science.joint.evidence import Attributed, Mix, Study
from lakehouse.science.joint.places import Places, PlaceStudy

SOURCES = ("media mix", "experiment", "experiment in places", "attribution", "sales")
ANSWERS = (
    "channel", "geography", "effect", "low", "high", "media_mix", "media_mix_low", "media_mix_high", "moved_by_experiments",
    "moved_by_attribution", "evidence",
)  # fmt: skip
EVERYWHERE = "all"
VAGUE, VAGUE_SPREAD = 0.03, 1.2
"""What is believed of a channel that an experiment speaks about and the media mix does not, having no spend: 0.4 to 22 % of sales."""


def one_answer(evidence: pd.DataFrame, draws: int = 1500) -> pd.DataFrame:
    """ANSWERS, one row per channel for EVERYWHERE and one per place with sales, in the effect's unit; no row where the media mix says
    nothing of the period. Places of a channel add up to its row for EVERYWHERE.

    evidence: `source` (SOURCES), `name`, `channel`, `place` (empty: everywhere), `effect`, `error`, `seen`, `count`. error: standard
    error, of an experiment in the effect's unit, of media mix and attribution relative to the effect (deviation of its logarithm).
    seen: share of conversions that the measurement sees. Rows of "sales" give the period's total by place, and with a channel what
    that was the last touch of, with the number of orders as `count`. An "experiment in places" has a row per treated place, effect and
    error being those of all its places, and its share of the period's days as `count`. moved_by: the effect by all evidence less what
    it is without experiments, or without attribution.
    """
    of = {source: evidence[evidence["source"] == source] for source in SOURCES}
    known = of["media mix"][of["media mix"]["effect"] > 0].sort_values("channel")
    if known.empty:
        return pd.DataFrame(columns=list(ANSWERS))
    whole = of["sales"][of["sales"]["channel"] == ""].groupby("place")["effect"].sum()
    total = float(whole.sum())
    placed = _placed(of["experiment in places"], whole)
    tested = (*of["experiment"]["channel"], *(study.channel for study in placed))
    further = sorted(set(tested) - set(known["channel"])) if total > 0 else []
    only = {name: _where_it_ran(name, of, whole) for name in further if name not in set(of["experiment"]["channel"])}
    reach = np.array([sum(only[name].values()) if name in only else total for name in further])
    spread = np.concatenate([known["error"].to_numpy(dtype=np.float64), np.full(len(further), VAGUE_SPREAD)])
    middle = np.concatenate([np.log(known["effect"].to_numpy(dtype=np.float64)), np.log(VAGUE * np.maximum(reach, 1e-9))])
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
    places = _places(mix.channels, of["sales"], whole, only)
    placed = [study for study in placed if study.channel in mix.channels]
    moved = moved_by(mix, studies, credited, places=places, placed=placed, draws=draws)
    found = moved.set_index(["evidence", "channel", "place"])
    alone = found.loc["media mix alone"].copy()
    alone.loc[alone.index.get_level_values("channel").isin(further), :] = np.nan
    by_all = found.loc["all"]
    said = {(c, p): _said(c, p, further, studies, credited, placed) for c, p in by_all.index}
    return pd.DataFrame(
        {
            "channel": by_all.index.get_level_values("channel"),
            "geography": [place or EVERYWHERE for place in by_all.index.get_level_values("place")],
            **{name: by_all[name].to_numpy() for name in ("effect", "low", "high")},
            **{f"media_mix{end}": alone[name].to_numpy() for name, end in (("effect", ""), ("low", "_low"), ("high", "_high"))},
            "moved_by_experiments": (by_all["effect"] - found.loc["without experiments"]["effect"]).to_numpy(),
            "moved_by_attribution": (by_all["effect"] - found.loc["without attribution"]["effect"]).to_numpy(),
            "evidence": [", ".join(said[key]) for key in by_all.index],
        }
    )[list(ANSWERS)]


def _placed(rows: pd.DataFrame, sales: pd.Series[float]) -> list[PlaceStudy]:
    """Studies in places that have sales. Two of a channel in one place share its effect there by their days."""
    rows = rows[rows["place"].isin(sales.index[sales > 0]) & (rows["error"] > 0) & (rows["count"] > 0)]
    days = rows.groupby(["channel", "place"])["count"].transform("sum")
    return [
        PlaceStudy(str(name), str(of["channel"].iloc[0]), dict(zip(of["place"], of["count"] / days[of.index], strict=True)),
                   float(of["effect"].iloc[0]), float(of["error"].iloc[0]), float(of["seen"].iloc[0]))
        for name, of in rows.groupby("name")
    ]  # fmt: skip


def _where_it_ran(channel: str, of: dict[str, pd.DataFrame], sales: pd.Series[float]) -> dict[str, float]:
    """Sales of the places and of the share of days in which a channel ran that is known by experiments in places alone."""
    rows = of["experiment in places"]
    days = rows[rows["channel"] == channel].groupby("place")["count"].sum().clip(upper=1.0)
    there = (days * sales.reindex(days.index)).dropna()
    return _by_name(there[there > 0])


def _places(channels: tuple[str, ...], sales: pd.DataFrame, whole: pd.Series[float], only: dict[str, dict[str, float]]) -> list[Places]:
    named = _by_name(whole.drop(index="", errors="ignore"))
    if not any(value > 0 for value in named.values()):
        return []
    made = []
    for channel in channels:
        own = sales[sales["channel"] == channel].groupby("place")[["effect", "count"]].sum()
        made.append(Places.of(channel, only.get(channel, named), _by_name(own["effect"]), _by_name(own["count"])))
    return made


def _by_name(values: pd.Series[float]) -> dict[str, float]:
    return {str(place): float(value) for place, value in values.items()}


def _said(
    channel: str, place: str, further: list[str], studies: list[Study], credited: list[Attributed], placed: list[PlaceStudy]
) -> list[str]:
    """What a number rests on, in words."""
    said = ["media mix"] if channel not in further else []
    said += [f"experiment {study.name}" for study in studies if study.channel == channel]
    said += [f"experiment {study.name}{' here' if place in study.parts else ' in places'}" for study in placed if study.channel == channel]
    said += ["attribution"] if channel in {credit.channel for credit in credited} else []
    return [*said, "shares of sales by place"] if place else said
