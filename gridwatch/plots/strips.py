"""Draws a day in a line of a table: a strip of cells coloured by their level, and a small line.

Both stretch to the width of their place. What a colour says is said in words as well: each cell has a title,
the whole strip a label, and cells without a level are hatched, not only grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

#: The upper ends of the levels, %; what is at the last one or above has a level of its own.
LEVELS: Final = (40.0, 60.0, 80.0, 90.0, 100.0)
#: Width and height of a cell; height of a small line.
_CELL, _HEIGHT = 10, 24
_LINE_HEIGHT = 28


@dataclass(frozen=True)
class Cell:
    """One quarter of an hour, or whatever a strip has a cell of.

    Args:
        place: which of the strip's cells it is, from 0 on.
        value: %, None where it is not known.
        partial: the value lacks a part.
    """

    place: int
    value: float | None
    partial: bool
    title: str


def level_of(value: float) -> int:
    """The level of a value, from 0 on."""
    return sum(value >= end for end in LEVELS)


def strip(label: str, cells: Sequence[Cell], places: int) -> Markup:
    """The cells as SVG; places without a cell stay empty."""
    drawn = [_cell(one) for one in cells]
    hatched = [one.place for one in cells if one.value is None]
    if hatched:
        strokes = "".join(f"M{place * _CELL},{_HEIGHT}l{_CELL},-{_HEIGHT}" for place in hatched)
        drawn.append(f'<path class="hatch" d="{strokes}"/>')
    partial = [one.place for one in cells if one.partial]
    if partial:
        lines = "".join(f"M{place * _CELL},{_HEIGHT - 3}h{_CELL}" for place in partial)
        drawn.append(f'<path class="partial" d="{lines}"/>')
    return _svg("strip", label, places, _HEIGHT, "".join(drawn))


def small_line(label: str, points: Sequence[tuple[int, float]], places: int, top: float) -> Markup:
    """A line through the values at their places, from 0 to `top`; it is broken where places have none."""
    drawn = []
    for run in _runs(points):
        path = " ".join(
            f"{place * _CELL},{_at(value, top):.1f} {(place + 1) * _CELL},{_at(value, top):.1f}"
            for place, value in run
        )
        drawn.append(f'<polyline class="line s0" points="{path}"/>')
    return _svg("small-line", label, places, _LINE_HEIGHT, "".join(drawn))


def _at(value: float, top: float) -> float:
    return 1 + (_LINE_HEIGHT - 2) * (1 - min(1.0, max(0.0, value / top if top > 0 else 0.0)))


def _runs(points: Iterable[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = []
    for point in points:
        if runs and runs[-1][-1][0] + 1 == point[0]:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _cell(cell: Cell) -> str:
    kind = "unsure" if cell.value is None else f"level-{level_of(cell.value)}"
    return (
        f'<rect class="{kind}" x="{cell.place * _CELL}" width="{_CELL}" height="{_HEIGHT}">'
        f"<title>{escape(cell.title)}</title></rect>"
    )


def _svg(kind: str, label: str, places: int, height: int, drawn: str) -> Markup:
    return Markup(  # noqa: S704 - all text from outside is escaped
        f'<svg class="{kind}" viewBox="0 0 {places * _CELL} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'
    )
