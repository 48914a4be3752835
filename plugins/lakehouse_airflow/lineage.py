"""A run told in OpenLineage's words: data sets with schema and version, the output's rows and the verdict of each rule."""

from __future__ import annotations

from typing import Any

from lakehouse.declare import Table
from lakehouse.graph import Graph

NAMESPACE = "lakehouse"


def facets(graph: Graph, name: str, report: Any) -> Any:
    """The lineage of one finished run; none where it did not finish."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    if report is None:
        return OperatorLineage()
    read = [InputDataset(NAMESPACE, _path(graph[n]), facets=_said(graph[n], v)) for n, v in _versions(graph, report)]
    table = graph[name]
    rows = statistics.OutputStatisticsOutputDatasetFacet(rowCount=report.rows_written)
    written = OutputDataset(
        NAMESPACE, _path(table), facets={**_said(table, report.version), **_verdicts(report)}, outputFacets={"outputStatistics": rows}
    )
    return OperatorLineage(inputs=[*read, *_landed(table), *_asked(table)], outputs=[written])


def _path(table: Table) -> str:
    return f"{table.layer}.{table.name}"


def _versions(graph: Graph, report: Any) -> list[tuple[str, Any]]:
    return [(n, getattr(v, "version", v)) for n, v in sorted((report.inputs or {}).items()) if n in graph.tables]


def _said(table: Table, version: Any) -> dict[str, Any]:
    from openlineage.client.facet_v2 import dataset_version_dataset, documentation_dataset, ownership_dataset, schema_dataset

    fields = [schema_dataset.SchemaDatasetFacetFields(name=c.name, type=c.type, description=c.description) for c in table.columns]
    said: dict[str, Any] = {
        "documentation": documentation_dataset.DocumentationDatasetFacet(description=table.description),
        "ownership": ownership_dataset.OwnershipDatasetFacet(owners=[ownership_dataset.Owner(name=table.owner)]),
    }
    if fields:
        said["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields)
    if version is not None:
        said["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version))
    return said


def _verdicts(report: Any) -> dict[str, Any]:
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    checked = [
        quality.Assertion(assertion=rule["rule"], success=not rule["failed"], column=None)
        for rule in report.rules or []
    ]
    return {"dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(assertions=checked)} if checked else {}


def _landed(table: Table) -> list[Any]:
    from openlineage.client.event_v2 import InputDataset

    return [InputDataset(NAMESPACE, f"landing/{table.source.prefix}")] if table.source else []


def _asked(table: Table) -> list[Any]:
    """The database's tables that a virtual table reads, named as OpenLineage names Postgres' data sets."""
    if table.live is None:
        return []
    from openlineage.client.event_v2 import InputDataset
    from psycopg.conninfo import conninfo_to_dict

    from lakehouse.graph.live import source_tables
    from lakehouse.run.live import address_of

    place = conninfo_to_dict(address_of(table).get_secret_value())
    namespace = f"postgres://{place.get('host')}:{place.get('port', 5432)}"
    return [InputDataset(namespace, f"{place.get('dbname')}.{name}") for name in source_tables(table.live.sql)]
