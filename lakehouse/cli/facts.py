"""All that is known of one table: what it declares, what its log says, how its last runs went, some rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lakehouse.cli import answers
from lakehouse.cli.drawing import described
from lakehouse.declare.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph

RUNS = """SELECT started_at, state, version, rows_written, rows_deleted, rows_quarantined, score,
    round(seconds::numeric, 1) AS seconds, reason FROM ops.runs WHERE table_name = '{table}' ORDER BY started_at DESC LIMIT 5"""
HISTORY = 5


def facts_of(graph: Graph, name: str, rows: int) -> dict[str, Any]:
    """Declared facts always; those of lake and warehouse where they answer, else the reason why not."""
    table = graph[name]
    facts: dict[str, Any] = {**described(table), "downstream": list(graph.downstream(name)), "unknown": []}
    parts: dict[str, Callable[[], Any]] = {
        "state": lambda: _state(graph, table),
        "accounts": lambda: _accounts(table),
        "runs": lambda: _runs(name),
        "sample": lambda: _sample(table, rows),
    }
    for part, look in parts.items():
        try:
            facts[part] = look()
        except LakehouseError as reason:
            facts[part] = None
            facts["unknown"].append(str(reason))
    facts["unknown"] = list(dict.fromkeys(facts["unknown"]))
    return facts


def _state(graph: Graph, table: Table) -> dict[str, Any] | None:
    """Version, inputs consumed, score and the newest versions, from the table's own log."""
    if table.kind == "model":
        from lakehouse.models import served_version, versions

        trained = versions(table.name)
        if not trained:
            return None
        model = served_version(table.name) or trained[-1]
        inputs: dict[str, int | str] = {n: v.version for n, v in model.inputs.items()}
        known = {"version": model.version, "inputs": inputs, "at": model.at, "metrics": model.metrics, "mlflow_run": model.run_id}
        return known | {"judged": [f"{v.version} {v.stage}: {v.judgement}" for v in trained]}
    if table.live is not None:
        return _asked_by(graph, table)
    from lakehouse.delta.location import table_uri
    from lakehouse.delta.log import DeltaLog
    from lakehouse.run.code import code_hash
    from lakehouse.run.state import state_of

    log = DeltaLog(table_uri(table))
    if log.version is None:
        return None
    state = state_of(log.newest_that_counts())
    known = {"version": log.version, "uri": log.uri, "versions": [_version(c) for c, _ in zip(log.back(), range(HISTORY), strict=False)]}
    if state is None:
        return {**known, "note": "its newest change was not made by a run; the next run builds it in full"}
    inputs = {n: _version_read(graph, n, v.version) for n, v in state.inputs.items()}
    code = "as declared" if state.code == code_hash(table) or table.layer == "bronze" else "changed since"
    return {
        **known,
        "rows": state.rows,
        "score": state.score,
        "inputs": inputs,
        "parameters": state.parameters,
        "at": state.at,
        "code": code,
    }


def _accounts(table: Table) -> dict[str, Any] | None:
    """Bronze: what became of every line ever received, of the last batch by object, and why lines wait in quarantine."""
    from lakehouse.delta.location import table_uri
    from lakehouse.delta.log import DeltaLog

    log = DeltaLog(table_uri(table))
    if table.source is None or log.version is None:
        return None
    from lakehouse.cli.held import reasons_of
    from lakehouse.run.accounts import COLUMNS, summed
    from lakehouse.run.ledger import taken_so_far
    from lakehouse.run.state import state_of

    accounts = taken_so_far(table, log)[1]
    state = state_of(log.newest_that_counts())
    batch = sorted((state.accounts if state else {}).items())[: HISTORY * 4]
    last = [{"object": n, **dict(zip(COLUMNS, [*a, ""], strict=False))} for n, a in batch]
    return {"objects": len(accounts), **summed(accounts), "last_batch": last, "waiting": reasons_of(table.name)}


def _version_read(graph: Graph, name: str, version: int) -> int | str:
    """The version of an input; of a virtual one the moment at which it was read."""
    from lakehouse.run.live import moment_of

    is_live = name in graph.tables and graph[name].live is not None
    return moment_of(version).isoformat(timespec="milliseconds") if is_live else version


def _asked_by(graph: Graph, table: Table) -> dict[str, Any]:
    """Of a virtual table: where it is asked, and which of its moments the tables that read it hold."""
    from lakehouse.run.resolve import state_at

    assert table.live is not None
    states = {n: state_at(graph[n]) for n in graph.downstream(table.name) if graph[n].kind == "table"}
    held = {n: _version_read(graph, table.name, s.inputs[table.name].version) for n, s in states.items() if s and table.name in s.inputs}
    return {"virtual": table.live.source, "query": table.live.sql, "read_by": held}


def _asked_now(table: Table, rows: int) -> dict[str, Any]:
    import psycopg

    from lakehouse.run.live import address_of
    from lakehouse.sources.live_query import rows as ask

    assert table.live is not None
    try:
        return {"columns": [c.name for c in table.columns], "rows": ask(table, address_of(table), rows)}
    except psycopg.OperationalError as silent:
        raise LakehouseError(f"the database '{table.live.source}' does not answer: {str(silent).strip()}") from None


def _version(commit: Any) -> dict[str, Any]:
    from datetime import UTC, datetime

    moment = commit.info.get("timestamp")
    at = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds") if moment else None
    run = (commit.metadata or {}).get("run")
    return {"version": commit.version, "at": at, "operation": commit.info.get("operation"), "run": run}


def _runs(name: str) -> list[dict[str, Any]]:
    from lakehouse.warehouse import query

    answer = query(RUNS.format(table=name.replace("'", "''")))
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def _sample(table: Table, rows: int) -> dict[str, Any] | None:
    if table.kind == "model" or not rows:
        return None
    if table.live is not None:
        return _asked_now(table, rows)
    from lakehouse.cli.lake import sample
    from lakehouse.delta.location import table_uri
    from lakehouse.delta.log import DeltaLog

    if DeltaLog(table_uri(table)).version is None:
        return None
    columns, found = sample(table, rows)
    return {"columns": columns, "rows": found}


def in_words(facts: dict[str, Any]) -> None:
    """The facts, for a person."""
    print(f"{facts['name']} · {facts['layer']} · {facts['refresh']} · {facts['owner']}\n{facts['description']}\n")
    print(f"declared in {facts['file']}:{facts['line']}" + (f", key {', '.join(facts['key'])}" if facts["key"] else ""))
    read = [f"{i['name']} ({i['mode']})" for i in facts["inputs"]] + ([f"landing {facts['source']['prefix']}"] if facts["source"] else [])
    print(f"reads {', '.join(read) or 'nothing'}; read by {', '.join(facts['downstream']) or 'nothing'}\n")
    if facts["columns"]:
        columns = [(c["name"], c["type"], c["sensitivity"], c["description"]) for c in facts["columns"]]
        answers.print_rows(["column", "type", "sensitivity", "description"], columns, "table")
    if facts["rules"]:
        answers.print_rows(["rule", "level", "action"], [(r["rule"], r["level"], r["action"]) for r in facts["rules"]], "table")
    _state_in_words(facts["state"], facts["name"])
    if facts["accounts"]:
        _accounts_in_words(facts["accounts"])
    if facts["runs"]:
        print("\nlast runs")
        answers.print_rows(list(facts["runs"][0]), [tuple(r.values()) for r in facts["runs"]], "table")
    if facts["sample"] and facts["sample"]["rows"]:
        print("\nsome rows")
        answers.print_rows(facts["sample"]["columns"], facts["sample"]["rows"], "table")
    for reason in facts["unknown"]:
        print(f"\nnot known: {reason}")


def _accounts_in_words(accounts: dict[str, Any]) -> None:
    a = accounts
    print(
        f"\nreceived {a['received']} = published {a['published']} + duplicates {a['duplicates']} + quarantined {a['quarantined']}, "
        f"of {a['objects']} objects"
    )
    if a["last_batch"]:
        print("last batch")
        answers.print_rows(list(a["last_batch"][0]), [tuple(each.values()) for each in a["last_batch"]], "table")
    if a["waiting"]:
        print("waiting in quarantine")
        answers.print_rows(["reason", "rows"], list(a["waiting"].items()), "table")


def _state_in_words(state: dict[str, Any] | None, name: str) -> None:
    if state is None:
        print(f"It has no data yet: lakehouse run {name} --with-upstream")
        return
    if "virtual" in state:
        print(f"virtual: nothing is stored, each reader asks '{state['virtual']}'\n  {state['query']}")
        for reader, moment in state["read_by"].items():
            print(f"{reader} holds it as of {moment}")
        return
    rows = "" if state.get("rows") is None else f", {state['rows']} rows"
    score = "" if state.get("score") is None else f", score {state['score']:.2%}"
    code = f", code {state['code']}" if "code" in state else ""
    print(f"version {state['version']}{rows}{score}{code}" + (f", {state['note']}" if "note" in state else ""))
    if state.get("inputs"):
        print("made from " + ", ".join(f"{n} {'as of' if isinstance(v, str) else 'version'} {v}" for n, v in state["inputs"].items()))
    if state.get("judged"):
        print("judged\n  " + "\n  ".join(state["judged"]))
    if state.get("versions"):
        answers.print_rows(["version", "at", "operation", "run"], [tuple(v.values()) for v in state["versions"]], "table")
