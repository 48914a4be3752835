"""The hash of what decides a table's content: its function and all it reaches, key, columns, rules that move rows."""

from __future__ import annotations

import ast
import hashlib
import inspect
import types
from collections.abc import Callable
from typing import Any

from lakehouse.declare.tables import Table

SEMANTICS = 1
"""Raised when the engine itself computes something differently; every table is then stale."""


def code_hash(table: Table) -> str:
    """The same on every Python: over `ast.unparse` without docstrings; owner and descriptions do not count."""
    parts = [f"semantics {SEMANTICS}", *_reached(table.function)]
    parts += [f"{i.name}:{i.mode}:{i.groups}" for i in table.inputs]
    parts += [f"key {table.key} latest {table.latest_by} deleted {table.deleted_when} partitions {table.partitioned_by}"]
    parts += [f"{c.name} {c.type} {c.required} {c.received_as}" for c in table.columns]
    parts += sorted(f"{r.id} {r.action} {r.predicate} {r.table} {r.other}" for r in table.rules if r.kind in ("row", "reference"))
    parts += [repr(table.source), repr(sorted(table.parameters.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _reached(start: Callable[..., Any]) -> list[str]:
    """Source of a function and of every function and constant of ours that it names, in order of name."""
    found: dict[str, str] = {}
    waiting: list[Callable[..., Any]] = [start]
    root = start.__module__.split(".")[0]
    while waiting:
        function = waiting.pop()
        name = f"{function.__module__}.{function.__qualname__}"
        if name in found:
            continue
        found[name] = _source(function)
        for used in sorted(_names(function.__code__)):
            value = function.__globals__.get(used)
            if isinstance(value, types.ModuleType) and _ours(value.__name__, root):
                inside = (getattr(value, n, None) for n in sorted(_names(function.__code__)))
                waiting.extend(f for f in inside if isinstance(f, types.FunctionType) and f.__module__ == value.__name__)
                continue
            if isinstance(value, types.FunctionType) and _ours(value.__module__, root):
                waiting.append(value)
            elif isinstance(value, str | int | float | tuple | list | dict | set | frozenset | bool):
                found[f"{function.__module__}.{used}"] = repr(sorted(value)) if isinstance(value, set | frozenset) else repr(value)
    return [f"{name}\n{found[name]}" for name in sorted(found)]


def _ours(module: str, root: str) -> bool:
    return module.split(".")[0] in (root, "lakehouse")


def _names(code: types.CodeType) -> set[str]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*(_names(c) for c in inner)) if inner else set(code.co_names)


def _source(function: Callable[..., Any]) -> str:
    node = ast.parse(inspect.cleandoc("\n" + _dedented(function))).body[0]
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = []
        for inner in ast.walk(node):
            if isinstance(inner, ast.FunctionDef) and ast.get_docstring(inner) is not None:
                inner.body = inner.body[1:] or [ast.Pass()]
        node.returns = None
    return ast.unparse(node)


def _dedented(function: Callable[..., Any]) -> str:
    lines, _ = inspect.getsourcelines(function)
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "".join(line[indent:] if line.strip() else "\n" for line in lines)
