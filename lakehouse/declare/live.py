"""Virtual tables: a query on a live database in the place of stored rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LiveQuery:
    """One SELECT in the words of a live Postgres, asked whenever a table reads it: `LiveQuery("shop", "SELECT … FROM orders")`.

    `source` names the database, its address is the setting `<source>_url`. A table that reads it takes only the columns and rows it
    needs from there. `seconds`: how long the database may take for one answer.
    """

    source: str
    sql: str
    seconds: int = 600
