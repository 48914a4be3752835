"""JSON lines read strictly: one object a line, no key twice, numbers as the text they were."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

from lakehouse.sources.objects import LINE_LIMIT, Text
from lakehouse.sources.received import Items, Names, Unreadable

BLANK = " \t\r"
SUSPECT = re.compile(r"\\u(0000|[dD][89a-fA-F])")


class Refused(ValueError):
    """Why a line is none of ours."""


class Literal(str):
    """A number kept as the text it was received in."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise Refused(f"the key '{next(n for n in names if names.count(n) > 1)}' comes twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise Refused(f"{text} is no JSON number")


_decoder: Any = json.JSONDecoder(object_pairs_hook=_object, parse_float=Literal, parse_int=Literal, parse_constant=_no_number)
_scan = _decoder.scan_once


def objects(text: Text) -> Iterator[tuple[int, str, dict[str, Any] | str]]:
    """Line number, its text, and the object in it or why there is none. Blank lines are passed over."""
    for number, line in enumerate(text.lines, 1):
        if line is None:
            yield number, "", f"the line is longer than {LINE_LIMIT >> 20} MB"
            continue
        try:
            written = line.decode(text.codec).strip(BLANK)
        except UnicodeDecodeError as wrong:
            yield number, line.decode(text.codec, errors="replace"), f"no {text.encoding.upper()} at byte {wrong.start + 1} of the line"
            continue
        if written:
            try:
                yield number, written, read(written)
            except Refused as refused:
                yield number, written, str(refused)


def read(text: str) -> dict[str, Any]:
    """The one object of a text, strictly. Raises Refused."""
    try:
        found, end = _scan(text, 0)
    except json.JSONDecodeError as wrong:
        raise Refused(f"no JSON: {wrong.msg} at character {wrong.pos + 1}") from None
    except StopIteration as wrong:
        raise Refused(f"no JSON: a value is expected at character {wrong.value + 1}") from None
    except RecursionError:
        raise Refused("no JSON to be read: nested too deeply") from None
    if type(found) is not dict:
        raise Refused(f"a JSON {_kind(found)} stands where an object is expected")
    if end != len(text):
        rest = text[end:].lstrip(BLANK)
        another = rest.startswith(("{", ",{", ", {"))
        if another:
            raise Refused("two objects on one line")
        raise Refused(f"text after the object at character {end + 1}")
    if SUSPECT.search(text):
        _refuse_characters(found)
    return found


def _kind(value: object) -> str:
    if isinstance(value, Literal):
        return "number"
    return {list: "list", str: "string", bool: "boolean"}.get(type(value), "null")


def _refuse_characters(value: object) -> None:
    """Escapes can spell characters that no table and no database holds."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_characters(name)
            _refuse_characters(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_characters(inner)
    elif isinstance(value, str):
        if "\0" in value:
            raise Refused("a NUL character (\\u0000) in a string")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused("half a surrogate pair (\\ud800–\\udfff) in a string") from None


def text_of(value: object) -> str:
    """A value that is no plain string as JSON text; numbers keep their literal."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(k)}:{text_of(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return encode_basestring(value)  # type: ignore[arg-type]


def rows(text: Text, names: Names) -> Items:
    """The declared columns of each line."""
    return of_declared(objects(text), names)


def of_declared(found: Iterator[tuple[int, str, dict[str, Any] | str]], names: Names) -> Items:
    """The declared columns of each object, or why it is none."""
    for number, written, item in found:
        if isinstance(item, str):
            yield Unreadable(number, written, item)
        elif reason := names.refusal(tuple(item)):
            yield Unreadable(number, written, reason)
        else:
            yield number, names.values(item)
