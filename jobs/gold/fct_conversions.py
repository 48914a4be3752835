from lakehouse.declare import SQL, Changes, Column, at_least, between, one_of, references, table


@table(
    key="conversion_id",
    owner="marketing",
    refresh="nightly",
    tags="market",
    columns=[
        Column("conversion_id", "string", "Number of the order; of a sale without one `report-` and the number of its report."),
        Column("date_id", "date", "Day of the conversion, UTC."),
        Column("happened_at", "timestamp", "When it was first reported to have happened, UTC."),
        Column("order_id", "string", "The order."),
        Column("place", "string", "Where it was bought.", one_of("web", "phone", "store")),
        Column("channel", "string", "Marketing channel of the visit that bought, by the browser's event; empty where no browser told."),
        Column("told_by", "string", "server, browser, or server and browser."),
        Column("reports", "bigint", "How many reports told of it; it counts once all the same.", at_least(1)),
        Column("value", "decimal(12,2)", "What was paid.", at_least(0)),
        Column("currency", "string", "Currency of the value."),
        Column("match_score", "int", "How well an ad platform can match it, 0 to 100.", between(0, 100)),
        Column("quality_score", "int", "Per cent of six checks of the report that it passes.", between(0, 100)),
    ],
    checks=[references("dim_date", "date_id"), references("dim_channel", "channel")],
)
def fct_conversions(conversions: Changes) -> SQL:
    """One row per conversion told to ad platforms or seen by the browser, each once, with how well it can be matched."""
    return SQL("""
        SELECT conversion_id, conversion_date AS date_id, happened_at, order_id, place, channel, told_by,
               server_reports + browser_reports AS reports, value, currency, match_score, quality_score
        FROM conversions
    """)
