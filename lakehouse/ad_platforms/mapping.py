"""How a platform's reports are said in common words: names of fields, units, grains. Data only; `select` turns it into SQL.

Common columns: platform, grain, entity (the ids down to the grain), account_id … keyword_id, report_date, impressions, clicks, spend,
conversions, conversion_value (both as the platform counts them), currency. Money is in units of the account's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lakehouse.errors import LakehouseError

GRAINS = ("account", "campaign", "ad_group", "ad", "keyword")
IDS = ("account_id", "campaign_id", "ad_group_id", "ad_id", "keyword_id")
MEASURES = {
    "impressions": "bigint", "clicks": "bigint", "spend": "decimal(18,6)", "conversions": "decimal(18,4)",
    "conversion_value": "decimal(18,6)",
}  # fmt: skip
COLUMNS = ("platform", "grain", "entity", *IDS, "report_date", *MEASURES, "currency")
Unit = Literal["units", "micros"]


@dataclass(frozen=True)
class Lookup:
    """Ids that a report leaves out, found in another table of the platform: the newest version of each `key`."""

    table: str
    key: str
    of: str
    """The report's field that `key` is compared with."""
    ids: Mapping[str, str]
    newest: str


@dataclass(frozen=True)
class Grain:
    """One report: its table, which of its fields are the ids, and what differs from the platform's other reports."""

    table: str
    ids: Mapping[str, str]
    lookup: Lookup | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Platform:
    """A platform's reports by grain. `fields` names what each measure is the sum of: "a + b", or "" where there is no such figure."""

    name: str
    channel: str
    grains: Mapping[str, Grain]
    fields: Mapping[str, str]
    date: str = "date"
    spend_unit: Unit = "units"
    value_unit: Unit = "units"
    moves_days: int = 28
    """For how many days after a day its figures may still change."""

    def select(self, grain: str, table: str, lookup: str = "") -> str:
        """A SELECT (Spark's dialect) of the common columns from the report `table`; `lookup` is the name of the lookup's table, if any."""
        if grain not in self.grains:
            raise LakehouseError(f"{self.name} has no report by {grain}. Valid: {', '.join(self.grains)}.")
        report = self.grains[grain]
        fields = {**self.fields, **report.fields}
        ids = {name: f"r.{field}" for name, field in report.ids.items()}
        joined = ""
        if report.lookup:
            other = report.lookup
            if not lookup:
                raise LakehouseError(f"{self.name} by {grain} finds {', '.join(other.ids)} in {other.table}: name the table that holds it")
            ids |= {name: f"l.{field}" for name, field in other.ids.items()}
            joined = (
                f" LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY {other.key} ORDER BY {other.newest} DESC) AS _place"
                f" FROM {lookup}) l"
                f" ON CAST(r.{other.of} AS string) = CAST(l.{other.key} AS string) AND l._place = 1"
            )
        level = GRAINS.index(grain)
        own = {name: f"CAST({ids[name]} AS string)" if name in ids else "CAST(NULL AS string)" for name in IDS[: level + 1]}
        path = ", ".join(f"coalesce({own[name]}, '-')" for name in IDS[: level + 1])
        day = f"CAST(substr(CAST(r.{fields.get('date', self.date)} AS string), 1, 10) AS date)"
        chosen = [f"'{self.name}' AS platform", f"'{grain}' AS grain", f"concat_ws('/', {path}) AS entity"]
        chosen += [f"{own.get(name, 'CAST(NULL AS string)')} AS {name}" for name in IDS]
        chosen.append(f"{day} AS report_date")
        chosen += [f"{self._measure(name, fields.get(name, ''))} AS {name}" for name in MEASURES]
        currency = fields.get("currency", "")
        chosen.append(f"max({f'CAST(r.{currency} AS string)' if currency else 'CAST(NULL AS string)'}) AS currency")
        grouped = [own[name] for name in own if name in ids] + [day]
        return f"SELECT {', '.join(chosen)} FROM {table} r{joined} GROUP BY {', '.join(grouped)}"

    def _measure(self, name: str, said: str) -> str:
        kind = MEASURES[name]
        if not said:
            return f"CAST(NULL AS {kind})"
        whole = "decimal(28,6)"
        total = " + ".join(f"coalesce(CAST(r.{part.strip()} AS {whole}), 0)" for part in said.split("+"))
        unit = {"spend": self.spend_unit, "conversion_value": self.value_unit}.get(name, "units")
        return f"CAST(sum({total}){' / 1000000' if unit == 'micros' else ''} AS {kind})"
