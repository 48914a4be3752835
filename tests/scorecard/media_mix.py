"""The recovery benchmark of the media mix: every case once, written down as soon as it is known, gone on where stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lakehouse.science.media_mix.sampling import Unconverged
from tests.scorecard.business import small_business
from tests.scorecard.company import VARIANTS, company
from tests.scorecard.contenders import CONTENDERS, RIVALS, fit
from tests.scorecard.judge import belief, coverage, paired, score
from tests.scorecard.worlds import World

BASE_SEEDS, VARIANT_SEEDS = range(1, 13), range(1, 4)


@dataclass(frozen=True)
class Case:
    """One fit: a market, its seed, without or with lift tests, by whom."""

    market: str
    seed: int
    tested: bool
    contender: str

    def world(self) -> World:
        """The market anew from its seed."""
        return small_business(self.seed) if self.market == "small business" else company(self.market, self.seed)


def cases() -> Iterator[Case]:
    """All, in the order in which they are worth most: the base case, its variants, the foreign market; whole seeds."""
    for market, seeds in (("base", BASE_SEEDS), *((name, VARIANT_SEEDS) for name in VARIANTS[1:]), ("small business", BASE_SEEDS)):
        for seed in seeds:
            for tested in (False, True):
                for contender in CONTENDERS:
                    yield Case(market, seed, tested, contender)


def known(file: Path) -> list[dict[str, Any]]:
    """The cases written down."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def run(file: Path, minutes: float, tell: Any = print) -> None:
    """Work through the missing cases until the time is over; a case under way is finished."""
    until = time.monotonic() + 60 * minutes
    done = {(r["market"], r["seed"], r["tested"], r["contender"]) for r in known(file)}
    file.parent.mkdir(parents=True, exist_ok=True)
    for case in cases():
        if (case.market, case.seed, case.tested, case.contender) in done:
            continue
        if time.monotonic() > until:
            return
        begun, used = time.monotonic(), time.process_time()
        world = case.world()
        result: dict[str, Any] = asdict(case)
        try:
            mix = fit(case.contender, world, case.tested)
            result |= asdict(score(world, mix)) | {
                "weights": [round(float(w), 3) for w in mix.weights],
                "left_out": mix.left_out,
                "belief": belief(world, mix),
                "diagnosis": [asdict(p.diagnosis) for p in mix.fits],
            }
        except Unconverged as why:
            result |= {"srmse": None, "why": str(why)}
        result |= {"seconds": round(time.monotonic() - begun, 1), "cpu_seconds": round(time.process_time() - used, 1)}
        with file.open("a") as out:
            out.write(json.dumps(result) + "\n")
        tell(f"{case}: {result.get('srmse')} in {result['seconds']} s")


def tables(file: Path) -> list[str]:
    """The figures in Markdown; only seeds which every contender has finished are compared."""
    found = {(r["market"], r["seed"], r["tested"], r["contender"]): r for r in known(file)}
    lines = [
        "| market | lift tests | seeds | ours | logistic | Hill, our priors | below the better | regret ours | logistic | Hill "
        "| covered ours | logistic | Hill | goals missed |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for market in ("small business", *VARIANTS):
        for tested in (False, True):
            rows = [[found.get((market, seed, tested, c)) for c in CONTENDERS] for seed in BASE_SEEDS]
            whole = [row for row in rows if all(r is not None and r["srmse"] is not None for r in row)]
            failed = sum(any(r is not None and r["srmse"] is None for r in row) for row in rows)
            if whole:
                lines.append(_line(market, tested, whole, failed))
    return lines if len(lines) > 2 else ["No seed is finished yet: `make scorecard` goes on where it was stopped."]


def _line(market: str, tested: bool, rows: list[list[Any]], failed: int) -> str:
    error = np.array([[r["srmse"] for r in row] for row in rows])
    missed = np.array([[r["regret"] for r in row] for row in rows]).mean(axis=0)
    better = 1 + int(error[:, 1:].mean(axis=0).argmin())
    less, low, high = paired(error[:, 0], error[:, better])
    held = [coverage(sum(row[of]["covered"] for row in rows), sum(row[of]["channels"] for row in rows)) for of in range(len(CONTENDERS))]
    covered = " | ".join(f"{share:.0%} ({least:.0%} to {most:.0%})" for share, least, most in held)
    goals = {
        "error": less >= 0.10 and low > 0,
        "coverage": held[0][1] <= 0.90 <= held[0][2],
        "regret": missed[0] < missed[1:].min(),
    }
    failing = ", ".join(name for name, reached in goals.items() if not reached) or "none"
    means = " | ".join(f"{value:.3f}" for value in error.mean(axis=0))
    regrets = " | ".join(f"{value:.1%}" for value in missed)
    seeds = f"{len(rows)}" + (f" (+{failed} without convergence)" if failed else "")
    against = RIVALS[better - 1].removeprefix("rival ")
    return (
        f"| {market} | {'with' if tested else 'without'} | {seeds} | {means} | {less:.0%} ({low:.0%} to {high:.0%}) than {against} "
        f"| {regrets} | {covered} | {failing} |"
    )
