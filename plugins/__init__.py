"""What the lakehouse adds to Airflow."""
