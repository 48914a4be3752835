"""What is fetched once per machine: the Spark server's jars and the MinIO server, built from its module."""

import fcntl
import hashlib
import mmap
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.stack.files import remove
from infra.stack.machine import Say, require, require_go
from lakehouse.errors import LakehouseError

POM = Path(__file__).parent.parent / "jars" / "pom.xml"
MINIO_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
MINIO_MODULE = "github.com/minio/minio"


def jars(cache: Path, say: Say) -> Path:
    """The folder of the jars named in the pom; fetched when it is missing."""
    folder = cache / "jars" / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if folder.exists():
        return folder
    with _alone(cache, "jars", say):
        if not folder.exists():
            say("fetching the jars of Delta and S3A with Maven (25 MB, about ten seconds)")
            fresh = folder.with_suffix(".new")
            remove(fresh)
            _run(
                [
                    str(require("mvn", say)), "-B", "-q", "-f", str(POM), "dependency:copy-dependencies",
                    "-DincludeScope=runtime", f"-DoutputDirectory={fresh}",
                ],
                "Maven could not fetch the jars",
            )  # fmt: skip
            fresh.rename(folder)
    return folder


def minio(cache: Path, say: Say) -> Path:
    """The MinIO server of the pinned version; built when another or none is there."""
    program = cache / "bin" / "minio"
    if _is_pinned(program):
        return program
    with _alone(cache, "minio", say):
        if not _is_pinned(program):
            say("building MinIO from its module with Go (once per machine, about four minutes on two cores)")
            started = time.monotonic()
            fresh = cache / "bin" / "minio.new"
            remove(fresh)
            _run(
                [str(require_go(say)), "install", f"{MINIO_MODULE}@{MINIO_VERSION}"],
                "Go could not build MinIO (Go 1.24 or later is needed)",
                {"GOBIN": str(fresh), "GOFLAGS": "-trimpath", "GOTOOLCHAIN": "auto"},
            )
            (fresh / "minio").replace(program)
            remove(fresh)
            say(f"built MinIO in {time.monotonic() - started:.0f} s")
    return program


def _is_pinned(program: Path) -> bool:
    """Go writes the module's version into what it builds; MinIO's own --version does not tell it."""
    if not program.exists() or program.stat().st_size == 0:
        return False
    with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(f"mod\t{MINIO_MODULE}\t{MINIO_VERSION}".encode()) >= 0


def _run(command: list[str], failure: str, variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    if done.returncode:
        raise LakehouseError(f"{failure}:\n  {' '.join(command)}\n{(done.stdout + done.stderr)[-2000:]}")


@contextmanager
def _alone(cache: Path, name: str, say: Say) -> Iterator[None]:
    """One process at a time: two stacks may start on a new machine at once."""
    (cache / "bin").mkdir(parents=True, exist_ok=True)
    (cache / "jars").mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is fetching {name}, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
