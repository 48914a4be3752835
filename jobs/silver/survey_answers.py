from lakehouse.declare import SQL, Changes, Column, between, holds, not_in_future, one_of, table

NEEDS = {
    "taste": "notices what is very good",
    "origin": "wants to know where it comes from",
    "equipment": "likes good equipment",
    "price": "compares prices",
    "offers": "waits for offers",
    "own_brand": "is content with a cheaper brand",
    "speed": "wants shopping to be quick",
    "routine": "buys the same again and again",
    "delivery": "minds when it arrives",
    "fairness": "pays more for fair wages",
    "packaging": "avoids packaging",
    "climate": "minds the climate",
}


@table(
    key="answer_id",
    latest_by="submitted_at",
    owner="research",
    refresh="nightly",
    tags="market",
    columns=[
        Column("answer_id", "string", "Number of the questionnaire."),
        Column("survey", "string", "Which survey: topic, year and week."),
        Column("customer_id", "string", "Who answered.", sensitivity="pseudonym", required=True),
        Column("submitted_at", "timestamp", "When it was last sent, UTC.", not_in_future(), required=True),
        Column("age_group", "string", "Age group.", one_of("18-29", "30-44", "45-59", "60+"), sensitivity="personal"),
        Column("heard_of_us_by", "string", "What the customer says brought them."),
        *(Column(f"need_{n}", "tinyint", f"How much the customer {said}, 1 to 5.", between(1, 5)) for n, said in NEEDS.items()),
        Column("recommendation", "tinyint", "Would recommend us, 0 to 10.", between(0, 10)),
        Column("answered", "tinyint", "How many of the twelve needs were answered."),
        Column("is_straight_line", "boolean", "Whether all answered needs got the same answer: not to be trusted."),
        Column("comment", "string", "Free text.", sensitivity="personal"),
    ],
    checks=[holds("NOT is_straight_line", "not_straight_line")],
)
def survey_answers(survey__answers: Changes) -> SQL:
    """One row per questionnaire, the one sent last: needs and attitudes as numbers, those of careless people marked."""
    given = ", ".join(f"try_cast(substring(need_{n}, 1, 1) AS tinyint) AS need_{n}" for n in NEEDS)
    names = ", ".join(f"need_{n}" for n in NEEDS)
    return SQL(f"""
        SELECT answer_id, survey, customer_id, submitted_at, age AS age_group, heard AS heard_of_us_by, {names},
               CAST(recommend AS tinyint) AS recommendation, CAST(size(array_compact(array({names}))) AS tinyint) AS answered,
               size(array_compact(array({names}))) > 2 AND greatest({names}) = least({names}) AS is_straight_line,
               nullif(trim(comment), '') AS comment
        FROM (SELECT answer_id, survey, customer_id, submitted_at, age, heard, recommend, comment, {given} FROM survey__answers) given
    """)
