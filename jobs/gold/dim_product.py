from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="product_id",
    owner="commerce",
    refresh="nightly",
    columns=[
        Column("product_id", "string", "The shop's product number.", sensitivity="public"),
        Column("name", "string", "Product name.", sensitivity="public"),
        Column("category", "string", "Product category.", sensitivity="public"),
        Column("brand", "string", "Brand.", sensitivity="public"),
        Column("price", "decimal(12,2)", "Selling price now, EUR.", sensitivity="public"),
        Column("cost", "decimal(12,2)", "Purchase price, EUR."),
        Column("margin", "decimal(12,2)", "price - cost, EUR."),
        Column("is_active", "boolean", "Whether it is on sale.", sensitivity="public"),
        Column("launch_date", "date", "Day of its launch.", sensitivity="public"),
    ],
)
def dim_product(products: Changes) -> SQL:
    """Products as they are sold now (type 1): what was paid then is on the order line."""
    return SQL("""
        SELECT product_id, name, category, brand, price, cost, try_cast(price - cost AS decimal(12,2)) AS margin, is_active,
               to_date(created_at) AS launch_date
        FROM products
    """)
