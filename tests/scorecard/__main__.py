"""`make scorecard [ARGS="--minutes 60 --only customers"]`: go on measuring where it was stopped, then write docs/scorecard.md."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.scorecard import attribution, customers, media_mix

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TITLE = "# Scorecard: how near to a known truth\n"


@dataclass(frozen=True)
class Section:
    """One part of the page: how it goes on, what it says, and what ran. A new module is one more in SECTIONS."""

    name: str
    run: Callable[[Path, float], None]
    tables: Callable[[Path], list[str]]
    known: Callable[[Path], list[dict[str, object]]]
    of: str
    packages: tuple[str, ...]
    text: str

    def page(self, folder: Path) -> str:
        """Heading, what was measured, tables."""
        file = folder / f"{self.name}.jsonl"
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in self.packages)
        head = f"{dt.datetime.now(dt.UTC).date()}; {len(self.known(file))} of {self.of}; {versions}."
        return "\n".join([self.text, head, "", *self.tables(file), ""])


MEDIA_MIX = """## Media mix

Markets with known truth, `tests/scorecard/`: *small business* is others' preset, stated anew from the documentation of
pymc-labs/mmm-param-recovery; *base* and its variants are ours. Every fit is paired with PyMC-Marketing's model on the same data: its
default logistic form, and its Hill form with our priors; both get the controls, a trend and yearly seasons. Error: root mean squared
error of weekly channel contributions ÷ standard deviation of the true ones, mean over channels. "Below the better": by how much ours
is below the better of the two, 90 % interval by bootstrap over seeds. Covered: channel totals within the contender's 90 % intervals.
Regret: share of the best possible response that the recommended budget misses. Goals: error 10 % below the better and its interval above 0,
coverage whose interval holds 90 %, regret below both.
"""
CUSTOMERS = """## Customers

Companies simulated in memory by `infra/world` (2,000 customers each), whose hidden rates, lifetimes and types are known. Features of
morning 30 train (labels complete on morning 60), morning 60 is judged by what happened until morning 90. Best possible: ranking by the
true probability; mailing whoever truly pays. Offers: the newsletter, consent and a lot as treatment, profit at 40 % margin and 0.50 €
per month. Value of the whole remaining life and the share who have left: on morning 90 of companies of 20,000 customers.
"""
ATTRIBUTION = """## Attribution

Companies simulated in memory by `infra/world` (2,000 customers, 91 days each), whose every order has a known cause. Visits of everybody,
journeys of at most 30 days. Misplaced: half the sum of differences between a method's shares and the true ones, among the channels that
cause orders (paid search, paid social, e-mail). Credited ÷ caused: how much more they are credited with than they caused.
"""
SECTIONS = (
    Section("attribution", attribution.run, attribution.tables, attribution.known, f"{len(attribution.SEEDS)} companies measured",
            ("numpy", "pandas", "scipy"), ATTRIBUTION),
    Section("customers", customers.run, customers.tables, customers.known, f"{len(customers.SEEDS)} companies measured",
            ("scikit-learn", "numpy", "scipy"), CUSTOMERS),
    Section("media_mix", media_mix.run, media_mix.tables, media_mix.known,
            f"{len(list(media_mix.cases()))} fits done (seeds {media_mix.BASE_SEEDS[0]}–{media_mix.BASE_SEEDS[-1]}, variants "
            f"{media_mix.VARIANT_SEEDS[0]}–{media_mix.VARIANT_SEEDS[-1]})",
            ("pymc", "pymc-marketing", "nutpie", "numpy", "scipy"), MEDIA_MIX),
)  # fmt: skip


def main() -> None:
    """Go on for so many minutes in all, then write the page."""
    asked = argparse.ArgumentParser(prog="make scorecard")
    asked.add_argument("--minutes", type=float, default=60.0, help="stop beginning new fits after that (0: only write the page)")
    asked.add_argument("--only", choices=[s.name for s in SECTIONS], help="measure this one only; the page has all")
    asked.add_argument("--folder", type=Path, default=REPOSITORY / "docs" / "scorecard")
    args = asked.parse_args()
    begun = dt.datetime.now(dt.UTC)
    for section in SECTIONS:
        if args.only in (None, section.name):
            spent = (dt.datetime.now(dt.UTC) - begun).total_seconds() / 60
            section.run(args.folder / f"{section.name}.jsonl", max(args.minutes - spent, 0.0))
    text = "\n".join([TITLE, *(section.page(args.folder) for section in SECTIONS)])
    (REPOSITORY / "docs" / "scorecard.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
