"""A reader that joins orders and lines without pause and notes every poll that does not add up."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg

IN_ONE_STATEMENT = """
WITH sums AS (SELECT order_id, sum(amount) AS amount, count(*) AS lines FROM marts.fct_order_lines GROUP BY order_id)
SELECT count(*), count(*) FILTER (WHERE o.order_id IS NULL), count(*) FILTER (WHERE s.order_id IS NULL),
       count(*) FILTER (WHERE o.total IS DISTINCT FROM s.amount OR o.lines IS DISTINCT FROM s.lines)
FROM marts.fct_orders o FULL JOIN sums s USING (order_id)
"""
ORDERS = "SELECT count(*), sum(total), sum(lines) FROM marts.fct_orders"
LINES = "SELECT count(DISTINCT order_id), sum(amount), count(*) FROM marts.fct_order_lines"


class Reader:
    """Polls from its own thread while the block lasts; then `polls`, `moments`, `mixtures` and `longest` tell."""

    def __init__(self, url: str, *, in_a_transaction: bool = False) -> None:
        self.url, self.in_a_transaction = url, in_a_transaction
        self.polls = 0
        self.moments: set[Any] = set()
        """Different contents seen: more than one, or the reader saw no publication at all."""
        self.mixtures: list[Any] = []
        self.longest = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def look(self, polls: int) -> None:
        """Wait until that many more polls are over."""
        until = self.polls + polls
        while self.polls < until and self._thread.is_alive():
            time.sleep(0.01)

    def _run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_isolation = 'repeatable read'")
            while not self._end.is_set():
                began = time.monotonic()
                (self._in_transaction if self.in_a_transaction else self._in_statement)(connection)
                self.longest = max(self.longest, time.monotonic() - began)
                self.polls += 1
                time.sleep(0.002)

    def _in_statement(self, connection: psycopg.Connection[Any]) -> None:
        orders, *wrong = connection.execute(IN_ONE_STATEMENT).fetchone() or ()
        if not orders or any(wrong):
            self.mixtures.append((orders, *wrong))
        self.moments.add(connection.execute(ORDERS).fetchone())

    def _in_transaction(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            connection.execute("SELECT 1").fetchone()  # the snapshot is taken here, before any view is touched
            time.sleep(0.003)
            orders = connection.execute(ORDERS).fetchone()
            time.sleep(0.003)
            lines = connection.execute(LINES).fetchone()
        self.moments.add(orders)
        if orders != lines or not orders or not orders[0]:
            self.mixtures.append((orders, lines))
