"""Files only their owner can read, written whole or not at all."""

import os
import shutil
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write ``text`` with mode 0600; whoever reads meanwhile sees the old file or the new one."""
    private_folder(file.parent)
    fresh = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def private_folder(folder: Path) -> Path:
    """Make a folder (and those above it), the innermost readable by its owner alone."""
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    return folder


def make_folder(folder: Path) -> None:
    """Make a private folder unless it is there."""
    private_folder(folder)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; nothing there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onexc=_gone_already)
    else:
        path.unlink(missing_ok=True)


def tail(file: Path, lines: int = 25) -> str:
    """The end of a log."""
    if not file.exists():
        return "(no log yet)"
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - 64 * 1024))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:]) or "(the log is empty)"


def _gone_already(_function: object, _path: str, error: BaseException) -> None:
    """A program that is just ending removes files of its own."""
    if not isinstance(error, FileNotFoundError):
        raise error
