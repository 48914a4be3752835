"""Where the parts of the lakehouse are found, and with which sign-in."""

import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from lakehouse.errors import LakehouseError

REPOSITORY = Path(__file__).resolve().parent.parent
PREFIX = "LAKEHOUSE_"
FILE = "lakehouse.env"


class Settings(BaseSettings):
    """Addresses and sign-ins: environment variables ``LAKEHOUSE_…`` win over the file the stack wrote."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: Path
    """The stack's folder: data, logs, secrets."""

    spark_url: str
    spark_token: SecretStr = SecretStr("")
    """What the Spark Connect server asks of its clients; empty where it asks nothing. pyspark sends it to `localhost` or over TLS only."""
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: SecretStr
    s3_region: str = "us-east-1"
    lake: str = "s3a://lake"
    landing: str = "s3://landing"
    warehouse_url: SecretStr
    """The warehouse for whoever loads it."""
    reader_url: SecretStr
    """The warehouse for whoever asks it."""
    shop_url: SecretStr
    mlflow_url: str
    airflow_url: str = ""
    airflow_user: str = ""
    airflow_password: SecretStr = SecretStr("")
    jobs: str = "jobs"
    """The package whose files are the tables."""


def home() -> Path:
    """The stack's folder: ``$LAKEHOUSE_HOME``, else ``.lakehouse`` in the repository."""
    return Path(os.environ.get(f"{PREFIX}HOME") or REPOSITORY / ".lakehouse").expanduser().absolute()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings in force, read once per process; ``settings.cache_clear()`` reads them anew."""
    folder = home()
    file = folder / FILE
    _refuse_if_others_can_read(file)
    try:
        # The type checker wants the required fields here; they come from the environment and the file.
        return Settings(_env_file=file, home=folder)  # type: ignore[call-arg]
    except ValidationError as invalid:
        raise LakehouseError(_explain(invalid, file)) from None


def source_address(name: str) -> SecretStr | None:
    """The address of a source: ``LAKEHOUSE_<NAME>_URL`` in the environment, else in the file the stack wrote."""
    from dotenv import dotenv_values

    variable = f"{PREFIX}{name.upper()}_URL"
    found = os.environ.get(variable) or dotenv_values(home() / FILE).get(variable)
    return SecretStr(found) if found else None


def _explain(invalid: ValidationError, file: Path) -> str:
    problems = [
        f"  {PREFIX}{str(error['loc'][0]).upper()}: {error['msg'].lower()}"
        for error in invalid.errors(include_input=False)
    ]
    read = str(file) if file.exists() else f"{file} (which does not exist)"
    return "\n".join(
        [
            f"The lakehouse's addresses are incomplete. Read: environment variables {PREFIX}… and {read}",
            *problems,
            f"Start the local stack with `make up`, point {PREFIX}HOME at the folder of a running one, "
            "or set the variables above.",
        ]
    )


def _refuse_if_others_can_read(file: Path) -> None:
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise LakehouseError(f"{file} holds passwords and others may read it. Repair: chmod 600 {file}")
