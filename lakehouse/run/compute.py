"""What a run computes, by how its inputs are read: the frame that is staged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, reduce
from typing import TYPE_CHECKING

from lakehouse.declare.tables import Table
from lakehouse.delta.session import FEW_ROWS
from lakehouse.graph import Graph
from lakehouse.quality.tag import tag
from lakehouse.run import difference, frames
from lakehouse.run.build import Builder
from lakehouse.run.live import Reading
from lakehouse.run.resolve import Decision

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Scope:
    """The rows a run may replace: all of them, those of some keys, or those of some groups. Quarantine follows it."""

    columns: tuple[str, ...] = ()
    values: DataFrame | None = None


@dataclass
class Computation:
    """One run's difference. `staged` is the frame to write, `scope` what it replaces (None: it only adds)."""

    spark: SparkSession
    graph: Graph
    table: Table
    decision: Decision
    build: Builder
    now: str
    live: Mapping[str, Reading] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scope: Scope | None = Scope()

    def staged(self) -> DataFrame:
        """Changed rows, and rows that go to quarantine."""
        if self.decision.kind == "incremental":
            modes = {i.name: i.mode for i in self.table.inputs}
            if "changes" in modes.values():
                return self._by_latest() if self.table.latest_by else self._by_key()
            return self._by_group()
        return self._whole()

    # inputs -----------------------------------------------------------------------------------------------------

    @cached_property
    def _snapshots(self) -> dict[str, DataFrame]:
        return {i.name: self._snapshot(i.name) for i in self.table.inputs if i.mode != "model"}

    def _snapshot(self, name: str) -> DataFrame:
        if name in self.live:
            return self.live[name].frame(self.spark)
        return frames.snapshot(self.spark, self.graph[name], self.decision.inputs[name].version)

    def _with(self, replaced: Mapping[str, DataFrame]) -> dict[str, DataFrame]:
        """Fresh frames of all inputs, some replaced."""
        return {i.name: replaced[i.name] if i.name in replaced else self._snapshot(i.name) for i in self.table.inputs if i.mode != "model"}

    def _feed(self, name: str) -> DataFrame:
        return frames.feed(self.spark, self.graph[name], self.decision.moved[name])

    @property
    def _bytes(self) -> int:
        return sum(m.bytes for m in self.decision.moved.values())

    def _target(self) -> DataFrame:
        assert self.decision.base is not None
        return frames.at_version(self.spark, self.table, self.decision.base)

    @property
    def _is_large(self) -> bool:
        return self.decision.previous is None or self.decision.previous.rows > FEW_ROWS

    def _once(self, keys: DataFrame) -> DataFrame:
        """Keys or groups that are asked for several times: of a large table computed once, at the price of a job."""
        return keys.localCheckpoint() if self._is_large else keys

    def _in_range(self, keys: DataFrame, columns: Sequence[str]) -> DataFrame:
        """The table's rows, of a large table only those among which the keys or groups can be."""
        return frames.within(self._target(), keys, columns) if self._is_large else self._target()

    def _near(self, keys: DataFrame, columns: Sequence[str]) -> DataFrame:
        """The table's rows of some keys or groups."""
        return frames.semi(self._in_range(keys, columns), keys, columns, self._bytes)

    def _mine_and_others(self, mine: DataFrame, others: DataFrame) -> DataFrame:
        """The table's rows of two sets of keys, read once; `_mine` says whether the key is of the first."""
        from pyspark.sql import functions as F

        key = self.table.key
        both = self._mine(mine).unionByName(self._mine(others, False)).groupBy(*key).agg(F.max(difference.MINE).alias(difference.MINE))
        both = self._once(both)
        marked = both.select(*[F.col(k).alias(f"_right_{k}") for k in key], difference.MINE)
        on = reduce(lambda a, b: a & b, [F.col(k) == F.col(f"_right_{k}") for k in key])
        return self._in_range(both, key).join(frames.small(marked, self._bytes), on).drop(*[f"_right_{k}" for k in key])

    def _tagged(self, out: DataFrame) -> DataFrame:
        looked_up = {name: self._snapshot(name) for name in self.table.references}
        return difference.as_stored(self.table, tag(self.table, out, self.now, looked_up, self.table.deleted_when))

    def _retagged(self, rows: DataFrame) -> DataFrame:
        """Rows of the table judged again: what they refer to may have moved."""
        looked_up = {name: self._snapshot(name) for name in self.table.references}
        plain = rows.drop(frames.FLAGS)
        unless = frames.DELETED if self.table.deleted_when else ""
        tagged = tag(self.table, plain, self.now, looked_up, unless)
        return difference.flagged(self.table, tagged)

    # the ways ---------------------------------------------------------------------------------------------------

    def _whole(self) -> DataFrame:
        days = self._days()
        new, held = self._split(self._tagged(self._built_for(days)))
        if self.table.latest_by:
            new = difference.newest(self.table, new)
        if self.decision.base is None or self.decision.kind == "overwrite":
            return self._plus(difference.first(self.table, new), held)
        target = self._target()
        if self.table.as_of:
            from pyspark.sql import functions as F

            wanted = self.spark.createDataFrame([(d,) for d in days], "as_of_date date")
            self.scope = Scope(("as_of_date",), wanted)
            target = target.where(F.col("as_of_date").isin(days))
        return self._plus(difference.between(self.table, new, self._mine(target)), held)

    def _days(self) -> list[date]:
        """The day asked for; every day the table holds too where the code changed, so that all rows are of one making."""
        if not self.table.as_of:
            return []
        assert self.build.as_of is not None
        known: set[date] = set()
        previous = self.decision.previous
        if self.decision.base is not None and (previous is None or previous.code != self.decision.code):
            rows = frames.at_version(self.spark, self.table, self.decision.base).select("as_of_date").distinct().collect()
            known = {row[0] for row in rows}
        return sorted(known | {self.build.as_of})

    def _built_for(self, days: list[date]) -> DataFrame:
        if not self.table.as_of:
            return self.build(self._snapshots)
        asked = self.build.as_of
        parts = []
        for day in days:
            self.build.as_of = day
            parts.append(self.build(self._with({})))
        self.build.as_of = asked
        return reduce(lambda a, b: a.unionByName(b), parts)

    def _by_key(self) -> DataFrame:
        """Changes of a keyed input: post-images give the new rows, keys found only among pre-images are deleted."""
        key, name = self.table.key, self._changes_input()
        new_parts, pre_keys = [], None
        if name in self.decision.moved:
            source, feed = self.graph[name], self._feed(name)
            came = self._tagged(self.build(self._with({name: frames.post_images(source, feed)})))
            pre_keys = self.build(self._with({name: frames.pre_images(source, self._feed(name))})).select(*key).distinct()
            if not source.key and self.decision.moved[name].removes:  # rows without a key may have come and gone: what is left decides
                remaining = frames.semi(self._tagged(self.build(self._with({}))), pre_keys, key, self._bytes)
                came = frames.anti(came, pre_keys, key, self._bytes).unionByName(remaining)
            new_parts.append(came)
        new, held = self._split(new_parts[0]) if new_parts else (None, None)
        target = self._target()
        near = self._nothing(target)
        if new is not None and pre_keys is not None:
            near = self._mine_and_others(pre_keys, new.select(*key))
            self.scope = Scope(key, pre_keys.union(new_parts[0].select(*key)).distinct())
        return self._finish(new, near, held, target)

    def _by_latest(self) -> DataFrame:
        """Candidates compete with the rows there by sequence; keys whose source rows went are computed from what remains."""
        key, name = self.table.key, self._changes_input()
        target = self._target()
        if name not in self.decision.moved:
            self.scope = None
            return self._finish(None, self._nothing(target), None, target)
        source, moved = self.graph[name], self.decision.moved[name]
        candidates = self._tagged(self.build(self._with({name: frames.post_images(source, self._feed(name))})))
        self.scope = None
        if moved.removes:
            lost = self.build(self._with({name: frames.pre_images(source, self._feed(name))})).select(*key).distinct()
            remaining = frames.semi(self._tagged(self.build(self._with({}))), lost, key, self._bytes)
            candidates = frames.anti(candidates, lost, key, self._bytes).unionByName(remaining)
            self.scope = Scope(key, lost)
        new, held = self._split(candidates)
        keys = new.select(*key).distinct()
        if moved.removes:
            keys = keys.union(lost).distinct()
        keys = self._once(keys)
        near = self._near(keys, key)
        competing = frames.anti(near, lost, key, self._bytes) if moved.removes else near
        winners = difference.newest(self.table, new.unionByName(self._retagged(competing)))
        return self._finish(winners, self._mine(near), held, target)

    def _by_group(self) -> DataFrame:
        """Groups of pre- and post-images of all Touched inputs are computed anew from whole groups."""
        touched = [i for i in self.table.inputs if i.mode == "touched"]
        columns = touched[0].groups if touched else ()
        moved = [i.name for i in touched if i.name in self.decision.moved]
        target = self._target()
        if not moved:
            self.scope = None
            return self._finish(None, self._nothing(target), None, target)
        groups = self._once(reduce(lambda a, b: a.union(b), [self._feed(n).select(*columns) for n in moved]).distinct())
        whole = {i.name: frames.semi(self._snapshot(i.name), groups, columns, self._bytes) for i in touched}
        new, held = self._split(self._tagged(self.build(self._with(whole))))
        near = self._mine(self._near(groups, columns))
        if not set(columns) <= set(self.table.key):
            others = frames.anti(self._near(new.select(*self.table.key).distinct(), self.table.key), groups, columns, self._bytes)
            near = near.unionByName(self._mine(others, False))
        self.scope = Scope(columns, groups)
        return self._finish(new, near, held, target)

    # shared -----------------------------------------------------------------------------------------------------

    def _finish(self, new: DataFrame | None, near: DataFrame, held: DataFrame | None, target: DataFrame) -> DataFrame:
        """Add rows whose references moved, judged again; compare; add what goes to quarantine."""
        recheck = [r for r in self.table.rules if r.kind == "reference" and r.table in self.decision.moved]
        for rule in recheck:
            values = self._feed(rule.table).select(rule.other).distinct().withColumnRenamed(rule.other, rule.column)
            rows = frames.semi(target, values, [rule.column], self._bytes)
            rows = frames.anti(rows, near, self.table.key)
            if new is not None:
                rows = frames.anti(rows, new, self.table.key)
            judged = self._retagged(rows)
            new = judged if new is None else new.unionByName(judged)
            near = near.unionByName(self._mine(rows))
        assert new is not None
        return self._plus(difference.between(self.table, new, near), held)

    def _split(self, tagged: DataFrame) -> tuple[DataFrame, DataFrame | None]:
        from lakehouse.quality.tag import ids

        if not ids(self.table, "quarantine"):
            return tagged, None
        diverted = difference.is_diverted(self.table)
        return tagged.where(~diverted), tagged.where(diverted)

    def _plus(self, rows: DataFrame, held: DataFrame | None) -> DataFrame:
        return rows if held is None else rows.unionByName(difference.diverted(self.table, held))

    def _mine(self, rows: DataFrame, mine: bool = True) -> DataFrame:
        from pyspark.sql import functions as F

        return rows.withColumn(difference.MINE, F.lit(mine))

    def _nothing(self, target: DataFrame) -> DataFrame:
        return self._mine(target.limit(0))

    def _changes_input(self) -> str:
        return next(i.name for i in self.table.inputs if i.mode == "changes")
