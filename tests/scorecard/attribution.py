"""Attribution on simulated companies: what each method credits, beside what advertising truly caused."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from infra.world.company import BASELINE, CHANNELS, EMAIL, PAID, Company
from infra.world.day import simulate
from infra.world.population import begin
from lakehouse.science.attribution.journeys import build_journeys
from lakehouse.science.attribution.methods import METHODS, against_truth, attribute
from lakehouse.science.attribution.order_choice import choose_order

SEEDS = range(1, 9)
CUSTOMERS, DAYS = 2000, 91
CAUSING = [CHANNELS[at] for at in (*PAID, EMAIL)]


def visited(seed: int, customers: int = CUSTOMERS, days: int = DAYS) -> tuple[pd.DataFrame, dict[str, float]]:
    """(every visit: customer (the visitor), at, channel, ordered; orders each channel truly caused)."""
    company = Company(seed, "test", customers, date(2026, 1, 5))
    state, parts, caused = begin(company), [], np.zeros(len(CHANNELS))
    for _ in range(days):
        day = simulate(company, state)
        seen, cause = day.sessions, day.orders.cause
        channel = np.asarray(CHANNELS, dtype=object)[seen.channel]
        parts.append(pd.DataFrame({"customer": seen.visitor, "at": seen.at, "channel": channel, "ordered": seen.order >= 0}))
        caused += np.bincount(cause[cause != BASELINE], minlength=len(CHANNELS))
        state = day.after
    visits = pd.concat(parts, ignore_index=True)
    visits["at"] = pd.to_datetime(visits["at"], unit="s")
    return visits, {name: float(caused[CHANNELS.index(name)]) for name in CAUSING}


def one(seed: int) -> dict[str, Any]:
    """One company: per method, its error against what was caused."""
    visits, caused = visited(seed)
    orders = visits[visits["ordered"]][["customer", "at"]].assign(value=1.0)
    journeys = build_journeys(visits, orders, 30.0)
    found = against_truth(attribute(journeys.paths), caused).set_index("method")
    return {
        "seed": seed,
        "touches": len(visits),
        "orders": len(orders),
        "caused": caused,
        "markov": choose_order(journeys.paths).order,
        "misplaced": found["share_error"].round(4).to_dict(),
        "ratio": found["total_ratio"].round(4).to_dict(),
    }


def run(file: Path, minutes: float, tell: Any = print) -> None:
    """Work through the missing seeds until the time is over."""
    until = time.monotonic() + 60 * minutes
    done = {r["seed"] for r in known(file)}
    file.parent.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        if seed not in done and time.monotonic() < until:
            result = one(seed)
            with file.open("a") as out:
                out.write(json.dumps(result) + "\n")
            tell(f"attribution, seed {seed}: {result['misplaced']}")


def known(file: Path) -> list[dict[str, Any]]:
    """The seeds written down."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def tables(file: Path) -> list[str]:
    """Per method, mean over seeds of both errors, the best method first."""
    found = known(file)
    if not found:
        return ["No company measured yet."]
    rows = []
    for method in METHODS:
        misplaced, ratio = (np.array([r[name][method] for r in found]) for name in ("misplaced", "ratio"))
        rows.append(
            (
                misplaced.mean(),
                f"| {method} | {misplaced.mean():.1%} ({misplaced.min():.1%} to {misplaced.max():.1%}) | {ratio.mean():.2f} |",
            )
        )
    orders = ", ".join(sorted({str(r["markov"]) for r in found}))
    lines = ["| method | credit misplaced among channels, mean (least to most) | credited ÷ caused |", "|---|---|---|"]
    touches = sum(r["touches"] for r in found)
    lines += [line for _, line in sorted(rows)]
    return [*lines, "", f"{touches:,} touches, {sum(r['orders'] for r in found):,} orders; memory chosen by held-out likelihood: {orders}."]
