"""Places time ranges that are marked above a plot: each with a line, its label, and where it begins.

Those that overlap go into rows below each other, up to a few: the others share the last row, without a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from markupsafe import escape

#: Rows at most.
MOST_ROWS: Final = 4
#: Width of a character, height of a row, and the distance between two spans of a row.
_CHAR, _LINE, _BETWEEN = 6.2, 13, 6
_SIGN: Final = "M-4,-4 h8 l-4,6 z"


@dataclass(frozen=True)
class Span:
    """A marked time range, µs.

    Args:
        end: None: it is not over.
        title: what is said of it in full.
        tone: a class for the style sheet.
    """

    start: int
    end: int | None
    label: str
    title: str
    tone: str


class Placed(NamedTuple):
    """A span with its horizontal place, in a row from 0 on."""

    span: Span
    left: float
    right: float
    row: int
    labelled: bool


def placed(spans: Iterable[Span], start: int, end: int, x: Callable[[int], float]) -> list[Placed]:
    """The spans that are in [start, end), each in the first row that has room."""
    found: list[Placed] = []
    taken: list[float] = []
    furthest = x(end)
    for span in sorted(spans, key=lambda one: one.start):
        until = end if span.end is None else span.end
        if span.start >= end or until < start:
            continue
        left, right = x(span.start), x(until)
        wide = 8 + len(span.label) * _CHAR
        begins = min(left, furthest - wide)
        row = next((row for row, to in enumerate(taken) if to < begins), len(taken))
        if row == MOST_ROWS:
            found.append(Placed(span, left, right, row - 1, labelled=False))
            continue
        taken[row : row + 1] = [max(right, begins + wide) + _BETWEEN]
        found.append(Placed(span, left, right, row, labelled=True))
    return found


def drawn(one: Placed, top: float, floor: float, furthest: float, *, begun_before: bool) -> str:
    """A placed span as SVG; its row begins at `top`, and where it begins is marked down to `floor`."""
    tone, base = escape(one.span.tone), top + _LINE - 3
    parts = [
        f'<rect class="under" x="{one.left - 4:.1f}" y="{top:.1f}" '
        f'width="{max(8.0, one.right - one.left + 4):.1f}" height="{_LINE}"/>',
        f'<line class="range" x1="{one.left:.1f}" x2="{one.right:.1f}" y1="{base:.1f}" y2="{base:.1f}"/>',
    ]
    if not begun_before:
        parts.append(
            f'<line class="begin" x1="{one.left:.1f}" x2="{one.left:.1f}" y1="{base:.1f}" y2="{floor:.1f}"/>'
            f'<path d="{_SIGN}" transform="translate({one.left:.1f},{base:.1f})"/>'
        )
    if one.labelled:
        before = one.left + 8 + len(one.span.label) * _CHAR > furthest
        place = furthest if before and begun_before else one.left + (-7 if before else 7)
        anchor = ' text-anchor="end"' if before else ""
        parts.append(f'<text x="{place:.1f}" y="{base - 2:.1f}"{anchor}>{escape(one.span.label)}</text>')
    return f'<g class="span {tone}"><title>{escape(one.span.title)}</title>{"".join(parts)}</g>'
