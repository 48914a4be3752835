"""The warehouse: a star schema in Postgres, shown in one piece at Delta versions that belong together."""

from lakehouse.warehouse.lake import Version
from lakehouse.warehouse.publish import PublicationReport, publish
from lakehouse.warehouse.query import Answer, query
from lakehouse.warehouse.record import record_run
from lakehouse.warehouse.schema import ensure

__all__ = ["Answer", "PublicationReport", "Version", "ensure", "publish", "query", "record_run"]
