"""python -m infra.world.pictures: the pictures of docs/world.md, from the mechanisms themselves and a small company's days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from infra.world.company import PAID, Company
from infra.world.day import Day, simulate
from infra.world.market import mailing, minds, stores, voices
from infra.world.market.objects import objects
from infra.world.population import begin
from infra.world.state import State

COMPANY = Company(7, "small", 2_000, date(2026, 8, 3))
DAYS = 56
FOLDER = Path(__file__).parents[2] / "docs" / "images"
INK = {"paid_search": "#1b6ca8", "paid_social": "#c8553d"}
Days = list[tuple[State, Day]]


def lived(days: int = DAYS) -> Days:
    """Give the days of the small company, with all its systems."""
    state, history = begin(COMPANY), []
    for _ in range(days):
        day = simulate(COMPANY, state)
        for _ in objects(COMPANY, state, day):
            pass
        history.append((state, day))
        state = day.after
    return history


def saturation(axes: Any, history: Days) -> None:
    """What a day's advertising brings, by adstock, and where the company's days lie."""
    a = np.linspace(0, 1200, 200)
    for at, (channel, paid) in enumerate(PAID.items()):
        name = ("paid_search", "paid_social")[at]
        axes.plot(a, paid.visits * a**paid.slope / (a**paid.slope + paid.half**paid.slope), color=INK[name], label=name.replace("_", " "))
        seen = [(d.advertising.adstock[channel], paid.visits * d.advertising.saturation[channel]) for _, d in history]
        axes.plot(*zip(*seen, strict=True), ".", color=INK[name], alpha=0.5)
    axes.set(title="Advertising saturates (points: days)", xlabel="adstock, €", ylabel="visits caused a day")
    axes.legend(frameon=False)


def carry_over(axes: Any, history: Days) -> None:
    """How spend of a day works on."""
    days = np.arange(len(history))
    axes.bar(days, [d.advertising.cents[1] / 100 for _, d in history], color="#e5b3a8", label="spend")
    axes.plot(days, [d.advertising.adstock[1] for _, d in history], color=INK["paid_social"], label="adstock")
    axes.set(title="Paid social: ten-day flights, carry-over", xlabel="day", ylabel="€")
    axes.legend(frameon=False)


def attitudes(axes: Any, history: Days) -> None:
    """What people of each hidden type agree to."""
    people = history[-1][1].after.customers
    who = np.arange(len(people))
    kind = minds.types(COMPANY, who, people)
    felt = minds.needs(COMPANY, who, kind)
    shown = axes.imshow([felt[kind == k].mean(axis=0) for k in range(len(minds.TYPES))], cmap="YlGnBu", vmin=2, vmax=4.5, aspect="auto")
    labels = [f"{t} ({100 * (kind == k).mean():.0f} %)" for k, t in enumerate(minds.TYPES)]
    axes.set_yticks(range(len(minds.TYPES)), labels)
    axes.set_xticks(range(len(minds.NEEDS)), [n.replace("_", " ") for n in minds.NEEDS], rotation=60, ha="right")
    axes.set_title("Hidden types: mean agreement, 1 to 5")
    axes.figure.colorbar(shown, ax=axes)


def posters(axes: Any, history: Days) -> None:
    """The geo experiment: visitors of towns with and without posters."""
    counted = np.stack([stores.opened(COMPANY, *each).visitors.sum(axis=1) for each in history])
    towns = stores.treated(COMPANY, stores.HALF)
    weeks = counted[: len(history) // 7 * 7].reshape(-1, 7, len(stores.TOWNS)).sum(axis=1)
    for chosen, name, ink in ((towns, "four towns with posters from week 5", "#c8553d"), (~towns, "six towns without", "#1b6ca8")):
        axes.plot(np.arange(1, len(weeks) + 1), weeks[:, chosen].mean(axis=1), "o-", color=ink, label=name)
    axes.axvline(4.5, color="grey", ls=":")
    axes.set(title=f"Posters: {stores.POSTERS:.0%} more visitors", xlabel="week", ylabel="visitors a week and shop")
    axes.set_ylim(0, 1.1 * weeks[:, towns].mean(axis=1).max())
    axes.legend(frameon=False, loc="lower left")


def offers(axes: Any, history: Days) -> None:
    """The offers' lift of shop purchases by variant, and the holdout's none."""
    sums = {"held out": np.zeros(2), "A": np.zeros(2), "B": np.zeros(2)}
    for before, _ in history:
        if COMPANY.date(before.day).weekday() not in mailing.OFFER_DAYS:
            continue
        lift, who = mailing.offer_lift(COMPANY, before), mailing.addressed(COMPANY, before)
        drawn = mailing.variant(COMPANY, COMPANY.date(before.day).toordinal() // 7, who)
        held = minds.held_out(COMPANY, who)
        for name, chosen in (("held out", held), ("A", ~held & (drawn == 0)), ("B", ~held & (drawn == 1))):
            rate = (stores.OWN[0] + stores.OWN[1] * before.customers["rate"]) * before.customers["spending"]
            at = who[chosen]
            sums[name] += [1000 * rate[at].sum() / len(at) / 24, 1000 * (rate * lift)[at].sum() / len(at) / 24]
    habit, more = np.array(list(sums.values())).T
    axes.bar(list(sums), habit, color="#9aa5b1", label="by habit")
    axes.bar(list(sums), more, bottom=habit, color=["#8ac4a7", "#8ac4a7", "#2d7f5e"], label="by the offer")
    axes.set(title="Offers, Thursday to Saturday: A +25 %, B +45 %", ylabel="expected purchases in a shop,\nper 1,000 customers and day")
    axes.set_ylim(top=1.25 * (habit + more).max())
    axes.legend(frameon=False, ncols=2, loc="upper left")


def feelings(axes: Any, history: Days) -> None:
    """Sentiment behind texts, by cause."""
    found: dict[str, list[int]] = {cause: [] for cause in voices.CAUSES}
    for each in history:
        day = voices.truth(COMPANY, *each)
        for cause, felt in zip(day["cause"], day["sentiment"], strict=True):
            found[cause].append(felt)
    left = np.zeros(len(found))
    for felt, ink, name in ((-1, "#c8553d", "negative"), (0, "#d9d9d9", "neutral"), (1, "#2d7f5e", "positive")):
        shares = np.array([np.mean(np.array(values) == felt) if values else 0.0 for values in found.values()])
        axes.barh([f"{c.replace('_', ' ')} ({len(v)})" for c, v in found.items()], shares, left=left, color=ink, label=name)
        left += shares
    axes.set(title=f"Sentiment behind {sum(map(len, found.values())):,} texts, by cause", xlabel="share")
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.15))


def main() -> None:
    """Draw all and say where."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    history = lived()
    figure, axes = plt.subplots(3, 2, figsize=(13, 13.5), layout="constrained")
    for draw, place in zip((saturation, carry_over, attitudes, posters, offers, feelings), axes.ravel(), strict=True):
        draw(place, history)
    for place in axes.ravel():
        place.spines[["top", "right"]].set_visible(False)
    target = FOLDER / "world.png"
    figure.savefig(target, dpi=90, metadata={"Software": None})
    print(target)


if __name__ == "__main__":
    main()
