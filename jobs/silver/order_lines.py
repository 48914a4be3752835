from lakehouse.declare import SQL, Changes, Column, at_least, holds, not_null, references, table


@table(
    key="line_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="commerce",
    minimum_score=0.95,
    columns=[
        Column("line_id", "string", "Order number and line number."),
        Column("order_id", "string", "The order it belongs to.", required=True),
        Column("line_number", "int", "Place in the order, from 1.", at_least(1)),
        Column("product_id", "string", "What was bought.", not_null()),
        Column("quantity", "int", "How many.", at_least(1)),
        Column("unit_price", "decimal(12,2)", "Price of one, EUR.", at_least(0)),
        Column("discount", "decimal(12,2)", "Reduction of the line, EUR.", at_least(0)),
        Column("amount", "decimal(12,2)", "What the line costs, EUR.", not_null(action="stop"), at_least(0)),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
    checks=[
        references("orders", "order_id"),
        references("products", "product_id"),
        holds("amount = quantity * unit_price - discount", "amount_agrees"),
    ],
)
def order_lines(shop__order_lines: Changes) -> SQL:
    """One row per order line."""
    return SQL("""
        SELECT line_id, order_id, line_number, product_id, quantity, unit_price, discount, amount, updated_at, _op, _sequence
        FROM shop__order_lines
    """)
