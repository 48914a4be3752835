from lakehouse.declare import SQL, Changes, Column, matches, not_in_future, one_of, table


@table(
    key="customer_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="crm",
    minimum_score=0.95,
    columns=[
        Column("customer_id", "string", "The shop's customer number.", sensitivity="pseudonym"),
        Column("email", "string", "E-mail address in small letters.", matches("^[^@ ]+@[^@ ]+[.][a-z]+$"), sensitivity="personal"),
        Column("first_name", "string", "First name.", sensitivity="personal"),
        Column("last_name", "string", "Last name.", sensitivity="personal"),
        Column("phone", "string", "Telephone number, international.", matches("^[+][0-9 ]+$"), sensitivity="personal"),
        Column("street", "string", "Street and house number.", sensitivity="personal"),
        Column("postcode", "string", "Postcode.", sensitivity="personal"),
        Column("city", "string", "City.", sensitivity="personal"),
        Column("country", "string", "Country, ISO 3166 two letters.", matches("^[A-Z]{2}$")),
        Column("segment", "string", "Kind of customer.", one_of("private", "business", "student")),
        Column("created_at", "timestamp", "When the customer signed up, UTC.", not_in_future()),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def customers(shop__customers: Changes) -> SQL:
    """One row per customer as the shop knows them now; a deleted customer is gone."""
    return SQL("""
        SELECT customer_id, lower(trim(email)) AS email, trim(first_name) AS first_name, trim(last_name) AS last_name, phone,
               street, postcode, city, upper(country) AS country, segment, created_at, updated_at, _op, _sequence
        FROM shop__customers
    """)
