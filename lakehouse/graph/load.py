"""Find the declarations: every module below the jobs package, one table or model in each."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from lakehouse.declare.tables import DeclarationError, Table
from lakehouse.errors import LakehouseError
from lakehouse.graph.check import problems
from lakehouse.graph.graph import LAYERS, Graph

_read_at: dict[Path, dict[Path, int]] = {}


class GraphError(LakehouseError):
    """Everything that is wrong with the declarations, each with file, line and repair."""


def load(jobs: str | Path = "jobs") -> Graph:
    """The graph of a package, given by import name or by folder. Raises GraphError naming every problem at once."""
    folder = _folder(jobs)
    _forget_what_was_edited(folder)
    declared, found = [], []
    for module_file in _modules(folder):
        try:
            table = _declaration(folder, module_file)
        except LakehouseError as error:
            found.append(str(error))
            continue
        if table is not None:
            declared.append(table)
    found += problems(declared)
    if found:
        head = f"{len(found)} problem{'s' if len(found) > 1 else ''} in {_short(folder)}:"
        raise GraphError("\n".join([head, *found]))
    return Graph({t.name: t for t in sorted(declared, key=lambda t: t.name)})


def _folder(jobs: str | Path) -> Path:
    path = Path(jobs)
    if path.is_dir() and (path.is_absolute() or isinstance(jobs, Path) or any((path / n).is_dir() for n in LAYERS)):
        return path.resolve()
    spec = None if path.is_absolute() else PathFinder.find_spec(str(jobs))  # not what another load left in memory
    if spec is None or not spec.submodule_search_locations:
        raise GraphError(f"'{jobs}' is no package to be found from {Path.cwd()}. Start where `jobs/` lies, or set LAKEHOUSE_JOBS.")
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _forget_what_was_edited(folder: Path) -> None:
    """A process that lives on sees edited files, also where other files import from them."""
    importlib.invalidate_caches()
    now = {file: file.stat().st_mtime_ns for file in folder.rglob("*.py")}
    before = _read_at.get(folder, {})
    _read_at[folder] = now
    if any(now.get(file) != stamp for file, stamp in before.items()):
        _forget(folder.name)


def _forget(package: str) -> None:
    for name in [n for n in sys.modules if n == package or n.startswith(package + ".")]:
        del sys.modules[name]


def _modules(folder: Path) -> Iterator[Path]:
    for layer in LAYERS:
        yield from sorted(f for f in folder.glob(f"{layer}/**/*.py") if f.name != "__init__.py")


def _declaration(folder: Path, file: Path) -> Table | None:
    module = _imported(folder, file)
    tables = [v for v in vars(module).values() if isinstance(v, Table) and _declared_in(v, file)]
    shown = _short(file)
    if len(tables) > 1:
        raise DeclarationError(
            f"{file.stem}: {len(tables)} declarations in one file ({', '.join(t.name for t in tables)}). "
            f"A table is one file: move the others.\n  {shown}:{tables[1].line}"
        )
    if not tables:
        return None
    table = tables[0]
    if table.name != file.stem:
        raise DeclarationError(
            f"{table.name}: the file is called '{file.name}'. Rename it to '{table.name}.py', so that a table is found by "
            f"its name.\n  {shown}:{table.line}"
        )
    return replace(table, file=shown, layer=file.relative_to(folder).parts[0])


def _declared_in(table: Table, file: Path) -> bool:
    """Not imported from another file."""
    return Path(table.function.__code__.co_filename).resolve() == file


def _package(folder: Path) -> str:
    """The package in memory under its folder's name, whatever lies elsewhere on the path under that name."""
    name = folder.name
    known = sys.modules.get(name)
    if known is not None and folder in {Path(p).resolve() for p in getattr(known, "__path__", [])}:
        return name
    _forget(name)
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    package.__spec__ = ModuleSpec(name, None, is_package=True)
    package.__spec__.submodule_search_locations = [str(folder)]
    sys.modules[name] = package
    return name


def _imported(folder: Path, file: Path) -> ModuleType:
    package = _package(folder)
    name = ".".join((package, *file.relative_to(folder).with_suffix("").parts))
    try:
        return importlib.import_module(name)
    except DeclarationError as error:
        raise DeclarationError(str(error).replace(str(file), _short(file))) from None
    except LakehouseError as error:
        raise DeclarationError(f"{file.stem}: {error}\n  {_short(file)}:{_line(error, file)}") from None
    except Exception as error:  # whatever a user's file does wrong must name that file
        raise DeclarationError(
            f"{file.stem}: the file cannot be imported: {type(error).__name__}: {error}\n  {_short(file)}:{_line(error, file)}"
        ) from error


def _line(error: BaseException, file: Path) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 1
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _short(path: Path) -> str:
    shown = os.path.relpath(path)
    return str(path) if shown.startswith("..") else shown
