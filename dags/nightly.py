"""Every night: gold, features and predictions of the day that is over, then the warehouse.

It waits until the last cut of `hourly` is complete to the end of that day and reads that one cut throughout.
A model that does not exist yet is trained first.
"""

from plugins.lakehouse_airflow import dag_of, every_day, graph

nightly = dag_of(graph(), "nightly", schedule=every_day(at="02:15"), text=__doc__, waits_for="hourly", publishes=True)
