"""The kit: `incremental_equals_full` proves every table of `jobs/` without a line written for it."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.graph import Graph, load
from lakehouse.settings import Settings
from tests.proofs.progress import Progress
from tests.proofs.scene import ABOVE, Scene
from tests.proofs.story import Outcome, tell

PROOFS = Path(__file__).parent
FULL = os.environ.get("LAKEHOUSE_PROVE") == "full"
SAMPLE = {"jobs": ((1,), 0), "prooftables": ((4,), 1)}
WHOLE = {"jobs": (tuple(range(1, 9)), 5), "prooftables": (tuple(range(1, 25)), 6)}
"""Seeds, and steps of each story between its first run and its last."""


def graph_of(package: str) -> Graph:
    """A package's graph without what a live database feeds; thresholds for scores, which random rows do not reach, are taken away.

    Tables of the other systems (`market`) are proved on the world's own files in tests/integration/world: the supply writes no workbooks.
    """
    loaded = load(PROOFS / package) if package == "prooftables" else load(package)
    landed = [n for n in loaded.tables if all(loaded[u].live is None for u in loaded.with_upstream(n))]
    return Graph({n: replace(loaded[n], minimum_score=0.0) for n in landed if "market" not in loaded[n].tags})


def tables_above_bronze(package: str) -> list[str]:
    """What the kit proves: everything above bronze that does not rest on a trained model."""
    graph = graph_of(package)
    rests = {n for n in graph.tables if any(graph[u].kind == "model" for u in graph.with_upstream(n))}
    return [n for n in graph.order() if graph[n].layer != "bronze" and n not in rests]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for the kit runs once for each table there is."""
    if "incremental_equals_full" in metafunc.fixturenames:
        named = [(p, n) for p in ("prooftables", "jobs") for n in tables_above_bronze(p)]
        metafunc.parametrize("incremental_equals_full", named, indirect=True, ids=[f"{p}-{n}" for p, n in named])


@pytest.fixture(scope="session")
def scene(stack: Settings, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The scene, played once by the engine as it is; crashes alone need only a part of it."""
    is_whole = FULL or any("test_planted_mistakes" in item.nodeid for item in request.session.items)
    played = Scene(graph_of("prooftables"), ABOVE if is_whole else ("labels", "things"))
    try:
        yield played
    finally:
        played.drop()


@pytest.fixture(scope="session")
def stories(stack: Settings) -> Iterator[dict[str, list[Outcome]]]:
    """Told once a session and package, on demand; full size goes on where it was stopped."""
    yield {}


@pytest.fixture
def incremental_equals_full(request: pytest.FixtureRequest, stories: dict[str, list[Outcome]]) -> list[Outcome]:
    """Outcomes of all seeds for one table: each says how it differs, built in pieces, from itself built in one."""
    package, name = request.param
    if package not in stories:
        stories[package] = _told(package)
    mine = (f"{name}:", f"quarantine of {name}:")
    return [replace(o, problems=tuple(p for p in o.problems if p.startswith(mine))) for o in stories[package]]


def _told(package: str) -> list[Outcome]:
    seeds, steps = (WHOLE if FULL else SAMPLE)[package]
    graph, progress = graph_of(package), Progress(package, resumes=FULL)
    outcomes = []
    for seed in seeds:
        known = progress.known(f"{seed}-{steps}")
        outcome = Outcome(**json.loads(known)) if known else tell(graph, seed, steps)
        progress.keep(f"{seed}-{steps}", outcome.to_json())
        outcomes.append(outcome)
        failed = sum(bool(o.problems) for o in outcomes)
        print(f"\n{package}: {len(outcomes)} of {len(seeds)} stories, {sum(o.runs for o in outcomes)} runs, {failed} with a difference")
    return outcomes
