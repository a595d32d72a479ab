"""Small plots over time as inline SVG: bars or lines, with shaded regions and marked instants.

One plot is one `<svg>` that needs nothing from outside: colours come from the rules in `STYLE`, which
follow the reader's light or dark preference. Every word that is not ours is escaped. A series with more
points than the plot is wide is thinned to the lowest and highest value of each column, so a peak is
never lost and a page never grows with the data.

Times are int µs since the epoch, UTC; labels are UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gridwatch.views.plot_axes import DAY, HOUR, MINUTE, number, stamp, time_ticks, value_ticks

__all__ = ["DAY", "HOUR", "MINUTE", "STYLE", "Frame", "Mark", "Region", "Series", "bars", "lines", "stamp"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 24
#: Width of a character, and height of a line of words, at the size the style sets.
_CHAR, _LINE = 6.2, 13
_ANCHOR_END = ' text-anchor="end"'

#: What the plots look like; put it into the page once.
STYLE = """
.plot { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.plot text { fill: var(--plot-ink, #555); }
.plot .grid { stroke: var(--plot-grid, #8884); stroke-width: 1; }
.plot .axis { stroke: var(--plot-ink, #555); stroke-width: 1; }
.plot .bar { fill: var(--plot-1, #2f6fb0); }
.plot .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.plot .s0 { stroke: var(--plot-1, #2f6fb0); } .plot .s1 { stroke: var(--plot-2, #c4571b); }
.plot .s2 { stroke: var(--plot-3, #3b8550); } .plot .s3 { stroke: var(--plot-4, #8a5bb5); }
.plot .key-s0 { fill: var(--plot-1, #2f6fb0); } .plot .key-s1 { fill: var(--plot-2, #c4571b); }
.plot .key-s2 { fill: var(--plot-3, #3b8550); } .plot .key-s3 { fill: var(--plot-4, #8a5bb5); }
.plot .region.open { fill: var(--plot-open, #c9302c); fill-opacity: .30; }
.plot .region.missing { fill: var(--plot-missing, #d9822b); fill-opacity: .30; }
.plot .region.filled { fill: var(--plot-filled, #3b8550); fill-opacity: .20; }
.plot .region.unknown { fill: var(--plot-unknown, #888); fill-opacity: .14; }
.plot .mark { stroke: var(--plot-ink, #555); stroke-width: 1; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) {
  .plot { --plot-ink: #aab4bf; --plot-grid: #fff2; --plot-1: #6cb0f2; --plot-2: #f09b62;
          --plot-3: #7cc793; --plot-4: #c09be6; --plot-open: #ff6b66; --plot-missing: #f0a95c;
          --plot-filled: #7cc793; --plot-unknown: #aaa; }
}
"""


@dataclass(frozen=True)
class Region:
    """A shaded stretch of time. `kind` is one of open, missing, filled, unknown."""

    start: int
    end: int
    kind: str
    label: str


@dataclass(frozen=True)
class Mark:
    """An instant worth a line and a word."""

    at: int
    label: str


@dataclass(frozen=True)
class Series:
    """Points (time, value) in order of time, drawn as one line."""

    name: str
    points: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Frame:
    """What a plot shows beside its data: the stretch of time, title, unit, regions and marks."""

    title: str
    unit: str
    start: int
    end: int
    regions: Sequence[Region] = ()
    marks: Sequence[Mark] = ()
    width: int = 760
    height: int = 220


def bars(frame: Frame, points: Sequence[tuple[int, float]], span: int) -> Markup:
    """Bars that begin at each point's time and are `span` µs wide."""
    canvas = _Canvas(frame, (value for _, value in points), from_zero=True)
    drawn = []
    zero = canvas.y(0.0)
    shown = _thinned(points, frame)
    for at, value in shown:
        left, right = canvas.x(at), canvas.x(at + span)
        top = canvas.y(value)
        drawn.append(
            f'<rect class="bar" x="{left:.1f}" y="{min(top, zero):.1f}" '
            f'width="{max(1.0, right - left - 1):.1f}" height="{max(0.8, abs(zero - top)):.1f}">'
            f"<title>{escape(stamp(at))}: {number(value)} {escape(frame.unit)}</title></rect>"
        )
    return canvas.svg("".join(drawn))


def lines(frame: Frame, series: Sequence[Series]) -> Markup:
    """A line for each of up to four series, with a key when there are several."""
    canvas = _Canvas(frame, (value for one in series for _, value in one.points), from_zero=False)
    drawn = []
    for which, one in enumerate(series):
        shown = _thinned(one.points, frame)
        path = " ".join(f"{canvas.x(at):.1f},{canvas.y(value):.1f}" for at, value in shown)
        drawn.append(
            f'<polyline class="line s{which % 4}" points="{path}">'
            f"<title>{escape(one.name)}</title></polyline>"
        )
    return canvas.svg("".join(drawn), key=[one.name for one in series] if len(series) > 1 else [])


def _vertical(kind: str, place: float, top: float, bottom: float) -> str:
    return f'<line class="{kind}" x1="{place:.1f}" x2="{place:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'


def _thinned(points: Sequence[tuple[int, float]], frame: Frame) -> Iterable[tuple[int, float]]:
    """The points themselves, or the lowest and highest of each pixel column when there are too many."""
    columns = frame.width - _LEFT - _RIGHT
    if len(points) <= 2 * columns:
        return points
    span = max(1, frame.end - frame.start)
    extremes: dict[int, list[tuple[int, float]]] = {}
    for point in points:
        column = (point[0] - frame.start) * columns // span
        pair = extremes.setdefault(column, [point, point])
        if point[1] < pair[0][1]:
            pair[0] = point
        if point[1] > pair[1][1]:
            pair[1] = point
    return [point for column in sorted(extremes) for point in sorted(set(extremes[column]))]


class _Canvas:
    """Scales, axes and shading around whatever is drawn."""

    def __init__(self, frame: Frame, values: Iterable[float], *, from_zero: bool) -> None:
        self._frame = frame
        finite = [value for value in values if math.isfinite(value)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        if from_zero:
            low, high = min(0.0, low), max(0.0, high)
        self._ticks = value_ticks(low, high)
        self._low, self._high = self._ticks[0], self._ticks[-1]
        self._span = max(1, frame.end - frame.start)
        self._right = frame.width - _RIGHT
        self._placed = self._place_marks()
        rows = 1 + max((row for _, _, row in self._placed), default=-1)
        self._top = _TOP + _LINE * rows
        self._floor = frame.height - _BOTTOM + _LINE * rows
        self._height = frame.height + _LINE * rows

    def x(self, at: int) -> float:
        """Horizontal place of an instant, kept inside the plot."""
        share = (at - self._frame.start) / self._span
        return _LEFT + min(1.0, max(0.0, share)) * (self._right - _LEFT)

    def y(self, value: float) -> float:
        """Vertical place of a value."""
        share = (value - self._low) / (self._high - self._low)
        return self._floor - share * (self._floor - self._top)

    def svg(self, drawn: str, key: Sequence[str] = ()) -> Markup:
        """The whole picture: shading behind, the data, marks in front."""
        frame = self._frame
        parts = [
            f'<svg class="plot" viewBox="0 0 {frame.width} {self._height}" role="img" '
            f'aria-label="{escape(frame.title)}" xmlns="http://www.w3.org/2000/svg">',
            f"<title>{escape(frame.title)}</title>",
            *self._axes(),
            *self._regions(),
            drawn,
            *self._marks(),
            *self._key(key),
            "</svg>",
        ]
        return Markup("".join(parts))  # noqa: S704 - every word from outside was escaped on its way in

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
        """Where each mark stands, and in which row its word: one that would run into another goes lower."""
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
