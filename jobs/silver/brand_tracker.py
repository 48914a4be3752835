from lakehouse.declare import SQL, Changes, Column, at_least, between, one_of, table


@table(
    key=("wave", "question", "age_group"),
    latest_by="published_on",
    owner="brand",
    refresh="nightly",
    tags="market",
    columns=[
        Column("wave", "date", "Monday of the week."),
        Column("question", "string", "What was asked.", one_of("aided awareness", "consideration", "preference", "ad recall")),
        Column("age_group", "string", "Age group."),
        Column("sample", "int", "How many people were asked.", at_least(1)),
        Column("share", "decimal(6,4)", "Share that said yes, 0 to 1.", between(0, 1)),
        Column("standard_error", "double", "Of that share: √(p(1−p)/n)."),
        Column("is_final", "boolean", "Whether all interviews are in."),
        Column("published_on", "date", "When the institute published it."),
    ],
)
def brand_tracker(panel__brand_tracker: Changes) -> SQL:
    """One row per week, question and age group: the figure published last."""
    return SQL("""
        SELECT wave, question, age AS age_group, sample, share, sqrt(share * (1 - share) / sample) AS standard_error,
               state = 'final' AS is_final, published_on
        FROM (SELECT *, try_cast(try_cast(trim(replace(share_text, '%', '')) AS decimal(6,2)) / 100 AS decimal(6,4)) AS share
              FROM (SELECT wave, question, age, sample, share AS share_text, state, published_on FROM panel__brand_tracker) read) figures
    """)
