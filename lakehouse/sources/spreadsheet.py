"""Workbooks read row by row: every cell as a person sees it, no error value and no formula without result taken for nothing."""

from __future__ import annotations

import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from lakehouse.sources.delimited import places
from lakehouse.sources.packed import MAGIC, Open, content, pieces_of
from lakehouse.sources.received import Items, Names, ObjectRefused, Unreadable

ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")
DAMAGED = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError,
           NotImplementedError, RuntimeError, OverflowError, OSError)  # fmt: skip
OLD = b"\xd0\xcf\x11\xe0"
TEXTS_LIMIT = 256 << 20
SHEET_LIMIT = 8 << 30


def rows(open_stream: Open, name: str, names: Names, sheet: str, header: int) -> Items:
    """The declared columns of each row that holds anything; `_line` is the sheet's row."""
    with tempfile.TemporaryFile() as file:
        for piece in content(open_stream, name):
            file.write(piece)
        file.seek(0)
        _check(file)  # type: ignore[arg-type]
        try:
            yield from _rows(file, names, sheet, header)  # type: ignore[arg-type]
        except DAMAGED as damaged:
            raise ObjectRefused(f"the workbook is damaged ({type(damaged).__name__}: {damaged}). Deliver it again.") from None


def _check(file: BinaryIO) -> None:
    first = file.read(8)
    file.seek(0)
    if first.startswith(OLD):
        raise ObjectRefused("the workbook is an old .xls, or protected by a password. Save it as .xlsx without one.")
    if not first.startswith(MAGIC["zip"]):
        raise ObjectRefused("the object is empty." if not first else "the content is no workbook (.xlsx).")
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                limit = SHEET_LIMIT if "/worksheets/" in member.filename else TEXTS_LIMIT
                if member.file_size > limit:
                    raise ObjectRefused(f"the workbook's {member.filename} unpacks to more than {limit >> 20} MB. Deliver CSV.")
                with archive.open(member) as packed:  # a damaged sheet must not give its first half
                    for _ in pieces_of(packed):  # type: ignore[arg-type]
                        pass
    except DAMAGED as damaged:
        raise ObjectRefused(f"the workbook is damaged ({damaged}). Deliver it again.") from None
    file.seek(0)


def _rows(file: BinaryIO, names: Names, sheet: str, header: int) -> Items:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        formulas = load_workbook(file, read_only=True, keep_links=False) if _has_formulas(file) else None
    if sheet and sheet not in book.sheetnames:
        raise ObjectRefused(f"the workbook has no sheet '{sheet}'. Valid: {', '.join(book.sheetnames)}.")
    pages = [b[sheet] if sheet else b.worksheets[0] for b in (book, formulas) if b is not None]
    for page in pages:
        page.reset_dimensions()  # what a writer claims of its size is not always so
    seen = enumerate(pages[0].iter_rows(values_only=True), 1)
    asked = pages[1].iter_rows(values_only=True) if len(pages) > 1 else iter(())
    found: list[int | None] = []
    width = 0
    for number, cells in seen:
        behind: Sequence[Any] = next(asked, ())
        if number < header:
            continue
        if number == header:
            received = _trimmed(tuple("" if c is None else text_of(c) or "" for c in cells))
            if not any(received):
                raise ObjectRefused(f"row {header} of the sheet holds no header. Say which row does: Excel(…, header=2).")
            found, width = places(received, names), len(received)
        elif any(c is not None for c in cells):
            yield _row(number, cells, behind, found, width)
    if not width:
        raise ObjectRefused("the sheet is empty: a header is expected, even where no row follows.")


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _row(number: int, cells: Sequence[Any], behind: Sequence[Any], found: list[int | None], width: int) -> Any:
    reason = ""
    for place, cell in enumerate(cells):
        where = f"column {place + 1}"
        if place >= width and cell is not None:
            reason = f"too many fields: something stands in {where}, the header has {width}"
        elif isinstance(cell, str) and cell in ERRORS:
            reason = f"{where} holds the error {cell}"
        elif isinstance(cell, str) and "\0" in cell:
            reason = f"a NUL character in {where}"
        elif cell is None and place < len(behind) and isinstance(behind[place], str) and behind[place].startswith("="):
            reason = f"{where} holds a formula without its result. Open and save the workbook, so that it is computed"
        if reason:
            return Unreadable(number, "\t".join("" if c is None else text_of(c) or "" for c in cells), reason)
    return number, [text_of(cells[p]) if p is not None and p < len(cells) else None for p in found]


def text_of(value: Any) -> str | None:
    """A cell as text: numbers with the 15 digits a workbook keeps, times in ISO 8601, a day without its midnight."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format(value.total_seconds(), ".15g")
    return str(value)


def _has_formulas(file: BinaryIO) -> bool:
    """Whether any sheet holds a formula: then each must have its result."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if "/worksheets/" in member.filename:
                with archive.open(member) as packed:
                    if any(b"<f" in piece for piece in _overlapping(pieces_of(packed))):  # type: ignore[arg-type]
                        return True
    return False


def _overlapping(pieces: Iterator[bytes]) -> Iterator[bytes]:
    last = b""
    for piece in pieces:
        yield last + piece
        last = piece[-1:]
