"""What `plan` says of a change: rows, days, columns whose readers break, the warehouse's views."""

from pathlib import Path

from lakehouse.cli.foresee import Step, _names_one_of, _view
from lakehouse.graph import load

FACT = '''
from lakehouse.declare import SQL, Column, table

@table(key="a", owner="x", refresh="nightly", columns=[Column("a", "int", "A."), Column("b", "int", "B.")])
def fct_first() -> SQL:
    """First."""
    return SQL("SELECT 1 AS a, 2 AS b")
'''
READER = '''
from lakehouse.declare import SQL, Column, Snapshot, table

@table(key="a", owner="x", refresh="nightly", columns=[Column("a", "int", "A.")])
def fct_second(fct_first: Snapshot) -> SQL:
    """Second."""
    return SQL("SELECT a FROM fct_first")
'''


def test_a_rebuild_says_how_much_it_computes_and_whom_it_breaks() -> None:
    step = Step("fct_first", "full", "the code changed", ["c"], ["b"], ["agg_x"], 1_200_000, 3, "marts.fct_first gains c and loses b")
    assert str(step) == (
        "! fct_first: full (the code changed; 1,200,000 rows to recompute over 3 days; columns +c, -b; breaks agg_x; "
        "marts.fct_first gains c and loses b)"
    )


def test_only_readers_that_name_a_lost_column_break_and_only_shown_tables_have_views(tmp_path: Path) -> None:
    (tmp_path / "plans" / "gold").mkdir(parents=True)
    (tmp_path / "plans" / "gold" / "fct_first.py").write_text(FACT)
    (tmp_path / "plans" / "gold" / "fct_second.py").write_text(READER)
    graph = load(tmp_path / "plans")
    assert _names_one_of(graph["fct_second"], ["a"])
    assert not _names_one_of(graph["fct_second"], ["b"])
    assert _view(graph["fct_first"], ["c"], ["b"]) == "marts.fct_first gains c and loses b"
    assert _view(graph["fct_first"], new=True) == "marts.fct_first is a new view"
    assert _view(graph["fct_first"].in_layer("silver"), new=True) == ""
