"""Nightly waits for data, not for another DAG's runs: the sensor passes when a cut is complete for the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException

from lakehouse.errors import LakehouseError
from lakehouse.graph import Graph
from plugins.lakehouse_airflow.failures import may_pass, told
from plugins.lakehouse_airflow.schedules import day_of, end_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class WatermarkSensor(BaseSensorOperator):
    """Passes, with the id of the last cut of `cut_of`, when every source it needs is complete to the end of the day."""

    shallow_copy_attrs = ("graph",)
    ui_color = "#e0f2f1"

    def __init__(self, *, graph: Graph, cut_of: str, sources: tuple[str, ...], **kwargs: Any) -> None:
        # a week: a source that stays away stops the nights after it too, and they go on by themselves when it is back
        super().__init__(mode="reschedule", poke_interval=60, timeout=timedelta(days=7), **kwargs)
        self.graph, self.cut_of, self.sources = graph, cut_of, sources

    def poke(self, context: Context) -> PokeReturnValue:
        """Look at the last cut; say which source is behind, and by how much."""
        from plugins.lakehouse_airflow.cuts import last

        try:
            day = day_of(context)
            cut = last(self.cut_of)
        except LakehouseError as wrong:
            self.log.error("%s", wrong)
            raise AirflowFailException(told(wrong)) from None
        except BaseException as failure:  # re-raised unless the store was out of reach, which may pass
            if not may_pass(failure):
                raise
            self.log.warning("The object store does not answer: %s", told(failure))
            return PokeReturnValue(is_done=False)
        if cut is None:
            self.log.info("Waiting: '%s' has written no cut yet; its first run in which every table succeeds does.", self.cut_of)
            return PokeReturnValue(is_done=False)
        late = behind(cut.watermarks, self.sources, end_of(day))
        for line in late:
            self.log.info("Waiting for %s", line)
        if late:
            return PokeReturnValue(is_done=False)
        self.log.info("Every source is complete to the end of %s. This run reads cut %s of '%s'.", day, cut.id, self.cut_of)
        return PokeReturnValue(is_done=True, xcom_value=cut.id)


def behind(watermarks: Mapping[str, str | datetime], sources: tuple[str, ...], needed: datetime) -> list[str]:
    """A line for each source that is not complete up to `needed`."""
    lines = []
    for source in sources:
        mark = _moment(watermarks.get(source))
        if mark is None:
            lines.append(f"source '{source}': nothing has arrived yet; needed complete to {_shown(needed)}")
        elif mark < needed:
            lines.append(f"source '{source}': complete to {_shown(mark)}, needed to {_shown(needed)}: {_length(needed - mark)} behind")
    return lines


def _moment(mark: str | datetime | None) -> datetime | None:
    if mark is None or mark == "":
        return None
    found = datetime.fromisoformat(mark) if isinstance(mark, str) else mark
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _length(time: timedelta) -> str:
    hours, minutes = divmod(int(time.total_seconds() // 60), 60)
    days, hours = divmod(hours, 24)
    shown = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(shown) or "less than a minute"
