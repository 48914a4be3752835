"""Run a table, with or without what it rests on, and say how each went."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

from lakehouse.cli import answers
from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph


def run_all(graph: Graph, name: str, *, full: bool, day: date | None, with_upstream: bool, as_json: bool) -> None:
    """Run `name`; with its upstream in order before it, sources fetched first. The first failure ends it."""
    from lakehouse.run import run_table

    names = graph.with_upstream(name) if with_upstream else (name,)
    reports: list[dict[str, Any]] = []
    try:
        if with_upstream:
            _land(graph, names, quiet=as_json)
        for each in names:
            report = run_table(graph, each, full=full and each == name, as_of=day if graph[each].as_of else None)
            reports.append(report.as_dict())
            if not as_json:
                print(report, flush=True)
            for warning in report.warnings:
                print(f"  {each}: {warning}", file=sys.stderr)
    except LakehouseError:
        if as_json and with_upstream:
            answers.print_json(reports)  # what was done before the failure is done
        raise
    if as_json:
        answers.print_json(reports if with_upstream else reports[0])


def _land(graph: Graph, names: tuple[str, ...], quiet: bool) -> None:
    from lakehouse.run import land

    sources = dict.fromkeys(s.name for n in names if (s := graph[n].source) and s.lands)
    for source in sources:
        landed = land(graph, source)
        if not quiet:
            print(f"{source}: {landed}", flush=True)
