"""Draws the frame of a plot: scales, axes, shaded regions and marked instants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gridwatch.plots.axes import number, time_ticks, value_ticks
from gridwatch.plots.spans import Span, drawn, placed

#: Width and height of a plot as wide as the page, and of the one for narrow screens in its place.
SIZES = {"wide": (960, 240), "narrow": (400, 240)}
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 24
#: Width of a character, and height of a text line, at the font size of the style sheet.
_CHAR, _LINE = 6.2, 13
_ANCHOR_END = ' text-anchor="end"'


@dataclass(frozen=True)
class Region:
    """A shaded time range. `kind` is one of open, missing, filled, unknown."""

    start: int
    end: int
    kind: str
    label: str


@dataclass(frozen=True)
class Mark:
    """An instant marked with a line and a label."""

    at: int
    label: str


@dataclass(frozen=True)
class Frame:
    """Everything of a plot but its data: time range, title, unit, regions, marks and spans."""

    title: str
    unit: str
    start: int
    end: int
    regions: Sequence[Region] = ()
    marks: Sequence[Mark] = ()
    spans: Sequence[Span] = ()
    width: int = 760
    height: int = 220
    #: A class of its own for the style sheet.
    size: str = ""
    #: Lowest upper end of the value axis, so that an empty plot has a sensible scale.
    least: float = 0.0


class Canvas:
    """Maps values to coordinates, and draws axes, shading and marks around the data."""

    def __init__(self, frame: Frame, values: Iterable[float], *, from_zero: bool) -> None:
        self._frame = frame
        finite = [value for value in values if math.isfinite(value)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        if from_zero:
            low, high = min(0.0, low), max(0.0, high if finite else 0.0, frame.least)
        self._ticks = value_ticks(low, high)
        self._low, self._high = self._ticks[0], self._ticks[-1]
        self._span = max(1, frame.end - frame.start)
        self._right = frame.width - _RIGHT
        self._placed = self._place_marks()
        self._spans = placed(frame.spans, frame.start, frame.end, self.x)
        self._mark_rows = 1 + max((row for _, _, row in self._placed), default=-1)
        rows = self._mark_rows + 1 + max((one.row for one in self._spans), default=-1)
        self._top = _TOP + _LINE * rows
        self._floor = frame.height - _BOTTOM + _LINE * rows
        self._height = frame.height + _LINE * rows

    @property
    def lowest(self) -> float:
        """The lower end of the value axis."""
        return self._low

    @property
    def highest(self) -> float:
        """The upper end of the value axis."""
        return self._high

    @staticmethod
    def columns(frame: Frame) -> int:
        """How many places beside each other a plot has for its data."""
        return frame.width - _LEFT - _RIGHT

    def x(self, at: int) -> float:
        """Horizontal place of an instant, kept inside the plot."""
        share = (at - self._frame.start) / self._span
        return _LEFT + min(1.0, max(0.0, share)) * (self._right - _LEFT)

    def y(self, value: float) -> float:
        """Vertical place of a value."""
        share = (value - self._low) / (self._high - self._low)
        return self._floor - share * (self._floor - self._top)

    def svg(self, data: str, key: Sequence[str] = ()) -> Markup:
        """The complete SVG: shading, then the data, then marks on top."""
        frame = self._frame
        parts = [
            f'<svg class="plot{" " + frame.size if frame.size else ""}" '
            f'viewBox="0 0 {frame.width} {self._height}" role="img" '
            f'aria-label="{escape(frame.title)}" xmlns="http://www.w3.org/2000/svg">',
            f"<title>{escape(frame.title)}</title>",
            *self._axes(),
            *self._regions(),
            data,
            *self._drawn_spans(),
            *self._marks(),
            *self._key(key),
            "</svg>",
        ]
        return Markup("".join(parts))  # noqa: S704 - all text from outside is escaped above

    def _axes(self) -> Iterable[str]:
        for value in self._ticks:
            at = self.y(value)
            yield f'<line class="grid" x1="{_LEFT}" x2="{self._right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            yield f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{number(value)}</text>'
        yield f'<text x="{_LEFT + 4}" y="{_TOP - 2}">{escape(self._frame.unit)}</text>'
        for instant, label in time_ticks(self._frame.start, self._frame.end, (self._right - _LEFT) // 70):
            place = self.x(instant)
            yield _vertical("axis", place, self._floor, self._floor + 4)
            yield f'<text x="{place:.1f}" y="{self._floor + 16}" text-anchor="middle">{label}</text>'
        yield f'<line class="axis" x1="{_LEFT}" x2="{self._right}" y1="{self._floor}" y2="{self._floor}"/>'

    def _regions(self) -> Iterable[str]:
        for region in self._frame.regions:
            if region.end <= self._frame.start or region.start >= self._frame.end:
                continue
            left, right = self.x(region.start), self.x(region.end)
            yield (
                f'<rect class="region {escape(region.kind)}" x="{left:.1f}" y="{self._top}" '
                f'width="{max(1.0, right - left):.1f}" height="{self._floor - self._top}">'
                f"<title>{escape(region.label)}</title></rect>"
            )

    def _drawn_spans(self) -> Iterable[str]:
        for one in self._spans:
            yield drawn(
                one,
                _TOP + _LINE * (self._mark_rows + one.row),
                self._floor,
                self._right,
                begun_before=one.span.start < self._frame.start,
            )

    def _marks(self) -> Iterable[str]:
        for place, label, row in self._placed:
            at = _TOP - 2 + _LINE * (row + 1)
            before = place + len(label) * _CHAR > self._right
            yield _vertical("mark", place, at - 8, self._floor)
            yield (
                f'<text x="{place - 4 if before else place + 4:.1f}" y="{at:.1f}"'
                f"{_ANCHOR_END if before else ''}>{escape(label)}</text>"
            )

    def _place_marks(self) -> list[tuple[float, str, int]]:
        """The x coordinate of each mark, and the row of its label; overlapping labels go one row lower."""
        placed = []
        taken: list[float] = []
        for mark in sorted(self._frame.marks, key=lambda mark: mark.at):
            if self._frame.start <= mark.at <= self._frame.end:
                place = self.x(mark.at)
                wide = len(mark.label) * _CHAR + 4
                left = place - wide if place + wide - 4 > self._right else place
                row = next((row for row, until in enumerate(taken) if until < left), len(taken))
                taken[row : row + 1] = [left + wide]
                placed.append((place, mark.label, row))
        return placed

    def _key(self, names: Sequence[str]) -> Iterable[str]:
        place = _LEFT + 8.0 + len(self._frame.unit) * _CHAR + 12
        for which, name in enumerate(names):
            yield f'<rect class="key-s{which % 4}" x="{place:.1f}" y="1" width="9" height="9"/>'
            yield f'<text x="{place + 13:.1f}" y="{_TOP - 2}">{escape(name)}</text>'
            place += 13 + len(name) * _CHAR + 14


def _vertical(kind: str, place: float, top: float, bottom: float) -> str:
    return f'<line class="{kind}" x1="{place:.1f}" x2="{place:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
