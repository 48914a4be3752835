"""Installing what is missing from Debian's packages, when root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.errors import LakehouseError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def can_install() -> bool:
    """Whether this user may install packages on this machine."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str, *, backports: bool = False) -> None:
    """Install a package, from the release's backports if its own is too old."""
    if not backports:
        _apt("update", "-q")
        _apt("install", "-qy", "--no-install-recommends", package)
        return
    with _with_backports() as (options, suite):
        _apt("update", "-q", *options)
        _apt("install", "-qy", "--no-install-recommends", *options, "-t", suite, package)
    _apt("update", "-q")


@contextmanager
def _with_backports() -> Iterator[tuple[list[str], str]]:
    """Options for one call that add the backports of the mirror in use; the machine's own sources stay as they are."""
    targets = _apt("indextargets", "--format", "$(REPO_URI) $(CODENAME)").split("\n")
    mirror, codename = next((line.split() for line in targets if len(line.split()) == 2 and "-" not in line.split()[1]), ("", ""))
    if not mirror:
        raise LakehouseError("apt names no mirror of this Debian release; run apt-get update and start again")
    suite = f"{codename}-backports"
    own = Path("/etc/apt/sources.list")
    with tempfile.NamedTemporaryFile("w", suffix=".list") as sources:
        sources.write(f"{own.read_text() if own.exists() else ''}\ndeb [signed-by={KEYRING}] {mirror} {suite} main\n")
        sources.flush()
        Path(sources.name).chmod(0o644)
        yield ["-o", f"Dir::Etc::sourcelist={sources.name}"], suite


def _apt(*words: str) -> str:
    done = subprocess.run(
        ["apt-get", *words], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LakehouseError(f"`apt-get {' '.join(words)}` failed:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout
