"""Every week: models are trained anew, on the versions of the last cut of `nightly`."""

from plugins.lakehouse_airflow import dag_of, every_week, graph

weekly = dag_of(graph(), "weekly", schedule=every_week(weekday=1, at="03:30"), text=__doc__, reads="nightly")
