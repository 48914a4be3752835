from lakehouse.declare import ChangeCapture, ChangeRows, Column, Landed, table


@table(
    source=ChangeRows("crm/deals", lands=ChangeCapture("crm")),
    owner="crm",
    columns=[
        Column("contact_id", "bigint", "Whose."),
        Column("number", "int", "Number."),
        Column("value", "decimal(14,2)", "Money."),
        Column("stage", "string", "Stage."),
    ],
)
def crm__deals(landed: Landed):
    """Every change of deals."""
    return landed
