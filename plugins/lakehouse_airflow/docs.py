"""The documentation of a DAG and of a task, from the declarations."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.declare import Table
from lakehouse.graph import LAYERS, Graph


def of_table(graph: Graph, table: Table) -> str:
    """A task's page: description, who answers, key, what it reads, columns, rules."""
    parts = [table.description, _facts(table), _reads(graph, table), _columns(table), _checks(table)]
    return "\n\n".join(part for part in parts if part)


def of_dag(graph: Graph, names: Iterable[str], text: str) -> str:
    """A DAG's page: what it does, then its tables by layer."""
    wanted = set(names)
    parts = [text.strip()]
    for layer in LAYERS:
        tables = [graph[n] for n in graph.order(wanted) if graph[n].layer == layer]
        if tables:
            rows = [(f"`{t.name}`", first_sentence(t.description), t.owner, _names(graph.upstream(t.name))) for t in tables]
            parts.append(f"#### {layer}\n\n" + _grid(("table", "what a row is", "owner", "reads"), rows))
    return "\n\n".join(parts)


def first_sentence(text: str) -> str:
    """The first line of a description."""
    return text.strip().splitlines()[0] if text.strip() else ""


def _facts(table: Table) -> str:
    said = {
        "Layer": table.layer, "Owner": table.owner, "Refreshed": table.refresh, "Key": _names(table.key),
        "Newest by": _code(table.latest_by), "Deleted when": _code(table.deleted_when),
        "Least score": f"{table.minimum_score:.0%}" if table.minimum_score else "",
        "Taken from": _code(table.source.prefix) if table.source else "",
        "Virtual": f"a query on `{table.live.source}`, nothing is stored" if table.live else "", "Declared in": _code(table.where),
    }  # fmt: skip
    return "\n".join(f"- **{name}**: {value}" for name, value in said.items() if value)


def _reads(graph: Graph, table: Table) -> str:
    rows = []
    for each in table.inputs:
        if each.mode in ("landed", "live"):
            continue
        how = f"{each.mode} of {', '.join(each.groups)}" if each.groups else each.mode
        rows.append((f"`{each.name}`", how, first_sentence(graph[each.name].description)))
    rows += [(f"`{name}`", "looked up", first_sentence(graph[name].description)) for name in table.references]
    return "#### Reads\n\n" + _grid(("table", "how", "what a row is"), rows) if rows else ""


def _columns(table: Table) -> str:
    if not table.columns:
        return ""
    rows = [
        (f"`{c.name}`", f"`{c.type}`", c.description, "; ".join(f"{r.name} ({r.action})" for r in c.rules), c.sensitivity)
        for c in table.columns
    ]
    return "#### Columns\n\n" + _grid(("column", "type", "meaning", "rules", "sensitivity"), rows)


def _checks(table: Table) -> str:
    if not table.checks:
        return ""
    rows = [(f"`{r.id}`", str(r.level), r.action) for r in table.checks]
    return "#### Checks\n\n" + _grid(("rule", "level", "action"), rows)


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
