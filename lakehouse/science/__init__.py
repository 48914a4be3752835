"""The mathematics: arrays and data frames in, results out; nothing of Spark, Airflow or storage."""
