from lakehouse.declare import SQL, Column, Touched, between, holds, not_null, one_of, table

MOST = 5000
"""Nobody counts more people an hour at one door: a counter that says so is stuck."""


@table(
    key=("sensor_id", "hour_at"),
    owner="commerce",
    refresh="nightly",
    tags="market",
    columns=[
        Column("sensor_id", "string", "Counter: shop and door."),
        Column("store_id", "string", "Shop.", not_null()),
        Column("hour_at", "timestamp", "Beginning of the hour, UTC."),
        Column("footfall_date", "date", "Its day."),
        Column("reading", "string", "counted; stuck (no plausible number came); missing (nothing came for an hour this counter reports).",
               one_of("counted", "stuck", "missing")),
        Column("entries", "int", "People who came in, as counted; empty where it was not counted.", between(0, MOST)),
        Column("entries_estimated", "int", "The same; of gaps the median of the counter's weekday and hour, else of its hour."),
        Column("battery", "int", "Charge, per cent."),
    ],
    checks=[holds("reading = 'counted'", "counted")],
)  # fmt: skip
def footfall(sensors__footfall: Touched["sensor_id"]) -> SQL:
    """One row per counter and hour from its first day to its last: readings that can be, gaps marked and estimated beside them."""
    return SQL(f"""
        WITH readings AS (
            SELECT sensor_id, hour_at, last.entries AS received, last.battery AS battery
            FROM (SELECT sensor_id, hour_at, max(struct(_ingested_at, _source_file, entries, battery)) AS last
                  FROM sensors__footfall GROUP BY sensor_id, hour_at) newest
        ), days AS (
            SELECT sensor_id, explode(sequence(to_date(min(hour_at)), to_date(max(hour_at)))) AS day FROM readings GROUP BY sensor_id
        ), hours AS (
            SELECT DISTINCT sensor_id, hour(hour_at) AS hour FROM readings
        ), expected AS (
            SELECT d.sensor_id, timestampadd(HOUR, h.hour, CAST(d.day AS timestamp)) AS hour_at
            FROM days d JOIN hours h ON h.sensor_id = d.sensor_id
        ), judged AS (
            SELECT e.sensor_id, e.hour_at, r.battery,
                   CASE WHEN r.received BETWEEN 0 AND {MOST} THEN r.received END AS entries,
                   CASE WHEN r.sensor_id IS NULL THEN 'missing' WHEN r.received BETWEEN 0 AND {MOST} THEN 'counted' ELSE 'stuck' END
                       AS reading
            FROM expected e LEFT JOIN readings r ON r.sensor_id = e.sensor_id AND r.hour_at = e.hour_at
        )
        SELECT sensor_id, substring_index(sensor_id, '-', 1) AS store_id, hour_at, to_date(hour_at) AS footfall_date, reading, entries,
               CAST(round(coalesce(entries, median(entries) OVER (PARTITION BY sensor_id, dayofweek(hour_at), hour(hour_at)),
                                   median(entries) OVER (PARTITION BY sensor_id, hour(hour_at)))) AS int) AS entries_estimated,
               battery
        FROM judged
    """)
