"""What Airflow runs, each built from the graph."""
