"""Secrets: made at the first start, kept in one file that only its owner can read."""

import json
import secrets
import stat
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from infra.stack.files import write_private
from lakehouse.errors import LakehouseError

FILE = "secrets.json"


@dataclass(frozen=True, repr=False)
class Credentials:
    """The passwords and keys of one stack; never printed by accident."""

    s3_access_key: str
    s3_secret_key: str
    postgres: str
    loader: str
    analyst: str
    shop: str
    spark: str
    airflow_database: str
    mlflow: str
    airflow_admin: str
    airflow_jwt: str
    airflow_api: str
    airflow_fernet: str


def read_or_make(home: Path, data: Path) -> Credentials:
    """The stack's secrets; missing ones are made, unless ``data`` was written under secrets now lost."""
    file = home / FILE
    kept = _read(file)
    if not kept and data.exists():
        raise LakehouseError(
            f"{file} is missing, but {data} was made with the secrets in it. Put the file back, or forget the data: make reset"
        )
    made = {each.name: kept.get(each.name) or _make(each.name) for each in fields(Credentials)}
    found = Credentials(**made)
    if made != kept:
        write_private(file, json.dumps(asdict(found), indent=1))
    return found


def read(home: Path) -> Credentials:
    """The secrets of a stack that was started before."""
    kept = _read(home / FILE)
    if set(kept) != {each.name for each in fields(Credentials)}:
        raise LakehouseError(f"No stack has been started in {home} yet. Start one: make up")
    return Credentials(**kept)


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise LakehouseError(f"{file} holds passwords and others may read it. Repair: chmod 600 {file}")
    try:
        kept: dict[str, str] = json.loads(file.read_text())
    except json.JSONDecodeError as broken:
        raise LakehouseError(f"{file} is no JSON ({broken}). Put it back, or forget the data: make reset") from None
    return kept


def _make(name: str) -> str:
    if name == "airflow_fernet":
        from cryptography.fernet import Fernet

        return Fernet.generate_key().decode()
    if name == "s3_access_key":
        return f"lakehouse-{secrets.token_hex(4)}"
    # Hexadecimal: safe in URLs, shells, XML and ini files alike.
    return secrets.token_hex(20)
