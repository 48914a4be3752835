"""Order is inferred: random graphs of tables, with and without cycles."""

import os
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.declare import Column, Table, references
from lakehouse.declare.inputs import Input
from lakehouse.graph import Graph
from lakehouse.graph.check import problems

pytestmark = pytest.mark.prove

graphs = settings(max_examples=2_000 if os.environ.get("LAKEHOUSE_PROVE") == "full" else 30, deadline=None)
seen: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def how_many(request):
    before = request.session.testsfailed
    yield
    print(f"\ninference: {sum(seen.values())} random graphs over {len(seen)} properties, {request.session.testsfailed - before} failures")


def _function():
    """Stands for any."""


def named(name, reads, refers=()):
    checks = tuple(references(other, "id", action="flag") for other in refers)
    return Table(
        name=name, function=_function, kind="table", owner="tests", refresh="hourly", description="Any.", file="x.py", line=1,
        inputs=tuple(Input(r, "snapshot") for r in reads), key=("id",), columns=(Column("id", "string", "Key."),),
        checks=checks, layer="silver",
    )  # fmt: skip


@st.composite
def edges(draw, acyclic):
    size = draw(st.integers(1, 14))
    order = draw(st.permutations(range(size)))
    reading = {}
    for place, node in enumerate(order):
        allowed = sorted(order[:place] if acyclic else range(size))
        reads = draw(st.sets(st.sampled_from(allowed), max_size=4)) if allowed else set()
        refers = draw(st.sets(st.sampled_from(allowed), max_size=2)) if allowed else set()
        reading[f"t{node:02}"] = ([f"t{r:02}" for r in sorted(reads)], [f"t{r:02}" for r in sorted(refers)])
    return reading


def graph_of(reading, shuffle=0):
    names = sorted(reading)
    random.Random(shuffle).shuffle(names)
    return Graph({n: named(n, *reading[n]) for n in names})


def reachable(reading, name):
    seen = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += [*reading[current][0], *reading[current][1]]
    return seen


@graphs
@given(edges(acyclic=True))
def test_every_table_comes_after_what_it_reads_and_what_it_refers_to(reading):
    seen["test_every_table_comes_after_what_it_reads_and_what_it_refers_to"] += 1
    order = graph_of(reading).order()
    assert sorted(order) == sorted(reading)
    for name, (reads, refers) in reading.items():
        assert all(order.index(other) < order.index(name) for other in (*reads, *refers))


@graphs
@given(edges(acyclic=True), st.integers(0, 1000))
def test_the_order_does_not_depend_on_the_order_of_files(reading, shuffle):
    seen["test_the_order_does_not_depend_on_the_order_of_files"] += 1
    assert graph_of(reading).order() == graph_of(reading, shuffle).order()


@graphs
@given(edges(acyclic=True), st.data())
def test_what_a_table_rests_on_is_all_of_it_and_nothing_else(reading, data):
    seen["test_what_a_table_rests_on_is_all_of_it_and_nothing_else"] += 1
    name = data.draw(st.sampled_from(sorted(reading)))
    graph = graph_of(reading)
    resting = graph.with_upstream(name)
    assert set(resting) == reachable(reading, name) and resting[-1] == name
    assert list(resting) == [n for n in graph.order() if n in set(resting)]


@graphs
@given(edges(acyclic=True))
def test_downstream_is_upstream_turned_round(reading):
    seen["test_downstream_is_upstream_turned_round"] += 1
    graph = graph_of(reading)
    for name in reading:
        assert set(graph.downstream(name)) == {n for n in reading if name in graph.upstream(n)}


@graphs
@given(edges(acyclic=True))
def test_a_graph_without_a_cycle_stands(reading):
    seen["test_a_graph_without_a_cycle_stands"] += 1
    assert problems([named(n, *r) for n, r in reading.items()]) == []


@graphs
@given(edges(acyclic=False))
def test_a_cycle_is_found_if_there_is_one_and_shown_as_it_runs(reading):
    seen["test_a_cycle_is_found_if_there_is_one_and_shown_as_it_runs"] += 1
    inside = {  # a reference of a table to itself is a tree (a parent), not a cycle
        name: {*reads, *(r for r in refers if r != name)} for name, (reads, refers) in reading.items()
    }
    told = [p for p in problems([named(n, *r) for n, r in reading.items()]) if "a cycle" in p]
    cyclic = any(
        name in {far for near in inside[name] for far in reachable({n: (list(r), []) for n, r in inside.items()}, near)} for name in reading
    )
    assert bool(told) == cyclic
    if told:
        ring = told[0].split("a cycle, ")[1].split(".")[0].split(" reads ")
        assert ring[0] == ring[-1] and len(ring) > 1
        assert all(other in inside[name] for name, other in pairwise(ring))
        assert "Remove one of these" in told[0] and told[0].endswith("x.py:1")
