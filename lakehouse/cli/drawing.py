"""The graph in text: a tree by layer, JSON with everything declared, a Mermaid flow chart."""

from __future__ import annotations

import json
from typing import Any

from lakehouse.declare.tables import Table
from lakehouse.graph import LAYERS, Graph


def around(graph: Graph, name: str) -> Graph:
    """A table, everything it rests on, everything that rests on it."""
    wanted = set(graph.with_upstream(name))
    waiting = [name]
    while waiting:
        for other in graph.downstream(waiting.pop()):
            if other not in wanted:
                wanted.add(other)
                waiting.append(other)
    return Graph({n: t for n, t in graph.tables.items() if n in wanted})


def tree(graph: Graph) -> str:
    """Layers, and in each the tables in order with what they read."""
    lines: list[str] = []
    width = max((len(n) for n in graph.tables), default=0)
    order = _order(graph)
    for layer in LAYERS:
        names = [n for n in order if graph[n].layer == layer]
        if not names:
            continue
        lines.append(layer)
        for name in names:
            branch = "└─" if name == names[-1] else "├─"
            table = graph[name]
            lines.append(f"{branch} {name:<{width}}  {table.refresh:<7}  {_reads(table)}".rstrip())
    return "\n".join(lines) if lines else "There are no tables: add a file to jobs/."


def _reads(table: Table) -> str:
    source = table.source
    read = [f"landing {source.prefix}" + (f" (fetched from {source.name})" if source.lands else "")] if source else []
    read += [f"a query on {table.live.source}, live"] if table.live else []
    tables = [i for i in table.inputs if i.mode not in ("landed", "live")]
    read += [f"{i.name} ({i.mode}{' by ' + ', '.join(i.groups) if i.groups else ''})" for i in tables]
    looked_up = [r for r in table.references if r not in {i.name for i in table.inputs}]
    read += [f"{r} (looked up)" for r in looked_up]
    return "← " + ", ".join(read) if read else ""


def as_json(graph: Graph) -> str:
    """Every declaration, and the order."""
    order = _order(graph)
    whole = {"tables": [described(graph[n]) for n in order], "order": list(order)}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def described(table: Table) -> dict[str, Any]:
    """One declaration in plain values."""
    source = table.source
    return {
        "name": table.name, "kind": table.kind, "layer": table.layer, "owner": table.owner, "refresh": table.refresh,
        "description": table.description, "file": table.file, "line": table.line, "key": list(table.key), "tags": list(table.tags),
        "inputs": [{"name": i.name, "mode": i.mode, "groups": list(i.groups)} for i in table.inputs if i.mode not in ("landed", "live")],
        "references": list(table.references), "as_of": table.as_of,
        "source": {"kind": type(source).__name__, "prefix": source.prefix, "fetched": bool(source.lands)} if source else None,
        "live": {"database": table.live.source, "query": table.live.sql} if table.live else None,
        "columns": [
            {"name": c.name, "type": c.type, "description": c.description, "sensitivity": c.sensitivity, "required": c.required}
            for c in table.columns
        ],
        "rules": [{"rule": r.id, "level": r.level, "action": r.action} for r in table.rules],
        "minimum_score": table.minimum_score, "parameters": dict(table.parameters),
    }  # fmt: skip


def mermaid(graph: Graph) -> str:
    """A flow chart: solid arrows are inputs, dotted ones are values looked up by rules."""
    lines = ["flowchart LR"]
    order = _order(graph)
    for layer in LAYERS:
        names = [n for n in order if graph[n].layer == layer]
        if names:
            lines += [f"  subgraph {layer}", *(f"    {n}{_box(graph[n])}" for n in names), "  end"]
    for name in order:
        read = {i.name for i in graph[name].inputs}
        present = [n for n in graph.upstream(name) if n in graph.tables]
        lines += [f"  {other} {'-->' if other in read else '-.->'} {name}" for other in present]
    return "\n".join(lines)


def _box(table: Table) -> str:
    return f"([{table.name}])" if table.kind == "model" else f"[{table.name}]"


def _order(graph: Graph) -> tuple[str, ...]:
    return tuple(n for n in graph.order() if n in graph.tables)
