"""Charts as SVG text and pages as one HTML text: no library, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 260, 72, 36, 12
LETTER = 7.4
"""Width of a letter of size 12, on the wide side."""
COLOURS = ("#2563eb", "#b45309", "#64748b", "#15803d")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#0f172a}"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem}table{border-collapse:collapse;font-size:.9rem}"
    "td,th{padding:.2rem .7rem;border-bottom:1px solid #e2e8f0;text-align:right}"
    "td:first-child,th:first-child{text-align:left;white-space:nowrap}"
    "svg{max-width:100%;height:auto;font-family:system-ui,sans-serif}.wide{overflow-x:auto}.charts{display:flex;flex-wrap:wrap;gap:1rem}.beyond{color:#b91c1c}"
)


def number(value: float, digits: int = 3) -> str:
    """A figure as people write it: 12,345, 12.3, 0.0123; a dash where there is none."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    text = f"{value:.{digits}g}"
    return text.replace("-", "−") if "e" not in text else f"{value:.{digits - 1}e}"


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    x_name: str,
    y_name: str,
    dashed: Sequence[str] = (),
    *,
    band: Sequence[tuple[float, float, float]] = (),
    faint: Sequence[Sequence[tuple[float, float]]] = (),
    mark: tuple[float, str] | None = None,
    x_names: Mapping[float, str] | None = None,
    from_zero: bool = True,
) -> str:
    """Lines over x, one per name, with axes from 0 to the largest values (or from the smallest, where negative).

    band: (x, low, high), shaded. faint: further lines without a name. mark: a vertical line and what it is. x_names: what is written
    below some x, which then does not begin at 0. from_zero: whether y begins at 0.
    """
    series = {name: _finite(line) for name, line in series.items()}
    faint, band = [_finite(line) for line in faint], _finite(band)
    points = [point for line in (*series.values(), *faint) for point in line] or [(0.0, 0.0)]
    across = [x for x, _ in points]
    x_low, x_high = _range(across) if x_names is None else (min(across), max(max(across), min(across) + 1.0))
    heights = [y for _, y in points] + [y for _, *ends in band for y in ends]
    y_low, y_high = _range(heights) if from_zero else _around(heights)
    legend, top = _legend(list(series))

    def place(x: float, y: float) -> str:
        right = LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - 14)
        return f"{right:.1f},{HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - BOTTOM - top):.1f}"

    drawn = list(legend)
    if band:
        edge = [place(x, low) for x, low, _ in band] + [place(x, high) for x, _, high in reversed(band)]
        drawn.append(f'<polygon fill="{COLOURS[0]}" fill-opacity="0.15" points="{" ".join(edge)}"/>')
    for path in faint:
        drawn.append(f'<polyline fill="none" stroke="#cbd5e1" points="{" ".join(place(x, y) for x, y in path)}"/>')
    if y_low < 0 < y_high:
        (x1, y1), x2 = place(x_low, 0).split(","), place(x_high, 0).split(",")[0]
        drawn.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y1}" stroke="#94a3b8"/>')
    if mark:
        x, y = place(mark[0], y_high).split(",")
        drawn.append(f'<line x1="{x}" y1="{y}" x2="{x}" y2="{HEIGHT - BOTTOM}" stroke="#64748b" stroke-dasharray="3 3"/>')
        drawn.append(f'<text x="{float(x) + 4:.1f}" y="{float(y) + 10:.1f}" font-size="11" fill="#475569">{escape(mark[1])}</text>')
    for at, (name, line) in enumerate(series.items()):
        colour, dash = COLOURS[at % len(COLOURS)], ' stroke-dasharray="5 4"' if name in dashed else ""
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{" ".join(place(x, y) for x, y in line)}"/>')
    ticks = {float(place(x, y_low).split(",")[0]): text for x, text in (x_names or {x_low: number(x_low), x_high: number(x_high)}).items()}
    return _framed(drawn, x_name, y_name, ticks, (y_low, y_high), top)


def bars(values: Mapping[str, float], name: str) -> str:
    """Horizontal bars, one per key, in the order given."""
    most = max((abs(v) for v in values.values() if math.isfinite(v)), default=1.0) or 1.0
    left, height = _room(values), 24 * len(values) + 26
    rows = []
    for place, (key, value) in enumerate(values.items()):
        y, length = 20 + 24 * place, abs(value) / most * 230 if math.isfinite(value) else 0.0
        rows.append(f'<text x="{left - 6}" y="{y + 13}" text-anchor="end" font-size="12">{escape(key)}</text>')
        rows.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="17" fill="{COLOURS[0] if value >= 0 else COLOURS[1]}"/>')
        rows.append(f'<text x="{left + 6 + length:.1f}" y="{y + 13}" font-size="12">{number(value)}</text>')
    width = max(left + 310, left + round(LETTER * len(name)))
    title = f'<text x="{left}" y="13" font-size="12" fill="#475569">{escape(name)}</text>'
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img">{title}{"".join(rows)}</svg>'


def intervals(values: Mapping[str, tuple[float, float, float]], name: str) -> str:
    """A point with its interval per key (middle, low, high), over one scale, with a line at zero."""
    low, high = _range([v for three in values.values() for v in three if math.isfinite(v)])
    left, height = _room(values), 24 * len(values) + 40

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * 230

    rows = [f'<line x1="{across(0):.1f}" y1="18" x2="{across(0):.1f}" y2="{height - 20}" stroke="#94a3b8" stroke-dasharray="3 3"/>']
    for place, (key, (middle, least, most)) in enumerate(values.items()):
        y, said = 30 + 24 * place, f"{number(middle)} ({number(least)} to {number(most)})"
        middle, least, most = (v if math.isfinite(v) else min(max(v, low), high) if math.isinf(v) else 0.0 for v in (middle, least, most))
        rows.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end" font-size="12">{escape(key)}</text>')
        rows.append(f'<line x1="{across(least):.1f}" y1="{y}" x2="{across(most):.1f}" y2="{y}" stroke="{COLOURS[0]}" stroke-width="2"/>')
        rows.append(f'<circle cx="{across(middle):.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        rows.append(f'<text x="{left + 242}" y="{y + 4}" font-size="12">{said}</text>')
    width = left + 242 + max((round(LETTER * len(f"{number(m)} ({number(a)} to {number(b)})")) for m, a, b in values.values()), default=0)
    title = f'<text x="{left}" y="13" font-size="12" fill="#475569">{escape(name)}</text>'
    ends = "".join(
        f'<text x="{across(v):.1f}" y="{height - 4}" text-anchor="middle" font-size="11" fill="#475569">{number(v)}</text>'
        for v in (low, high)
    )
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img">{title}{"".join(rows)}{ends}</svg>'


def grid(table: pd.DataFrame, digits: int = 4) -> str:
    """A frame as an HTML table, its index first."""
    head = "".join(f"<th>{escape(str(c).replace('_', ' '))}</th>" for c in ["", *table.columns])
    body = []
    for index, row in zip(table.index, table.itertuples(index=False), strict=True):
        cells = [number(v, digits) if isinstance(v, float) else _cell(v) for v in row]
        marked = ' class="beyond"' if "beyond" in cells else ""
        named = " · ".join(str(part) for part in index) if isinstance(index, tuple) else str(index)
        body.append(f"<tr{marked}><td>{escape(named.replace('_', ' '))}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def page(title: str, sections: Sequence[tuple[str, str]]) -> str:
    """One HTML page of titled sections, whose bodies are HTML already."""
    inner = "".join(f"<h2>{escape(head)}</h2>{body}" for head, body in sections)
    start = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head>'
    return f"{start}<body><h1>{escape(title)}</h1>{inner}</body></html>"


def together(title: str, pages: Mapping[str, str]) -> str:
    """One page of several made by `page`: their names first, then each whole, a level lower."""
    listed = "".join(f'<li><a href="#page-{at}">{escape(name)}</a></li>' for at, name in enumerate(pages))
    bodies = []
    for at, (name, text) in enumerate(pages.items()):
        body = text.split("</h1>", 1)[1].rsplit("</body>", 1)[0]
        for level in (3, 2):
            body = body.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
        bodies.append((name, f'<div id="page-{at}">{body}</div>'))
    return page(title, [("Contents", f"<ul>{listed}</ul>"), *bodies])


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min([0.0, *values]), max([0.0, *values])
    return (low, high) if high > low else (low, low + 1.0)


def _finite[Point: tuple[float, ...]](points: Sequence[Point]) -> list[Point]:
    return [point for point in points if all(math.isfinite(value) for value in point)]


def _around(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _room(keys: Mapping[str, object]) -> int:
    """Space for the longest key, left of the drawing."""
    return max(34, 12 + round(LETTER * max((len(key) for key in keys), default=10)))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _legend(names: Sequence[str]) -> tuple[list[str], int]:
    """Names in their colours above the drawing, and where the drawing then begins."""
    drawn, x, y = [], float(LEFT), TOP
    for at, name in enumerate(names):
        width = 26 + LETTER * len(name)
        if x > LEFT and x + width > WIDTH:
            x, y = float(LEFT), y + 16
        colour = COLOURS[at % len(COLOURS)]
        drawn.append(f'<line x1="{x:.0f}" y1="{y}" x2="{x + 14:.0f}" y2="{y}" stroke="{colour}" stroke-width="3"/>')
        drawn.append(f'<text x="{x + 18:.0f}" y="{y + 4}" fill="{colour}" font-size="12">{escape(name)}</text>')
        x += width
    return drawn, y + 14


def _framed(drawn: Sequence[str], x_name: str, y_name: str, x_ticks: Mapping[float, str], y: tuple[float, float], top: int) -> str:
    floor = HEIGHT - BOTTOM
    parts = [
        f'<line x1="{LEFT}" y1="{floor}" x2="{WIDTH - 14}" y2="{floor}" stroke="#94a3b8"/>',
        f'<line x1="{LEFT}" y1="{top}" x2="{LEFT}" y2="{floor}" stroke="#94a3b8"/>',
        f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 4}" text-anchor="middle" font-size="12" fill="#475569">{escape(x_name)}</text>',
        f'<text text-anchor="middle" font-size="12" fill="#475569" transform="translate(13 {(floor + top) / 2:.0f}) rotate(-90)">'
        f"{escape(y_name)}</text>",
    ]
    for x, text in x_ticks.items():
        anchor = "start" if x < LEFT + 20 else "end" if x > WIDTH - 40 else "middle"
        parts.append(f'<text x="{x:.0f}" y="{floor + 14}" text-anchor="{anchor}" font-size="11">{escape(text)}</text>')
    for value in _round_values(*y):
        at = floor - (value - y[0]) / (y[1] - y[0]) * (floor - top)
        parts.append(f'<line x1="{LEFT}" y1="{at:.0f}" x2="{WIDTH - 14}" y2="{at:.0f}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{at + 4:.0f}" text-anchor="end" font-size="11">{number(value)}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">{"".join([*parts, *drawn])}</svg>'


def _round_values(low: float, high: float) -> list[float]:
    """Three to six round values within the limits."""
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= rough)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]
