"""The demo: the simulated company's data through Airflow into the warehouse, and a picture of it."""
