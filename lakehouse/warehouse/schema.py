"""The warehouse's schemas and the tables in which it keeps its own history; made where missing, never altered."""

from __future__ import annotations

from hashlib import sha256

from psycopg import sql

from lakehouse.warehouse.connection import Connection, loader, reader_role
from lakehouse.warehouse.roles import ANALYSTS, EVERYBODY, GROUPS, ensure_roles

SCHEMAS = {
    "marts": "What consumers read: one view per table, all switched by one publication.",
    "marts_data": "The versioned tables behind the views of marts.",
    "ops": "Runs, quality and publications of the lakehouse.",
    "staging": "Loads in flight; whatever a killed publication leaves here, the next one sweeps.",
}

TABLES = """
CREATE TABLE IF NOT EXISTS ops.runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    table_name text NOT NULL,
    state text NOT NULL,
    started_at timestamptz NOT NULL,
    seconds double precision NOT NULL,
    rows_written bigint,
    rows_deleted bigint,
    rows_quarantined bigint,
    score double precision,
    batch_score double precision,
    version bigint,
    inputs jsonb NOT NULL DEFAULT '{}',
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS runs_by_table ON ops.runs (table_name, started_at DESC);
CREATE INDEX IF NOT EXISTS runs_by_run ON ops.runs (run_id);
CREATE TABLE IF NOT EXISTS ops.quality (
    run bigint NOT NULL REFERENCES ops.runs ON DELETE CASCADE,
    rule text NOT NULL,
    level smallint NOT NULL,
    action text NOT NULL,
    failed bigint NOT NULL,
    PRIMARY KEY (run, rule)
);
CREATE TABLE IF NOT EXISTS ops.data_tables (
    data_table text PRIMARY KEY,
    table_name text NOT NULL,
    delta_id text NOT NULL,
    delta_version bigint NOT NULL,
    shape text NOT NULL,
    rows bigint NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS ops.publications (
    publication bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    started_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS ops.publication_tables (
    publication bigint NOT NULL REFERENCES ops.publications ON DELETE CASCADE,
    table_name text NOT NULL,
    delta_id text NOT NULL,
    delta_version bigint NOT NULL,
    data_table text NOT NULL,
    view_shape text NOT NULL,
    rows bigint NOT NULL,
    loaded boolean NOT NULL,
    PRIMARY KEY (publication, table_name)
);
CREATE TABLE IF NOT EXISTS ops.publication_references (
    publication bigint NOT NULL REFERENCES ops.publications ON DELETE CASCADE,
    table_name text NOT NULL,
    column_name text NOT NULL,
    other_table text NOT NULL,
    other_column text NOT NULL,
    rows_without bigint NOT NULL,
    PRIMARY KEY (publication, table_name, column_name, other_table, other_column)
);
CREATE OR REPLACE VIEW ops.shown AS
    SELECT t.table_name, t.delta_id, t.delta_version, t.data_table, t.view_shape, t.rows,
           p.publication, p.run_id, p.published_at
    FROM ops.publication_tables t
    JOIN ops.publications p USING (publication)
    WHERE p.publication = (SELECT max(publication) FROM ops.publications);
CREATE OR REPLACE FUNCTION marts_data.sees(role_group text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.pg_has_role(role_group, 'USAGE');
COMMENT ON FUNCTION marts_data.sees IS
    'Whether the reader belongs to a group. Called immutable so that it is answered once, when the query is planned: a column that '
    'may be seen is then a plain column, with its index and statistics. Plans never outlive a change of role, because the tables '
    'of marts_data have row level security enabled.';
COMMENT ON TABLE ops.runs IS 'One row per table and run: what it did and why.';
COMMENT ON TABLE ops.quality IS 'How many rows failed each rule in a run.';
COMMENT ON TABLE ops.data_tables IS 'Tables of marts_data and the Delta version each holds.';
COMMENT ON TABLE ops.publications IS 'Each switch of all views of marts.';
COMMENT ON TABLE ops.publication_tables IS 'Which Delta version each view showed from that publication on.';
COMMENT ON TABLE ops.publication_references IS
    'Declared references between the tables of a publication, and how many rows of it have no counterpart.';
COMMENT ON VIEW ops.shown IS 'Which Delta version each view of marts shows now.';
"""

ONE_AT_A_TIME = 0x6C616B65  # any number that is always the same; CREATE … IF NOT EXISTS fails when two run at once


def ensure(connection: Connection | None = None) -> None:
    """Make what is missing: roles, schemas, the tables of `ops`, grants. Repeating it costs one query."""
    if connection is None:
        with loader() as own:
            ensure(own)
        return
    made_by = sha256(repr((SCHEMAS, TABLES, GROUPS, reader_role())).encode()).hexdigest()[:12]
    if _made_by(connection) == made_by:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        connection.execute("SET LOCAL client_min_messages = warning")
        ensure_roles(connection, reader_role())
        for schema, purpose in SCHEMAS.items():
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            connection.execute(
                sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(purpose))
            )
        connection.execute(TABLES)
        connection.execute(f"GRANT USAGE ON SCHEMA marts TO {EVERYBODY}")
        connection.execute(f"GRANT EXECUTE ON FUNCTION marts_data.sees TO {EVERYBODY}")
        # A run's reason may quote keys of customers, hence not for everybody.
        connection.execute(f"GRANT USAGE ON SCHEMA ops TO {ANALYSTS}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA ops TO {ANALYSTS}")
        purpose = f"{SCHEMAS['ops']} (layout {made_by})"
        connection.execute(sql.SQL("COMMENT ON SCHEMA ops IS {}").format(sql.Literal(purpose)))


def _made_by(connection: Connection) -> str:
    found = connection.execute("SELECT obj_description(to_regnamespace('ops'), 'pg_namespace')").fetchone()
    purpose = str(found[0] if found and found[0] else "")
    return purpose.rpartition("(layout ")[2].rstrip(")")
