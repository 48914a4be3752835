from lakehouse.declare import SQL, Column, Touched, at_most, table


@table(
    key="group_key",
    owner="proofs",
    columns=[
        Column("group_key", "string", "The group's name, or nowhere."),
        Column("group_id", "string", "The group; may be null."),
        Column("things", "bigint", "How many things.", at_most(3, action="quarantine")),
        Column("amount", "decimal(22,2)", "What they are worth."),
    ],
)
def agg_group(things: Touched["group_id"]) -> SQL:
    """What lies where: groups with nulls, rows moving between them, crowded groups in quarantine."""
    return SQL("""
        SELECT coalesce(group_id, 'nowhere') AS group_key, group_id, count(*) AS things, sum(amount) AS amount
        FROM things GROUP BY group_id
    """)
