"""How rows become objects: CSV and JSON lines in parts of bounded size, workbooks; the same rows are the same bytes."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import orjson

PART = 20_000
"""Rows of one object at most: a larger day is several objects."""
Objects = Iterator[tuple[str, bytes]]
LOCAL = ZoneInfo("Europe/Berlin")
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def stamp(second: int) -> str:
    """Write Unix seconds as UTC."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


def local(second: int) -> str:
    """Write Unix seconds as the shops' clocks show them."""
    return f"{datetime.fromtimestamp(second, LOCAL):%Y-%m-%d %H:%M:%S}"


def json_lines(prefix: str, name: str, rows: Iterable[dict[str, Any]]) -> Objects:
    """Give rows as gzipped JSON lines."""
    for number, part in enumerate(batched(rows, PART)):
        body = b"".join(orjson.dumps(row) + b"\n" for row in part)
        yield f"{prefix}/{name}{f'.{number}' if number else ''}.jsonl.gz", gzip.compress(body, 6, mtime=0)


def csv_lines(
    prefix: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8"
) -> Objects:
    """Give rows as CSV."""
    for number, part in enumerate(batched(rows, PART)):
        target = io.StringIO()
        writer = csv.writer(target, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(part)
        yield f"{prefix}/{name}{f'.{number}' if number else ''}.csv", target.getvalue().encode(encoding)


def workbook(sheet: str, rows: Iterable[Sequence[Any]]) -> bytes:
    """Give rows as the one sheet of a workbook."""
    lines = []
    for row in rows:
        cells = "".join(
            f"<c><v>{value}</v></c>" if isinstance(value, int) else f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
            for value in row
        )
        lines.append(f"<row>{cells}</row>")
    rel = f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}/'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
        'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/></Types>',
        "_rels/.rels": f'{rel}officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>'
        f'<sheet name="{escape(sheet)}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{rel}worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return target.getvalue()
