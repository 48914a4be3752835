from lakehouse.declare import SQL, Column, Touched, at_least, between, holds, matches, not_in_future, one_of, table

MATCH = {"hashed_email IS NOT NULL": 40, "click_id IS NOT NULL": 30, "visitor_id IS NOT NULL": 20, "order_id IS NOT NULL": 10}
"""What an ad platform can match a conversion by, and its points: who it was, which click, which browser, which order."""
QUALITY = (
    "value >= 0", "currency RLIKE '^[A-Z]{3}$'", "hashed_email IS NOT NULL OR customer_id IS NOT NULL",
    "told_by = 'server and browser' OR place IN ('phone', 'store')", "coalesce(values_agree, true)", "coalesce(times_agree, true)",
)  # fmt: skip
"""What a good report fulfils: a value, its currency, a person, everybody told who can, the same value, the same hour."""


@table(
    key="conversion_id",
    owner="marketing",
    refresh="nightly",
    tags="market",
    columns=[
        Column("conversion_id", "string", "Number of the order; of a sale without one `report-` and the number of its report."),
        Column("order_id", "string", "The order."),
        Column("place", "string", "Where it was bought.", one_of("web", "phone", "store")),
        Column("told_by", "string", "Who reported it.", one_of("server", "browser", "server and browser")),
        Column("server_reports", "bigint", "Reports of the server; more than one is a repetition under another number.", at_least(0)),
        Column("browser_reports", "bigint", "Purchases the browser reported.", at_least(0)),
        Column("value", "decimal(12,2)", "What was paid: by the server's first report, else the browser's.", at_least(0)),
        Column("currency", "string", "Currency of the value.", matches("^[A-Z]{3}$")),
        Column("happened_at", "timestamp", "When it was first reported to have happened, UTC.", not_in_future(), required=True),
        Column("conversion_date", "date", "That day, UTC."),
        Column("click_id", "string", "The platform's number of the click."),
        Column("channel", "string", "Marketing channel of the visit that bought, by the browser's event."),
        Column("hashed_email", "string", "SHA-256 of the e-mail address.", matches("^[0-9a-f]{64}$"), sensitivity="pseudonym"),
        Column("visitor_id", "string", "Cookie; empty without consent to analytics.", sensitivity="pseudonym"),
        Column("customer_id", "string", "Customer, by the browser's event; empty without consent.", sensitivity="pseudonym"),
        Column("values_agree", "boolean", "Whether server and browser say the same value; empty where only one of them tells."),
        Column("match_score", "int", "How well an ad platform can match it, 0 to 100: " +
               ", ".join(f"{points} where {what.split()[0]} is known" for what, points in MATCH.items()) + ".", between(0, 100)),
        Column("quality_score", "int", "Per cent of six checks that it passes: value, currency, person, told by all who can, values agree, "
               "times agree within an hour.", between(0, 100)),
    ],
    checks=[holds("values_agree", "values_agree"), holds("told_by <> 'browser'", "server_told_too")],
)  # fmt: skip
def conversions(conversions__sent: Touched["order_id"], web_events: Touched["order_id"]) -> SQL:
    """One row per conversion, whoever reported it and how often: server and browser reports of one order count once."""
    match = " + ".join(f"CASE WHEN {what} THEN {points} ELSE 0 END" for what, points in MATCH.items())
    quality = " + ".join(f"CASE WHEN {check} THEN 1 ELSE 0 END" for check in QUALITY)
    return SQL(f"""
        WITH reports AS (
            SELECT coalesce(nullif(order_id, ''), concat('report-', conversion_id)) AS conversion_id, nullif(order_id, '') AS order_id,
                   conversion_id AS report_id, true AS by_server,
                   CASE channel WHEN 'web server' THEN 'web' ELSE channel END AS place, value, currency, happened_at,
                   nullif(click_id, '') AS click_id, nullif(lower(hashed_email), '') AS hashed_email,
                   CAST(NULL AS string) AS channel, CAST(NULL AS string) AS visitor_id, CAST(NULL AS string) AS customer_id
            FROM conversions__sent
            UNION ALL
            SELECT order_id, order_id, event_id, false, 'web', value, 'EUR', event_at, NULL, NULL, channel, visitor_id, customer_id
            FROM web_events WHERE event_type = 'purchase' AND order_id IS NOT NULL AND NOT coalesce(is_bot, false)
        ), counted AS (
            SELECT conversion_id, max(order_id) AS order_id, max(place) AS place,
                   count(DISTINCT CASE WHEN by_server THEN report_id END) AS server_reports,
                   count(DISTINCT CASE WHEN NOT by_server THEN report_id END) AS browser_reports,
                   min(CASE WHEN by_server THEN struct(report_id, value, currency, happened_at) END) AS server,
                   min(CASE WHEN NOT by_server THEN struct(report_id, value, currency, happened_at) END) AS browser,
                   min(happened_at) AS happened_at, max(click_id) AS click_id, max(channel) AS channel,
                   max(hashed_email) AS hashed_email, max(visitor_id) AS visitor_id, max(customer_id) AS customer_id
            FROM reports GROUP BY conversion_id
        ), told AS (
            SELECT conversion_id, order_id, place, server_reports, browser_reports, happened_at, click_id, channel, hashed_email,
                   visitor_id, customer_id, coalesce(server.value, browser.value) AS value,
                   coalesce(server.currency, browser.currency) AS currency,
                   CASE WHEN browser_reports = 0 THEN 'server' WHEN server_reports = 0 THEN 'browser' ELSE 'server and browser' END
                       AS told_by,
                   server.value = browser.value AS values_agree,
                   abs(unix_seconds(server.happened_at) - unix_seconds(browser.happened_at)) <= 3600 AS times_agree
            FROM counted
        )
        SELECT conversion_id, order_id, place, told_by, server_reports, browser_reports, value, currency, happened_at,
               to_date(happened_at) AS conversion_date, click_id, channel, hashed_email, visitor_id, customer_id, values_agree,
               {match} AS match_score, CAST(round(100.0 * ({quality}) / {len(QUALITY)}) AS int) AS quality_score
        FROM told
    """)
