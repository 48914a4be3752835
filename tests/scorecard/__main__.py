"""`make scorecard [ARGS="--minutes 60"]`: go on with the recovery benchmark, then write docs/scorecard.md."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
from pathlib import Path

from tests.scorecard import media_mix

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("pymc", "pymc-marketing", "nutpie", "numpy", "scipy")


def page(file: Path) -> str:
    """The scorecard as a page."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    seeds = f"{media_mix.BASE_SEEDS[0]}–{media_mix.BASE_SEEDS[-1]}, variants {media_mix.VARIANT_SEEDS[0]}–{media_mix.VARIANT_SEEDS[-1]}"
    today = dt.datetime.now(dt.UTC).date()
    done = len(media_mix.known(file))
    all_cases = len(list(media_mix.cases()))
    head = f"{today}; seeds {seeds}; {done} of {all_cases} fits done; {versions}."
    return "\n".join([HEAD, head, "", *media_mix.tables(file), ""])


HEAD = """# Scorecard: how near to a known truth

## Media mix

Markets with known truth, `tests/scorecard/`: *small business* is others' preset, stated anew from the documentation of
pymc-labs/mmm-param-recovery; *base* and its variants are ours. Every fit is paired with PyMC-Marketing's model on the same data: its
default logistic form, and its Hill form with our priors; both get the controls, a trend and yearly seasons. Error: root mean squared
error of weekly channel contributions ÷ standard deviation of the true ones, mean over channels. "Below the better": by how much ours
is below the better of the two, 90 % interval by bootstrap over seeds. Covered: channel totals within our 90 % intervals. Regret: share
of the best possible response that the recommended budget misses.
"""


def main() -> None:
    """Go on for so many minutes, then write the page."""
    asked = argparse.ArgumentParser(prog="make scorecard")
    asked.add_argument("--minutes", type=float, default=60.0, help="stop beginning new fits after that (0: only write the page)")
    asked.add_argument("--file", type=Path, default=REPOSITORY / ".lakehouse" / "scorecard" / "media_mix.jsonl")
    args = asked.parse_args()
    media_mix.run(args.file, args.minutes)
    (REPOSITORY / "docs" / "scorecard.md").write_text(page(args.file))


if __name__ == "__main__":
    main()
