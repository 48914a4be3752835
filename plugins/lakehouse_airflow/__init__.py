"""From graph to DAGs: thin operators around `lakehouse.run`, and the one place that builds a DAG from the graph."""

from plugins.lakehouse_airflow.build import dag_of, maintenance_of
from plugins.lakehouse_airflow.declared import graph
from plugins.lakehouse_airflow.schedules import every_day, every_hour, every_week

__all__ = ["dag_of", "every_day", "every_hour", "every_week", "graph", "maintenance_of"]
