"""Random transactions on a source of two tables."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import psycopg

from tests.sources.capture.server import OwnServer

SCHEMA = """
CREATE TABLE contacts (contact_id bigint PRIMARY KEY, name text NOT NULL, note text, amount int, is_open boolean,
                       seen_at timestamptz, tags text[]);
CREATE TABLE deals (contact_id bigint, number int, value numeric(14,2), stage text, PRIMARY KEY (contact_id, number));
ALTER TABLE deals REPLICA IDENTITY FULL;
CREATE PUBLICATION lakehouse FOR TABLE contacts, deals;
"""
WORDS = ("a", "ü", "x,y", '"q"', "back\\slash", "new\nline", "tab\t", "{}", "")


class Shop:
    """Two tables and somebody who changes them by chance; a lost connection is opened anew."""

    def __init__(self, server: OwnServer, database: str, seed: int) -> None:
        self.server, self.database, self.chance, self.pause = server, database, Random(seed), 0.0
        self.connection = server.connect(database)
        self.connection.execute(SCHEMA)
        for _ in range(20):
            self.statement(self.connection)

    def transactions(self, count: int) -> None:
        """So many of them, some rolled back; on the way a column is added and one changes its type."""
        for turn in range(count):
            if turn == count // 3:
                self.whatever_happens("ALTER TABLE contacts ADD COLUMN grade text DEFAULT 'new'")
            if turn == count // 2:
                self.whatever_happens("ALTER TABLE contacts ALTER COLUMN amount TYPE numeric(14,2) USING amount + 0.25")
            self.one()
            time.sleep(self.pause)

    def one(self) -> None:
        """One transaction."""
        try:
            with self.connection.transaction():
                for _ in range(self.chance.choice((1, 1, 2, 3, 8))):
                    self.statement(self.connection)
                if self.chance.random() < 0.08:
                    raise psycopg.Rollback
        except psycopg.OperationalError:
            self.reconnect()

    def whatever_happens(self, statement: str) -> None:
        """A statement, again until it is done."""
        while True:
            try:
                self.connection.execute(statement.encode())
                return
            except psycopg.errors.DuplicateColumn:
                return
            except psycopg.OperationalError:
                self.reconnect()

    def reconnect(self) -> None:
        """A new connection, once the server is back."""
        until = time.monotonic() + 180
        while True:
            try:
                self.connection = self.server.connect(self.database)
                return
            except psycopg.OperationalError:
                assert time.monotonic() < until
                time.sleep(0.1)

    def statement(self, on: psycopg.Connection[Any]) -> None:
        """One change."""
        draw, pick = self.chance.random(), self.chance.randrange(60)
        long = "".join(self.chance.choice("abcdefghij") for _ in range(6000)) if self.chance.random() < 0.2 else self.chance.choice(WORDS)
        if draw < 0.35:
            on.execute(
                "INSERT INTO contacts (contact_id, name, note, amount, is_open, seen_at, tags) "
                "VALUES (%s, %s, %s, %s, %s, clock_timestamp(), %s) ON CONFLICT (contact_id) DO UPDATE "
                "SET name = EXCLUDED.name, note = EXCLUDED.note, tags = EXCLUDED.tags",
                [pick, self.chance.choice(WORDS), long, pick, self.chance.choice((True, False, None)), self.chance.sample(WORDS, 2)],
            )
        elif draw < 0.55:
            on.execute("UPDATE contacts SET amount = amount + 1, seen_at = clock_timestamp() WHERE contact_id = %s", [pick])
        elif draw < 0.62:
            on.execute("UPDATE contacts SET contact_id = contact_id + 1000 WHERE contact_id = %s", [pick])
        elif draw < 0.66:
            on.execute("DELETE FROM contacts WHERE contact_id >= 1000 AND contact_id %% 3 = %s", [pick % 3])
        elif draw < 0.72:
            on.execute("DELETE FROM contacts WHERE contact_id = %s", [pick])
        elif draw < 0.90:
            on.execute(
                "INSERT INTO deals VALUES (%s, %s, %s, %s) ON CONFLICT (contact_id, number) DO UPDATE SET value = EXCLUDED.value + 0.01",
                [pick, pick % 5, pick * 1.25, self.chance.choice(WORDS)],
            )
        elif draw < 0.994:
            on.execute("DELETE FROM deals WHERE contact_id %% 7 = %s", [pick % 7])
        else:
            on.execute("TRUNCATE " + self.chance.choice(("deals", "contacts", "contacts, deals")))
