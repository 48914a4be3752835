from lakehouse.declare import SQL, Column, rows_at_least, table


@table(
    key="date_id",
    owner="analytics",
    refresh="nightly",
    columns=[
        Column("date_id", "date", "The day; facts name it.", sensitivity="public"),
        Column("year", "int", "Year.", sensitivity="public"),
        Column("quarter", "int", "Quarter, 1 to 4.", sensitivity="public"),
        Column("month", "int", "Month, 1 to 12.", sensitivity="public"),
        Column("month_name", "string", "Month in English.", sensitivity="public"),
        Column("iso_week", "int", "Week, ISO 8601.", sensitivity="public"),
        Column("week_start", "date", "Monday of the week.", sensitivity="public"),
        Column("weekday", "int", "Day of the week, Monday is 1.", sensitivity="public"),
        Column("weekday_name", "string", "Day of the week in English.", sensitivity="public"),
        Column("is_weekend", "boolean", "Whether it is Saturday or Sunday.", sensitivity="public"),
    ],
    checks=[rows_at_least(5_000)],
)
def dim_date() -> SQL:
    """Days from 2020 to 2035."""
    return SQL("""
        SELECT day AS date_id, year(day) AS year, quarter(day) AS quarter, month(day) AS month, date_format(day, 'MMMM') AS month_name,
               weekofyear(day) AS iso_week, date_sub(day, weekday(day)) AS week_start, weekday(day) + 1 AS weekday,
               date_format(day, 'EEEE') AS weekday_name, weekday(day) >= 5 AS is_weekend
        FROM (SELECT explode(sequence(DATE'2020-01-01', DATE'2035-12-31', INTERVAL 1 DAY)) AS day) days
    """)
