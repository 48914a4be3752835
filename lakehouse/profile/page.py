"""A profile as one page without anything to load: a card a column, with small charts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from lakehouse.profile.columns import ColumnProfile, Profile

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.5rem;margin:0}p{margin:.3rem 0 1.2rem;color:#51606f}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:1rem}
section{border:1px solid #d8dfe6;border-radius:8px;padding:.8rem 1rem;overflow:hidden}
h2{font-size:1.02rem;margin:0 0 .2rem;overflow-wrap:anywhere}code{font-size:.85rem;color:#345}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .8rem;margin:.5rem 0;font-size:.88rem}
dt{color:#51606f}dd{margin:0;overflow-wrap:anywhere}svg{width:100%;height:auto;display:block}
.mark{display:inline-block;border-radius:4px;padding:0 .4rem;font-size:.8rem;margin-left:.3rem;background:#e3eefc}
.personal{background:#fde4d8}
"""
WIDTH, ROW = 280, 15


def page(profile: Profile) -> str:
    """HTML."""
    held = "".join(f"<li>{escape(reason)}: {count:,}</li>" for reason, count in profile.unreadable.most_common(10))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Profile of {escape(profile.name)}</title><style>{STYLE}</style>"
        f"<h1>{escape(profile.name)}</h1><p>{profile.rows:,} rows, {len(profile.columns)} columns"
        f"{f', {profile.unreadable.total():,} lines that cannot be read' if held else ''}</p>"
        f"{f'<ul>{held}</ul>' if held else ''}<main>{''.join(map(_card, profile.columns))}</main></html>"
    )


def _card(column: ColumnProfile) -> str:
    marks = '<span class="mark">likely key</span>' if column.likely_key else ""
    marks += f'<span class="mark personal">{escape(column.personal)}</span>' if column.personal else ""
    share = column.nulls / column.rows if column.rows else 0
    facts = {
        "empty": f"{column.nulls:,} ({share:.1%})", "distinct": f"{'≈ ' if column.overflown else ''}{column.distinct:,}",
        "from": column.least or "", "to": column.most or "", "written": ", ".join(f"{p} {s:.0%}" for p, s in column.patterns),
    }  # fmt: skip
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value[:80])}</dd>" for name, value in facts.items() if value)
    return f"<section><h2>{escape(column.name)}{marks}</h2><code>{column.type}</code><dl>{listed}</dl>{_chart(column)}</section>"


def _chart(column: ColumnProfile) -> str:
    if column.histogram:
        return _columns(sorted(column.histogram) if column.kind in ("date", "timestamp") else column.histogram, column.name)
    if column.top and column.top[0][1] > 1:
        return _bars(column.top[:8], column.name)
    return ""


def _columns(steps: Sequence[tuple[str, int]], name: str) -> str:
    """Upright bars, the first and last named."""
    most = max(count for _, count in steps)
    width = WIDTH / len(steps)
    drawn = "".join(
        f'<rect x="{n * width + 1:.1f}" y="{60 - 58 * count / most:.1f}" width="{width - 2:.1f}" '
        f'height="{58 * count / most:.1f}" fill="#3b78b8">'
        f"<title>{escape(label)}: {count:,}</title></rect>"
        for n, (label, count) in enumerate(steps)
    )
    ends = f'<text x="0" y="74">{escape(steps[0][0])}</text><text x="{WIDTH}" y="74" text-anchor="end">{escape(steps[-1][0])}</text>'
    return (
        f'<svg viewBox="0 0 {WIDTH} 78" role="img" aria-label="Distribution of {escape(name)}" font-size="11" fill="#51606f">'
        f"{drawn}{ends}</svg>"
    )


def _bars(values: Sequence[tuple[str, int]], name: str) -> str:
    """Lying bars with their value."""
    most = values[0][1]
    drawn = "".join(
        f'<rect x="0" y="{n * ROW + 1}" width="{max(1.0, WIDTH * count / most):.1f}" height="{ROW - 3}" fill="#cfe0f3"/>'
        f'<text x="3" y="{n * ROW + 11}">{escape(value[:34])}</text><text x="{WIDTH}" y="{n * ROW + 11}" text-anchor="end">{count:,}</text>'
        for n, (value, count) in enumerate(values)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {len(values) * ROW}" role="img" aria-label="Most frequent values of {escape(name)}" font-size="10.5" '
        f'fill="#1c2733">{drawn}</svg>'
    )
