from lakehouse.declare import SQL, Changes, Column, table


@table(
    key="place_id",
    owner="proofs",
    columns=[
        Column("place_id", "string", "Group and thing: the key changes when a thing moves."),
        Column("amount", "decimal(12,2)", "What it is worth."),
    ],
)
def placed_things(things: Changes) -> SQL:
    """Things worth less than 50 that lie somewhere; nothing is looked up, so each run is incremental."""
    return SQL("""
        WITH placed AS (SELECT * FROM things WHERE group_id IS NOT NULL)
        SELECT concat(p.group_id, '/', p.thing_id) AS place_id, p.amount FROM placed AS p WHERE p.amount < 50
    """)
