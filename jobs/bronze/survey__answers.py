from pyspark.sql import DataFrame

from lakehouse.declare import Column, Csv, Landed, matches, not_null, table

NEEDS = ("taste", "origin", "equipment", "price", "offers", "own_brand", "speed", "routine", "delivery", "fairness", "packaging", "climate")


@table(
    source=Csv("surveys/answers", encoding="detect"),
    owner="research",
    refresh="nightly",
    tags="market",
    columns=[
        Column("answer_id", "string", "Number of the questionnaire; sent twice it is the same.", not_null(), received_as="Response ID"),
        Column("survey", "string", "Which survey.", received_as="Survey"),
        Column("customer_id", "string", "Who answered.", matches("^C[0-9]+$"), received_as="Customer", sensitivity="pseudonym"),
        Column("submitted_at", "timestamp", "When it was sent, UTC.", not_null(), received_as="Submitted"),
        Column("age", "string", "Age group.", received_as="Age", sensitivity="personal"),
        Column("heard", "string", "What the customer says brought them.", received_as="How did you hear of us?"),
        *(Column(f"need_{n}", "string", "Agreement, '1 - not at all' to '5 - very much'.", received_as=n) for n in NEEDS),
        Column("recommend", "int", "Would recommend us, 0 to 10.", received_as="Recommend (0-10)"),
        Column("comment", "string", "Free text.", received_as="Comment", sensitivity="personal"),
    ],
)
def survey__answers(landed: Landed) -> DataFrame:
    """Questionnaires as the survey tool exports them each Monday."""
    return landed
