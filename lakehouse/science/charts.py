"""Charts as SVG text and pages as one HTML text: no library, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 260, 52, 34, 12
COLOURS = ("#2563eb", "#b45309", "#64748b", "#15803d")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#0f172a}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;font-size:.9rem}"
    "td,th{padding:.2rem .7rem;border-bottom:1px solid #e2e8f0;text-align:right}td:first-child,th:first-child{text-align:left}"
    "svg{max-width:100%;height:auto}.charts{display:flex;flex-wrap:wrap;gap:1rem}.beyond{color:#b91c1c}"
)


def lines(series: Mapping[str, Sequence[tuple[float, float]]], x_name: str, y_name: str, dashed: Sequence[str] = ()) -> str:
    """Lines over x, one per name, with axes from 0 to the largest values (or from the smallest, where negative)."""
    points = [point for line in series.values() for point in line]
    x_low, x_high = _range([x for x, _ in points])
    y_low, y_high = _range([y for _, y in points])

    def place(x: float, y: float) -> str:
        across = LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - 14)
        return f"{across:.1f},{HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - BOTTOM - TOP):.1f}"

    drawn = []
    for number, (name, line) in enumerate(series.items()):
        colour, dash = COLOURS[number % len(COLOURS)], ' stroke-dasharray="5 4"' if name in dashed else ""
        path = " ".join(place(x, y) for x, y in line)
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{path}"/>')
        drawn.append(f'<text x="{LEFT + 8}" y="{TOP + 12 + 15 * number}" fill="{colour}" font-size="12">{escape(name)}</text>')
    return _framed(drawn, x_name, y_name, (x_low, x_high), (y_low, y_high))


def bars(values: Mapping[str, float], name: str) -> str:
    """Horizontal bars, one per key, in the order given."""
    most = max((abs(v) for v in values.values()), default=1.0) or 1.0
    height = 24 * len(values) + 26
    rows = []
    for place, (key, value) in enumerate(values.items()):
        y, length = 20 + 24 * place, abs(value) / most * (WIDTH - 230)
        rows.append(f'<text x="150" y="{y + 13}" text-anchor="end" font-size="12">{escape(key)}</text>')
        rows.append(f'<rect x="156" y="{y}" width="{length:.1f}" height="17" fill="{COLOURS[0] if value >= 0 else COLOURS[1]}"/>')
        rows.append(f'<text x="{162 + length:.1f}" y="{y + 13}" font-size="12">{value:.3g}</text>')
    title = f'<text x="156" y="13" font-size="12" fill="#475569">{escape(name)}</text>'
    return f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">{title}{"".join(rows)}</svg>'


def intervals(values: Mapping[str, tuple[float, float, float]], name: str) -> str:
    """A point with its interval per key (middle, low, high), over one scale, with a line at zero where it is within."""
    low, high = _range([v for three in values.values() for v in three])
    height = 24 * len(values) + 40

    def across(value: float) -> float:
        return 156 + (value - low) / (high - low) * (WIDTH - 230)

    rows = [f'<line x1="{across(0):.1f}" y1="18" x2="{across(0):.1f}" y2="{height - 20}" stroke="#94a3b8" stroke-dasharray="3 3"/>']
    for place, (key, (middle, least, most)) in enumerate(values.items()):
        y = 30 + 24 * place
        rows.append(f'<text x="150" y="{y + 4}" text-anchor="end" font-size="12">{escape(key)}</text>')
        rows.append(f'<line x1="{across(least):.1f}" y1="{y}" x2="{across(most):.1f}" y2="{y}" stroke="{COLOURS[0]}" stroke-width="2"/>')
        rows.append(f'<circle cx="{across(middle):.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        rows.append(f'<text x="{across(high) + 8:.1f}" y="{y + 4}" font-size="12">{middle:.3g}</text>')
    title = f'<text x="156" y="13" font-size="12" fill="#475569">{escape(name)}</text>'
    ends = "".join(f'<text x="{across(v):.1f}" y="{height - 4}" font-size="11">{v:.3g}</text>' for v in (low, high))
    return f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">{title}{"".join(rows)}{ends}</svg>'


def grid(table: pd.DataFrame, digits: int = 4) -> str:
    """A frame as an HTML table, its index first."""
    head = "".join(f"<th>{escape(str(c))}</th>" for c in ["", *table.columns])
    body = []
    for index, row in zip(table.index, table.itertuples(index=False), strict=True):
        cells = [f"{v:.{digits}g}" if isinstance(v, float) else escape(str(v)) for v in row]
        marked = ' class="beyond"' if "beyond" in cells else ""
        body.append(f"<tr{marked}><td>{escape(str(index))}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def page(title: str, sections: Sequence[tuple[str, str]]) -> str:
    """One HTML page of titled sections, whose bodies are HTML already."""
    inner = "".join(f"<h2>{escape(head)}</h2>{body}" for head, body in sections)
    start = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head>'
    return f"{start}<body><h1>{escape(title)}</h1>{inner}</body></html>"


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min([0.0, *values]), max([0.0, *values])
    return (low, high) if high > low else (low, low + 1.0)


def _framed(drawn: Sequence[str], x_name: str, y_name: str, x: tuple[float, float], y: tuple[float, float]) -> str:
    floor = HEIGHT - BOTTOM
    parts = [
        f'<line x1="{LEFT}" y1="{floor}" x2="{WIDTH - 14}" y2="{floor}" stroke="#94a3b8"/>',
        f'<line x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{floor}" stroke="#94a3b8"/>',
        f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 4}" text-anchor="middle" font-size="12" fill="#475569">{escape(x_name)}</text>',
        f'<text x="12" y="{floor / 2}" font-size="12" fill="#475569" transform="rotate(-90 12 {floor / 2})">{escape(y_name)}</text>',
        f'<text x="{LEFT}" y="{floor + 14}" font-size="11">{x[0]:.3g}</text>',
        f'<text x="{WIDTH - 14}" y="{floor + 14}" text-anchor="end" font-size="11">{x[1]:.3g}</text>',
        f'<text x="{LEFT - 5}" y="{floor}" text-anchor="end" font-size="11">{y[0]:.3g}</text>',
        f'<text x="{LEFT - 5}" y="{TOP + 10}" text-anchor="end" font-size="11">{y[1]:.3g}</text>',
    ]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">{"".join([*parts, *drawn])}</svg>'
