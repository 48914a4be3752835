"""What the machine must have: Java, Maven and Go, and room on the disk."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.stack import debian
from lakehouse.errors import LakehouseError

PACKAGES = {"java": "default-jre-headless", "mvn": "maven", "go": "golang-go"}
Say = Callable[[str], None]


def require(program: str, say: Say) -> Path:
    """The path of a program; a missing one is installed from Debian's packages when root."""
    found = _which(program)
    if found:
        return found
    package = PACKAGES[program]
    if not debian.can_install():
        raise LakehouseError(f"`{program}` is missing. Install it: apt-get install {package} (as root), then start again")
    say(f"installing Debian's package {package}, since `{program}` is missing")
    # Debian 12's own Go is 1.19, which can neither build MinIO nor fetch a newer Go.
    debian.install(package, backports=program == "go" and _is_debian_12())
    found = _which(program)
    if not found:
        raise LakehouseError(f"`{program}` is still missing after installing {package}")
    return found


def require_java(say: Say) -> Path:
    """Java 17 or later, which Spark needs."""
    java = require("java", say)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', said.stderr + said.stdout)
    if not version or int(version[1]) < 17:
        raise LakehouseError(
            f"{java} is {version[1] if version else 'of no known version'}, but Spark needs 17 or later: "
            f"apt-get install {PACKAGES['java']}, or put a newer one first on PATH"
        )
    return java


def require_go(say: Say) -> Path:
    """Go as MinIO's module needs it; from 1.21 on, Go fetches a newer one for itself."""
    go = require("go", say)
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < (1, 21):
        raise LakehouseError(
            f"{go} is {version[0] if version else 'of no known version'}, too old to build MinIO: Go 1.24 or later is needed, "
            "1.21 to 1.23 can fetch it for themselves. Install one and put it first on PATH, or copy a MinIO built "
            "elsewhere from the pinned module version (infra/stack/downloads.py) to the cache's bin/minio"
        )
    return go


def require_room(folder: Path, minimum_gb: float) -> None:
    """Refuse to start on a disk that is about to be full: half-written files cost more than a message."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free / 1e9
    if free < minimum_gb:
        raise LakehouseError(
            f"The disk of {folder} has {free:.1f} GB free, but {minimum_gb:g} GB are needed. Make room, "
            "put the stack elsewhere (LAKEHOUSE_HOME=/path), or lower the limit (LAKEHOUSE_DISK_MINIMUM_GB)"
        )


def _is_debian_12() -> bool:
    release = platform.freedesktop_os_release()
    return (release.get("ID"), release.get("VERSION_ID")) == ("debian", "12")


def _which(program: str) -> Path | None:
    # Go's own installer puts it where PATH often does not look.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/go/bin", "/usr/lib/go/bin"])
    found = shutil.which(program, path=path)
    return Path(found) if found else None
