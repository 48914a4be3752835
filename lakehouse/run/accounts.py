"""Nothing lost, nothing twice: for each object, received = published + duplicates + quarantined, checked before anything is published.

What the readers counted is held against what lies staged. An account is [received, published, duplicates, quarantined, new columns];
the run's commit records those it touched, so that the sum over all objects is known without reading one of them again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.settings import settings
from lakehouse.sources.received import drift_in

if TYPE_CHECKING:
    from lakehouse.run.ledger import Landing
    from lakehouse.run.stage import Staged

RECEIVED, PUBLISHED, DUPLICATES, QUARANTINED, UNKNOWN = range(5)
COLUMNS = ("received", "published", "duplicates", "quarantined", "new_columns")
ACCOUNT = "account"
"""The kind of a staged row that says what its object's reader counted and found."""
REASONS = 20


class Unaccounted(LakehouseError):
    """Lines were lost or doubled on the way: nothing was published."""


@dataclass(frozen=True)
class Settled:
    """What became of a run's lines: by object, by reason, and what its report warns of."""

    by_object: dict[str, list[Any]] = field(default_factory=dict)
    received: int = 0
    duplicates: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    """Drift for which the contract says stop."""


def settle(table: Table, staged: Staged, landing: Landing, known: Mapping[str, list[Any]]) -> Settled:
    """Check every object's sum. Raises Unaccounted."""
    counted, found, published, held, reasons = _staged(staged)
    wrong = [
        f"  {name}: {counted[name]} lines received, {published[name]} to publish, {held[name]} to quarantine"
        for name in sorted({*counted, *published, *held}) if counted[name] != published[name] + held[name]
    ]  # fmt: skip
    if wrong:
        raise Unaccounted(
            f"{table.name}: lines were lost or doubled between reading and staging; nothing was published.\n" + "\n".join(wrong[:10])
            + "\n  This is a fault of the lakehouse, not of the delivery. Run again; keep the objects."
        )  # fmt: skip
    accounts: dict[str, list[Any]] = {}
    corrected = Counter(c.source_file for c in landing.corrections if not c.again)
    for name in counted:
        if name in corrected:
            before = known.get(name) or [corrected[name], 0, 0, corrected[name]]
            accounts[name] = [
                before[RECEIVED], before[PUBLISHED] + published[name], before[DUPLICATES],
                before[QUARANTINED] - corrected[name] + held[name], *before[UNKNOWN:],
            ]  # fmt: skip
        else:
            unknown = found.get(name, {}).get("unknown", [])
            accounts[name] = [counted[name], published[name], 0, held[name], *([unknown] if unknown else [])]
    for name, identity in landing.aside.items():
        lines = _lines_of(table, name, identity, landing, accounts, known)
        accounts[name] = [lines, 0, lines, 0]
    warnings, stops = _drift(table, found, reasons)
    return Settled(
        accounts, sum(counted.values()) + sum(accounts[n][DUPLICATES] for n in landing.aside),
        sum(accounts[n][DUPLICATES] for n in landing.aside), dict(Counter(reasons).most_common(REASONS)), warnings, stops,
    )  # fmt: skip


def summed(accounts: Mapping[str, list[Any]]) -> dict[str, int]:
    """Received, published, duplicates and quarantined of all objects."""
    return {name: sum(int(a[n]) for a in accounts.values()) for n, name in enumerate(COLUMNS[:UNKNOWN])}


def _staged(staged: Staged) -> tuple[Counter[str], dict[str, dict[str, Any]], Counter[str], Counter[str], Counter[str]]:
    """Counted by readers, found by them; staged to publish and to quarantine, by object; lines by reason."""
    counted: Counter[str] = Counter()
    published: Counter[str] = Counter()
    held: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    found: dict[str, dict[str, Any]] = {}
    import pyarrow.compute as pc

    for batch in _read(staged.uri):
        by_kind = {kind: batch.filter(pc.equal(batch.column("_change"), kind)) for kind in (ACCOUNT, "upsert", "quarantine")}
        for row in by_kind[ACCOUNT].select(["_source_file", "_raw"]).to_pylist():
            said = json.loads(row["_raw"])
            counted[row["_source_file"]] += said["received"]
            found[row["_source_file"]] = said
        for kind, counter in (("upsert", published), ("quarantine", held)):
            counter.update({r["values"]: r["counts"] for r in pc.value_counts(by_kind[kind].column("_source_file")).to_pylist()})
        reasons.update({r["values"]: r["counts"] for r in pc.value_counts(by_kind["quarantine"].column("_error")).to_pylist()})
    return counted, found, published, held, reasons


def _read(uri: str) -> Any:
    """The staged rows' bookkeeping, without Spark."""
    import pyarrow.dataset as ds
    from pyarrow.fs import S3FileSystem

    here = settings()
    store = S3FileSystem(
        access_key=here.s3_access_key, secret_key=here.s3_secret_key.get_secret_value(), region=here.s3_region,
        endpoint_override=here.s3_endpoint.split("://", 1)[-1], scheme=here.s3_endpoint.split("://", 1)[0],
    )  # fmt: skip
    found = ds.dataset(uri.split("://", 1)[1], format="parquet", filesystem=store)
    return found.to_batches(columns=["_source_file", "_change", "_error", "_raw"], batch_size=20_000)


def _lines_of(
    table: Table, name: str, identity: str, landing: Landing, accounts: Mapping[str, list[Any]], known: Mapping[str, list[Any]]
) -> int:
    """Lines of an object whose content was taken under another name: what was received then, else counted now."""
    content = identity.rsplit(":", 1)[-1]
    twin = next((n for n, i in landing.take.items() if i.endswith(content) and n in accounts), None)
    if twin is not None:
        return int(accounts[twin][RECEIVED])
    from lakehouse.run.received import count_lines

    del known  # it knows objects by name, not by content
    return count_lines(table, name)


def _drift(table: Table, found: Mapping[str, Mapping[str, Any]], reasons: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """What no longer fits the contract: as warnings, and as reasons to stop."""
    assert table.source is not None
    drift = table.source.drift
    warnings, stops = [], []
    met: dict[tuple[str, str], list[str]] = {}
    for name, said in found.items():
        for column in said.get("unknown", []):
            met.setdefault(("unknown", column), []).append(name)
        for column in said.get("missing", []):
            met.setdefault(("missing", column), []).append(name)
        for declared, spelled in said.get("respelled", {}).items():
            met.setdefault(("respelled", f"{spelled}' for '{declared}"), []).append(name)
    words = {
        "unknown": "new column '{}' is in no contract and left out of the table",
        "missing": "column '{}' was not received: null", "respelled": "column '{}' was taken in its new spelling",
    }  # fmt: skip
    for (kind, column), names in met.items():
        more = f" and {len(names) - 1} more objects" if len(names) > 1 else ""
        text = f"{words[kind].format(column)} ({names[0]}{more})"
        warnings.append(text)
        if kind == "missing" and drift.missing == "stop":
            stops.append(text)
    for reason, count in reasons.items():
        kind = drift_in(reason or "")
        if kind and getattr(drift, kind) == "stop":
            stops.append(f"{reason} ({count} lines)")
    return warnings, stops


def drifted(table: Table, stops: list[str]) -> str:
    """Why a run stops where the contract says so."""
    lines = "\n".join(f"  {s}" for s in stops)
    return (
        f"{table.name}: what landed does not fit the contract any more, and drift= says stop; nothing was published.\n{lines}"
        f"\n  Deliver it as declared under the same name, or change the contract.\n  {table.where}"
    )
