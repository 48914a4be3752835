"""Every night: small files are compacted, and files that nobody can read any more are removed."""

# Airflow looks for DAGs only in files that say "dag".
from plugins.lakehouse_airflow import every_day, graph, maintenance_of

maintenance = maintenance_of(graph(), schedule=every_day(at="04:40"), text=__doc__)
