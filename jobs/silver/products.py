from lakehouse.declare import SQL, Changes, Column, at_least, not_null, table


@table(
    key="product_id",
    latest_by="_sequence",
    deleted_when="_op = 'delete'",
    owner="commerce",
    columns=[
        Column("product_id", "string", "The shop's product number.", sensitivity="public"),
        Column("name", "string", "Product name.", not_null(), sensitivity="public"),
        Column("category", "string", "Product category.", not_null(), sensitivity="public"),
        Column("brand", "string", "Brand.", sensitivity="public"),
        Column("price", "decimal(12,2)", "Selling price, EUR.", at_least(0.01), sensitivity="public"),
        Column("cost", "decimal(12,2)", "Purchase price, EUR.", at_least(0.01)),
        Column("is_active", "boolean", "Whether it is on sale.", sensitivity="public"),
        Column("created_at", "timestamp", "When it was launched, UTC.", sensitivity="public"),
        Column("updated_at", "timestamp", "When the shop last changed the row, UTC."),
    ],
)
def products(shop__products: Changes) -> SQL:
    """One row per product as it is sold now."""
    return SQL("""
        SELECT product_id, trim(name) AS name, category, brand, price, cost, is_active, created_at, updated_at, _op, _sequence
        FROM shop__products
    """)
