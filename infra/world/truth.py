"""The truth: what the company cannot observe, written apart from everything that is ingested."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from infra.world.advertising import first_order_chance
from infra.world.company import (
    BASELINE,
    CHANNELS,
    DAY,
    LIFETIME_DAYS,
    NEWSLETTER_LIFT,
    PAID,
    Company,
)
from infra.world.day import Day
from infra.world.life import DELETION_DAILY
from infra.world.market import crm, minds
from infra.world.market.objects import truths
from infra.world.newsletter import mailed
from infra.world.population import customer_id
from infra.world.state import Array, State

HORIZON_DAYS = 30


def purchase_probability(state: State, now: int, typical_lift: float) -> Array:
    """Give every customer's chance to order within 30 days, knowing rate and whether the customer is still there.

    Orders come at rate r until an exponential lifetime with hazard h ends: P = r / (r + h) · (1 - exp(-(r + h) · 30)),
    the exposure of the Pareto/NBD model (Schmittlein, Morrison & Colombo 1987) with its hidden values known.
    """
    people = state.customers
    newsletters = sum(NEWSLETTER_LIFT.values()) / 7 * (people["consent"][:, 0] & mailed(np.arange(len(people))))
    rate = people["rate"] * (1 + typical_lift + newsletters)
    hazard = 1 / LIFETIME_DAYS + DELETION_DAILY
    alive = (people["death"] > now) & ~people["deleted"]
    result: Array = alive * rate / (rate + hazard) * -np.expm1(-(rate + hazard) * HORIZON_DAYS)
    return result


def achievable_auc(probability: Array) -> float:
    """Give the expected area under the ROC curve of the best possible ranking: by the probabilities themselves."""
    p = np.sort(np.asarray(probability, float))
    q = 1 - p
    start = np.unique(p, return_index=True)[1]
    positive, negative = np.add.reduceat(p, start), np.add.reduceat(q, start)
    below = np.cumsum(negative) - negative
    wins = float((positive * below).sum() + 0.5 * (positive * negative).sum() - 0.5 * (p * q).sum())
    pairs = float(p.sum() * q.sum() - (p * q).sum())
    return wins / pairs if pairs > 0 else 0.5


def write_day(folder: Path, company: Company, before: State, day: Day) -> None:
    """Write one day's truth; the same day written again is the same file."""
    on = str(company.date(day.day))
    lift = day.advertising.lift[list(PAID)].sum()
    probability = purchase_probability(before, company.second(day.day), float(lift))
    people = before.customers
    known = ~people["deleted"]
    buyers = known & (people["orders"] > 0)
    ids = [customer_id(i) for i in np.flatnonzero(known).tolist()]
    _save(
        folder / "propensity" / f"{on}.parquet",
        {
            "as_of_date": [on] * len(ids),
            "customer_id": ids,
            "is_alive": people["death"][known] > company.second(day.day),
            "rate": people["rate"][known],
            "orders_before": people["orders"][known],
            "probability": probability[known],
        },
    )
    achievable = {"as_of_date": [on], "customers": [int(known.sum())], "buyers": [int(buyers.sum())]}
    for name, chosen in (("all", known), ("buyers", buyers)):
        p = probability[chosen]
        achievable[f"expected_share_{name}"] = [float(p.mean()) if len(p) else 0.0]
        achievable[f"expected_auc_{name}"] = [achievable_auc(p) if len(p) else 0.5]
    _save(folder / "achievable" / f"{on}.parquet", achievable)
    _save(folder / "channels" / f"{on}.parquet", _channels(on, before, day))
    for subject, columns in truths(company, before, day).items():
        _save(folder / subject / f"{on}.parquet", columns)


def _channels(on: str, before: State, day: Day) -> dict[str, Any]:
    n, advertising, orders = len(CHANNELS), day.advertising, day.orders
    people = before.customers
    begins = day.after.customers["created"][day.first_newcomer :].min(initial=0)
    alive = (people["death"] > begins) & ~people["deleted"]
    habit = people["rate"] * alive * advertising.demand
    agreed = people["consent"][:, 0] & mailed(np.arange(len(people)))
    lifted = [advertising.lift[c] * float((habit * (agreed if c == 2 else True)).sum()) for c in range(n)]
    visits = advertising.visits
    first = [sum(visits[a, c] * first_order_chance(a, c) for a in range(n)) for c in range(n)]
    web = day.sessions
    return {
        "date": [on] * n,
        "channel": list(CHANNELS),
        "spend": advertising.cents / 100,
        "adstock": advertising.adstock,
        "saturation": advertising.saturation,
        "visits_caused_expected": advertising.caused,
        "visits_caused": np.bincount(web.cause[web.cause >= 0], minlength=n),
        "visits_seen": np.bincount(web.channel, minlength=n),
        "first_orders_caused_expected": first,
        "orders_caused_expected": [a + b for a, b in zip(first, lifted, strict=True)],
        "orders_caused": np.bincount(orders.cause[orders.cause != BASELINE], minlength=n),
        "orders_last_touch": np.bincount(orders.channel, minlength=n),
    }


def write_customers(folder: Path, company: Company, state: State) -> None:
    """Write every customer's hidden traits as they stand."""
    people = state.customers
    _save(
        folder / "customers.parquet",
        {
            "customer_id": [customer_id(i) for i in range(len(people))],
            "created_at": people["created"].astype("datetime64[s]"),
            "is_regular": people["regular"],
            "rate": people["rate"],
            "lifetime_ends_at": people["death"].astype("datetime64[s]"),
            "was_alive_at_start": people["death"] > company.second(0),
            "spending": people["spending"],
            "is_deleted": people["deleted"],
            "acquired_by": [CHANNELS[c] if c >= 0 else None for c in people["cause"].tolist()],
            "tenure_days": (company.second(state.day) - people["created"]) / DAY,
        },
    )


def write_people(folder: Path, company: Company, state: State) -> None:
    """Write every customer's hidden type and needs, and who is in the universal holdout."""
    who = np.arange(len(state.customers))
    kind = minds.types(company, who, state.customers)
    _save(
        folder / "people.parquet",
        {
            "customer_id": [customer_id(i) for i in who.tolist()],
            "type": [minds.TYPES[k] for k in kind.tolist()],
            **{f"need_{name}": values for name, values in zip(minds.NEEDS, minds.needs(company, who, kind).T, strict=True)},
            "is_held_out": minds.held_out(company, who),
        },
    )
    _save(folder / "identities.parquet", crm.identities(company, state))


def ask(folder: Path, question: str | None) -> str:
    """Answer a question in SQL over all the truth: a file is a table, a folder of days is one too. Without one, list the tables."""
    import duckdb

    with duckdb.connect() as database:
        for each in sorted(folder.iterdir()) if folder.is_dir() else []:
            files = f"{each}/*.parquet" if each.is_dir() else str(each)
            if each.is_dir() or each.suffix == ".parquet":
                database.execute(f"CREATE VIEW {each.stem} AS SELECT * FROM read_parquet('{files}', union_by_name = true)")
        listed = "SELECT table_name, string_agg(column_name, ', ') AS columns FROM information_schema.columns GROUP BY 1 ORDER BY 1"
        return str(database.sql(question or listed))


def _save(path: Path, columns: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    pq.write_table(pa.table(columns), unfinished, compression="zstd")
    os.replace(unfinished, path)
