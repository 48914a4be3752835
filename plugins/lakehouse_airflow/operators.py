"""Thin operators: each calls one function of `lakehouse.run` and tells Airflow how it went. Imports happen in the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from plugins.lakehouse_airflow.failures import may_pass, told
from plugins.lakehouse_airflow.links import ModelLink, ObjectsLink, ReportLink
from plugins.lakehouse_airflow.schedules import day_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class LakehouseOperator(BaseOperator):
    """Tells a failure in the log's last lines, tries again only what can succeed, and stops what an earlier try left running."""

    shallow_copy_attrs = ("graph",)
    computes = False
    """Whether its tries leave operations in Spark."""

    def __init__(self, *, graph: Graph, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.graph = graph

    def run(self, context: Context) -> Any:
        """What the operator is for."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Run; turn what went wrong into a reason for a person and a decision for Airflow."""
        try:
            self._stop_earlier_tries(context)
            return self.run(context)
        except (AirflowException, KeyboardInterrupt):
            raise
        except LakehouseError as stop:
            if may_pass(stop):
                raise self._again(stop) from None
            raise AirflowFailException(str(stop)) from None
        except BaseException as failure:  # re-raised: as a failure that is tried again, or as one that is not
            if may_pass(failure):
                raise self._again(failure) from None
            if isinstance(failure, Exception):
                raise AirflowFailException(f"{type(failure).__name__}: {told(failure)}") from failure
            raise

    def _again(self, failure: BaseException) -> AirflowException:
        self.log.warning("%s", failure)
        return AirflowException(f"{told(failure)} (a lost connection or server: tried again while tries remain)")

    def _stop_earlier_tries(self, context: Context) -> None:
        """A killed task leaves its Spark operations running on the server: they would race with this try."""
        ti = context["ti"]
        if ti.try_number < 2 or not self.computes:
            return
        from lakehouse.run import interrupt

        for number in range(1, ti.try_number):
            interrupt(attempt_of(context, number))
        self.log.info("Stopped what %d earlier tries may have left running.", ti.try_number - 1)


def attempt_of(context: Context, number: int | None = None) -> str:
    """What a try of a task is called in Spark and in the table's log."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{number or ti.try_number}"


class TableOperator(LakehouseOperator):
    """Runs one table."""

    computes = True
    ui_color = "#e8f0fe"
    operator_extra_links: ClassVar = (ObjectsLink(),)

    def __init__(self, *, table: str, cut_of: str = "", cut_task: str = "", **kwargs: Any) -> None:
        """Inputs of other DAGs are read at the cut that `cut_task` of this run chose, or else at the last cut of the DAG `cut_of`."""
        super().__init__(**kwargs)
        self.table, self.cut_of, self.cut_task = table, cut_of, cut_task
        self.report: Any = None

    def run(self, context: Context) -> dict[str, Any]:
        """Run the table and hand its report to the asset event and the cut."""
        from plugins.lakehouse_airflow.cuts import chosen, landed_to
        from plugins.lakehouse_airflow.reports import event_of

        marks = landed_to(self.graph[self.table])
        self.report = self.made(context, chosen(context, self.cut_of, self.cut_task))
        self.log.info("%s", self.report)
        for warning in self.report.warnings:
            self.log.warning("%s", warning)
        event = event_of(self.report) | ({"watermarks": marks} if marks else {})
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = event
        return event

    def made(self, context: Context, cut: Any) -> Any:
        """Have the engine do it; returns its report."""
        from lakehouse.run import run_table

        return run_table(self.graph, self.table, as_of=day_of(context), cut=cut, attempt=attempt_of(context))

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Inputs and output with schema, version, rows and the verdict of each rule."""
        from plugins.lakehouse_airflow.lineage import facets

        return facets(self.graph, self.table, self.report)


class ModelOperator(TableOperator):
    """Trains one model; with `if_missing` only one that does not exist yet."""

    ui_color = "#f3e8fd"
    operator_extra_links: ClassVar = (ModelLink(), ReportLink())

    def __init__(self, *, if_missing: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.if_missing = if_missing

    def made(self, context: Context, cut: Any) -> Any:
        """Train."""
        from lakehouse.models import train

        return train(self.graph, self.table, cut=cut, only_if_missing=self.if_missing, attempt=attempt_of(context))


class LandOperator(LakehouseOperator):
    """Fetches what a source has into landing."""

    ui_color = "#f3f4f6"

    def __init__(self, *, lander: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lander = lander

    def run(self, context: Context) -> dict[str, Any]:
        """Land the source's new objects."""
        from lakehouse.run import land
        from plugins.lakehouse_airflow.reports import plain

        landed = land(self.graph, self.lander)
        for warning in landed.warnings:
            self.log.warning("%s", warning)
        if not any(landed.rows.values()):
            self.log.info("%s: nothing new, complete to %s", self.lander, landed.watermark)
        else:
            rows = ", ".join(f"{count:,} {table}" for table, count in landed.rows.items())
            self.log.info("%s: batch %s landed (%s), complete to %s", self.lander, landed.batch, rows, landed.watermark)
        return plain(landed)


class CutOperator(LakehouseOperator):
    """Writes down which versions of the DAG's tables belong together, unless one of them failed."""

    ui_color = "#fef7e0"

    def __init__(self, *, tables: tuple[str, ...], cut_of: str = "", cut_task: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tables, self.cut_of, self.cut_task = tables, cut_of, cut_task

    def run(self, context: Context) -> str:
        """Refuse where a table failed: its old version and the new ones of others are of different moments."""
        from plugins.lakehouse_airflow.cuts import chosen, failed_of, write

        failed = failed_of(context, self.tables)
        if failed:
            raise LakehouseError(
                f"No new cut: {', '.join(failed)} did not succeed in this run, and versions of different moments do not belong "
                f"together. Readers of '{self.dag_id}' stay at its last cut; the next run in which every table succeeds writes a new one."
            )
        cut = write(self.graph, context, self.tables, chosen(context, self.cut_of, self.cut_task))
        self.log.info("Cut %s: %d tables of '%s' belong together.", cut.id, len(cut.tables), cut.dag)
        for source, mark in sorted(cut.watermarks.items()):
            self.log.info("Source '%s' is complete to %s.", source, mark)
        return cut.id


class PublishOperator(LakehouseOperator):
    """Switches the warehouse to the versions of this run's cut, all tables at once."""

    ui_color = "#e6f4ea"

    def __init__(self, *, cut_task: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cut_task = cut_task

    def run(self, context: Context) -> Any:
        """Publish."""
        from lakehouse.warehouse import publish
        from plugins.lakehouse_airflow.cuts import chosen
        from plugins.lakehouse_airflow.reports import plain

        cut = chosen(context, "", self.cut_task)
        done = publish(self.graph, cut.tables, context["ti"].run_id)
        for table in done.tables:
            self.log.info("%s: version %s shown, %d rows%s", table.table, table.version, table.rows, "" if table.loaded else ", as before")
        self.log.info("warehouse: %s, publication %s, %.1f s", done.state, done.publication, done.seconds)
        return plain({"state": done.state, "publication": done.publication, "rows_loaded": done.rows_loaded, "cut": cut.id})


class MaintainOperator(LakehouseOperator):
    """Compacts a table's files and removes those nobody can read any more."""

    ui_color = "#f3f4f6"

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def run(self, context: Context) -> Any:
        """OPTIMIZE, VACUUM."""
        from lakehouse.run import maintain
        from plugins.lakehouse_airflow.reports import plain

        done = maintain(self.graph, self.table)
        self.log.info("%s: %s", self.table, done)
        return plain(done)
