from lakehouse.declare import Column, JsonLines, Landed, table


@table(
    source=JsonLines("web/hits", period="hour"),
    owner="proofs",
    columns=[
        Column("hit_id", "string", "A hit."),
        Column("thing_id", "string", "The thing that was hit."),
        Column("happened_at", "timestamp", "When."),
    ],
)
def web__hits(landed: Landed):
    """Hits as received; none comes twice."""
    return landed
