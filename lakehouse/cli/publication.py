"""Publish by hand: the versions of the last nightly cut, or the newest."""

from __future__ import annotations

import sys

from lakehouse.cli import answers
from lakehouse.graph import Graph


def show_versions(graph: Graph, run_id: str, *, newest: bool, allow_older: bool, as_json: bool) -> None:
    """Publish and report; says which tables have newer versions than the cut."""
    from lakehouse.run import last_cut
    from lakehouse.run.cut import versions_now
    from lakehouse.warehouse import publish

    now = versions_now([graph[n] for n in graph.published()])
    cut = None if newest else last_cut("nightly")
    if cut is None and not newest:
        print("There is no cut of the nightly DAG yet: the newest versions are published.", file=sys.stderr)
    versions = cut.tables if cut else now
    report = publish(graph, versions, run_id, allow_older=allow_older)
    for name in sorted(now):
        if cut and name in cut.tables and now[name].version > cut.tables[name].version:
            behind = f"{name}: version {cut.tables[name].version} of the cut, the newest is {now[name].version}"
            print(f"  {behind}; --newest publishes it", file=sys.stderr)
    if as_json:
        answers.print_json(report)
        return
    number = f" as publication {report.publication}" if report.publication else ""
    print(f"warehouse: {report.state}{number}, {report.rows_loaded} rows loaded in {report.seconds:.1f} s")
    for each in report.tables:
        before = "" if each.before in (None, each.version) else f" (before: {each.before})"
        print(f"  {each.table}: version {each.version}{before}, {each.rows} rows{' loaded' if each.loaded else ''}")
    for reference, missing in report.references:
        if missing:
            print(f"  {reference}: {missing} rows without counterpart", file=sys.stderr)
