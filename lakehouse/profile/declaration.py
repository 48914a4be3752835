"""A first declaration from a profile: the bronze and silver files of a new source, ready to edit, and running as they are."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse.declare.sources import Csv, Excel, Json, JsonLines, Parquet, Source
from lakehouse.profile.columns import ColumnProfile, Profile
from lakehouse.profile.personal import sensitivity

FEW = 12
"""A column of so few different words is taken for a list of them."""


@dataclass(frozen=True)
class Files:
    """What to write: path below the jobs folder → text."""

    bronze: str
    silver: str
    texts: dict[str, str]


def snake(name: str) -> str:
    """`Customer ID`, `InvoiceNo` → `customer_id`, `invoice_no`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    plain = re.sub(r"[^0-9a-z]+", "_", spaced.lower()).strip("_") or "column"
    return f"{plain}_" if keyword.iskeyword(plain) else f"n_{plain}" if plain[0].isdigit() else plain


def names_of(columns: Sequence[ColumnProfile]) -> list[str]:
    """Our names, made different where theirs become alike."""
    found: list[str] = []
    for column in columns:
        name, place = snake(column.name), 2
        while name in found:
            name, place = f"{snake(column.name)}_{place}", place + 1
        found.append(name)
    return found


def declared(profile: Profile, source: Source, name: str, things: str, owner: str) -> Files:
    """The two files for a source `name` and its `things`."""
    bronze, names = f"{name}__{things}", names_of(profile.columns)
    kind, text = _source(source, f"{name}/{things}")
    keys = [n for n, c in zip(names, profile.columns, strict=True) if c.likely_key]
    key = next((k for k in keys if k.endswith(("_id", "id", "_no", "number", "_key", "code"))), keys[0] if keys else "")
    landed = ",\n".join(f"        {_column(n, c, received=True)}" for n, c in zip(names, profile.columns, strict=True))
    texts = {
        f"bronze/{bronze}.py": f'''from pyspark.sql import DataFrame

from lakehouse.declare import Column, {", ".join(sorted(["Landed", kind], key=str.lower))}, table


@table(
    source={text},
    owner="{owner}",
    columns=[
{landed},
    ],
)
def {bronze}(landed: Landed) -> DataFrame:
    """{things.replace("_", " ").capitalize()} of {name}, as received."""
    return landed
''',
        f"silver/{things}.py": _silver(profile, bronze, things, names, key, owner),
    }
    return Files(bronze, things, texts)


def _source(source: Source, prefix: str) -> tuple[str, str]:
    given = [f'"{prefix}"']
    if isinstance(source, Csv):
        given += [f'delimiter="{source.delimiter}"'.replace("\t", "\\t")] if source.delimiter != "," else []
        given += [f'encoding="{source.encoding}"'] if source.encoding != "utf-8" else []
        given += [] if source.header else ["header=False"]
    kinds = {Csv: "Csv", Excel: "Excel", Json: "Json", JsonLines: "JsonLines", Parquet: "Parquet"}
    kind = next(n for k, n in kinds.items() if type(source) is k)
    return kind, f"{kind}({', '.join(given)})"


def _column(name: str, column: ColumnProfile, *, received: bool, rules: str = "") -> str:
    said = sensitivity(column.personal)
    more = f", received_as={_quoted(column.name)}" if received and column.name != name else ""
    more += f', sensitivity="{said}"' if said != "internal" else ""
    return f'Column("{name}", "{column.type}", {_quoted(_described(column))}{rules}{more})'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _described(column: ColumnProfile) -> str:
    """What a reader of the file saw; a person writes what it means."""
    example = next((v for v, _ in column.top), "")
    shown = f", such as {example[:30]}" if example and not column.personal else ""
    return f"{column.name}{shown}{' (likely ' + column.personal + ')' if column.personal else ''}."


def _rules(column: ColumnProfile, is_key: bool) -> str:
    if is_key:
        return ""
    rules = "" if column.nulls else ", not_null()"
    few = column.kind == "string" and not column.overflown and 1 < column.distinct <= FEW and column.rows >= 20 * column.distinct
    if few and not column.personal and all(v.strip() for v in column.values):
        rules += f", one_of({', '.join(map(_quoted, sorted(column.values)))})"
    return rules


def _silver(profile: Profile, bronze: str, things: str, names: Sequence[str], key: str, owner: str) -> str:
    listed = ", ".join(names)
    columns = [f"        {_column(n, c, received=False, rules=_rules(c, n == key))}" for n, c in zip(names, profile.columns, strict=True)]
    used = "".join(columns)
    helpers = sorted(r for r in ("not_null", "one_of") if f"{r}(" in used)
    if key:
        reading, ordered, head = "Changes", '\n    latest_by="_newest",', f"One row per {key}: of several deliveries the newest counts."
        body = f"SELECT {listed}, unix_micros(_ingested_at) AS _newest\n        FROM {bronze}"
    else:
        line = f"{things}_line_id"
        told = "Content of the line and which of its identical lines it is; the file has no key."
        columns.insert(0, f'        Column("{line}", "string", "{told}")')
        reading, ordered, head, key = "Snapshot", "", "One row per line: the file has no key.", line
        body = (
            f"SELECT sha2(concat_ws('|', content, CAST(row_number() OVER (PARTITION BY content ORDER BY 1) AS STRING)), 256) AS {line},\n"
            f"               {listed}\n        FROM (SELECT to_json(struct({listed})) AS content, {listed} FROM {bronze})"
        )
    imported = ", ".join(["SQL", *sorted(["Column", reading]), *helpers, "table"])
    joined = ",\n".join(columns)
    return f'''from lakehouse.declare import {imported}


@table(
    key="{key}",{ordered}
    owner="{owner}",
    columns=[
{joined},
    ],
)
def {things}({bronze}: {reading}) -> SQL:
    """{head}"""
    return SQL("""
        {body}
    """)
'''
