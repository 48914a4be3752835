"""Every hour: land what the sources have, then bronze and silver.

A run takes everything that has landed, so one run catches up after an outage. It ends with the cut: the
versions that belong together, which nightly reads.
"""

from plugins.lakehouse_airflow import dag_of, every_hour, graph

hourly = dag_of(graph(), "hourly", schedule=every_hour(minute=5), text=__doc__, lands=True)
