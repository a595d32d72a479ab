"""Plots of figures as stand-alone SVG: grouped horizontal bars, and lines over a logarithmic scale.

In the colours of gridwatch's own plots (`gridwatch/plots/style.py`), light or dark as the reader has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from gridwatch.plots.axes import number, value_ticks
from gridwatch.plots.style import STYLE

_WIDTH = 760
_CHAR, _LINE = 6.2, 15
_TOP, _BOTTOM, _RIGHT = 40, 26, 70
_BAR, _BETWEEN = 13, 9


@dataclass(frozen=True)
class Value:
    """What one bar shows, and from where to where it was seen to lie."""

    middle: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """Points (x, y) in order of x, drawn as one line."""

    name: str
    points: Sequence[tuple[float, float]]


def bars(
    title: str, unit: str, series: Sequence[str], rows: Sequence[tuple[str, Sequence[Value | None]]]
) -> str:
    """A group of bars for each row, one for each of up to four series; None is left out."""
    shown = [value for _, values in rows for value in values if value is not None]
    ticks = value_ticks(0.0, max((value.high or value.middle for value in shown), default=1.0))
    left = 16 + _CHAR * max(len(label) for label, _ in rows)
    scale = (_WIDTH - _RIGHT - left) / ticks[-1]
    height = _TOP + sum(_BAR * len(values) + _BETWEEN for _, values in rows)
    parts = [*_key(series)]
    for tick in ticks:
        at = left + tick * scale
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP - 4}" y2="{height}"/>')
        parts.append(f'<text x="{at:.1f}" y="{height + 16}" text-anchor="middle">{number(tick)}</text>')
    top = _TOP
    for label, values in rows:
        middle = top + _BAR * len(values) / 2 + 4
        parts.append(f'<text x="{left - 8:.1f}" y="{middle:.1f}" text-anchor="end">{escape(label)}</text>')
        for which, value in enumerate(values):
            if value is not None:
                parts += _bar(left, top + which * _BAR, which, value, scale)
        top += _BAR * len(values) + _BETWEEN
    return _picture(f"{title}, {unit}", height + _BOTTOM, parts)


def _bar(left: float, top: float, which: int, value: Value, scale: float) -> list[str]:
    width = value.middle * scale
    end = left + max(width, (value.high or 0.0) * scale)
    parts = [
        f'<rect class="key-s{which % 4}" x="{left:.1f}" y="{top}" width="{max(width, 0.8):.1f}" '
        f'height="{_BAR - 2}"/>',
        f'<text x="{end + 4:.1f}" y="{top + 10}">{_short(value.middle)}</text>',
    ]
    if value.low is not None and value.high is not None:
        at = top + _BAR / 2 - 1
        parts.append(
            f'<line class="axis" x1="{left + value.low * scale:.1f}" x2="{left + value.high * scale:.1f}" '
            f'y1="{at}" y2="{at}"/>'
        )
    return parts


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"


def lines(title: str, unit: str, across: str, curves: Sequence[Curve], height: int = 220) -> str:
    """A line for each of up to four curves from zero up; x, called `across`, by its logarithm."""
    points = [point for curve in curves for point in curve.points]
    ticks = value_ticks(0.0, max((y for _, y in points), default=1.0))
    places = sorted({x for x, _ in points})
    first, last = math.log(places[0]), math.log(places[-1])
    left, floor = 60.0, _TOP + height

    def x_of(value: float) -> float:
        share = (math.log(value) - first) / (last - first) if last > first else 0.5
        return left + 10 + share * (_WIDTH - 55 - left)

    def y_of(value: float) -> float:
        return floor - value / ticks[-1] * height

    parts = [*_key([curve.name for curve in curves])]
    for tick in ticks:
        at = y_of(tick)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{_WIDTH - 12}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{number(tick)}</text>'
        )
    for place in places:
        parts.append(f'<text x="{x_of(place):.1f}" y="{floor + 16}" text-anchor="middle">{place:,.0f}</text>')
    parts.append(f'<text x="{_WIDTH - 12}" y="{floor + 32}" text-anchor="end">{escape(across)}</text>')
    for which, curve in enumerate(curves):
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in curve.points)
        parts.append(f'<polyline class="line s{which % 4}" points="{path}"/>')
        parts += [
            f'<circle class="key-s{which % 4}" cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="2.5"/>'
            for x, y in curve.points
        ]
    return _picture(f"{title}, {unit}", floor + _BOTTOM + _LINE, parts)


def _key(names: Sequence[str]) -> list[str]:
    if len(names) < 2:
        return []
    parts, place = [], 8.0
    for which, name in enumerate(names):
        parts.append(f'<rect class="key-s{which % 4}" x="{place:.1f}" y="20" width="9" height="9"/>')
        parts.append(f'<text x="{place + 13:.1f}" y="29">{escape(name)}</text>')
        place += 13 + len(name) * _CHAR + 14
    return parts


def _picture(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{STYLE}</style>'
        f'<text x="8" y="13">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )
