"""Small plots over time as inline SVG: bars or lines, with shaded regions and marked instants.

One plot is one `<svg>` that needs nothing from outside: colours come from the rules in `STYLE`, which
follow the reader's light or dark preference. Every word that is not ours is escaped. A series with more
points than the plot is wide is thinned to the lowest and highest value of each column, so a peak is
never lost and a page never grows with the data.

Times are int µs since the epoch, UTC; labels are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gridwatch.views.plot_axes import DAY, HOUR, MINUTE, number, stamp
from gridwatch.views.plot_canvas import Canvas, Frame, Mark, Region

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "STYLE",
    "Frame",
    "Layer",
    "Mark",
    "Region",
    "Series",
    "bars",
    "layered",
    "lines",
    "stamp",
]

#: What the plots look like; put it into the page once. The colours are told apart by the colour-blind too.
STYLE = """
:root {
  --plot-ink: #55616d; --plot-grid: #8b98a633; --plot-paper: #fff; --plot-reading: #2f6fb0;
  --plot-late: #e69f00; --plot-too-late: #8c1d18; --plot-refused: #7a5fa8; --plot-open: #d33a2c;
  --plot-filled: #2f9e55; --plot-unknown: #8b98a6; --plot-worked: #2b8a83;
  --plot-2: #c4571b; --plot-4: #8a5bb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --plot-ink: #a3afbb; --plot-grid: #a3afbb2e; --plot-paper: #11161c; --plot-reading: #5fa3e6;
    --plot-late: #f2b84b; --plot-too-late: #ff8a82; --plot-refused: #b59be0; --plot-open: #ff6b60;
    --plot-filled: #6cc98a; --plot-unknown: #a3afbb; --plot-worked: #5cc4bb;
    --plot-2: #f09b62; --plot-4: #c09be6;
  }
}
.plot { display: block; width: 100%; height: auto; overflow: visible; font: 11px system-ui, sans-serif; }
.plot text { fill: var(--plot-ink); }
.plot .grid { stroke: var(--plot-grid); stroke-width: 1; }
.plot .axis { stroke: var(--plot-ink); stroke-width: 1; }
.plot .bar { fill: var(--plot-reading); }
.plot .bar.late, .plot .sign.late { fill: var(--plot-late); }
.plot .bar.too-late, .plot .sign.too-late { fill: var(--plot-too-late); }
.plot .bar.refused { fill: var(--plot-refused); }
.plot .bar.missing { fill: var(--plot-open); }
.plot .bar.worked { fill: var(--plot-worked); }
.plot .bar:hover { filter: brightness(1.2); }
.plot .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.plot .s0 { stroke: var(--plot-reading); } .plot .s1 { stroke: var(--plot-2); }
.plot .s2 { stroke: var(--plot-filled); } .plot .s3 { stroke: var(--plot-4); }
.plot .key-s0 { fill: var(--plot-reading); } .plot .key-s1 { fill: var(--plot-2); }
.plot .key-s2 { fill: var(--plot-filled); } .plot .key-s3 { fill: var(--plot-4); }
.plot .region.open { fill: var(--plot-open); fill-opacity: .38; }
.plot .region.missing { fill: var(--plot-open); fill-opacity: .16; }
.plot .region.filled { fill: var(--plot-filled); fill-opacity: .22; }
.plot .region.unknown { fill: var(--plot-unknown); fill-opacity: .16; }
.plot .mark { stroke: var(--plot-ink); stroke-width: 1; stroke-dasharray: 3 3; }
"""


@dataclass(frozen=True)
class Series:
    """Points (time, value) in order of time, drawn as one line."""

    name: str
    points: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Layer:
    """Points (time, value) in order of time, drawn as bars of one look.

    `tone` is one of reading, late, too-late, refused, missing, worked; those in `SIGNED` get a sign above
    each bar, so that they are told apart without colours.
    """

    name: str
    points: Sequence[tuple[int, float]]
    tone: str = "reading"


SIGNED = {"late": "M-4,-8 h8 l-4,6 z", "too-late": "M-4,-5 l4,-4 l4,4 l-4,4 z"}


def bars(frame: Frame, points: Sequence[tuple[int, float]], span: int) -> Markup:
    """Bars that begin at each point's time and are `span` µs wide."""
    return layered(frame, [Layer("", points)], span)


def layered(frame: Frame, layers: Sequence[Layer], span: int, *, stacked: bool = False) -> Markup:
    """Bars of several looks, those of one time over each other or, stacked, one on the other."""
    based = list(_stacked(layers) if stacked else _beside(layers, frame))
    canvas = Canvas(frame, (base + value for _, _, base, value in based), from_zero=True)
    drawn = []
    for layer, at, base, value in based:
        if stacked and not value:
            continue
        left, right = canvas.x(at), canvas.x(at + span)
        top, foot = sorted((canvas.y(base + value), canvas.y(base)))
        drawn.append(
            f'<rect class="bar {escape(layer.tone)}" x="{left:.1f}" y="{top:.1f}" '
            f'width="{max(1.0, right - left - 1):.1f}" height="{max(0.8, foot - top):.1f}">'
            f"<title>{escape(stamp(at))}: {number(value)} {escape(frame.unit)}"
            f"{escape(', ' + layer.name if layer.name else '')}</title></rect>"
        )
        if not stacked and layer.tone in SIGNED:
            drawn.append(
                f'<path class="sign {layer.tone}" d="{SIGNED[layer.tone]}" '
                f'transform="translate({(left + right - 1) / 2:.1f},{top:.1f})"/>'
            )
    return canvas.svg("".join(drawn))


def _beside(layers: Sequence[Layer], frame: Frame) -> Iterable[tuple[Layer, int, float, float]]:
    """Each bar as (layer, time, where it begins, value), all of them from zero."""
    for layer in layers:
        for at, value in _thinned(layer.points, frame):
            yield layer, at, 0.0, value


def _stacked(layers: Sequence[Layer]) -> Iterable[tuple[Layer, int, float, float]]:
    """The same, each on top of those of the same time in the layers before."""
    reached: dict[int, float] = {}
    for layer in layers:
        for at, value in layer.points:
            base = reached.get(at, 0.0)
            reached[at] = base + value
            yield layer, at, base, value


def lines(frame: Frame, series: Sequence[Series]) -> Markup:
    """A line for each of up to four series, with a key when there are several."""
    canvas = Canvas(frame, (value for one in series for _, value in one.points), from_zero=False)
    drawn = []
    for which, one in enumerate(series):
        shown = _thinned(one.points, frame)
        path = " ".join(f"{canvas.x(at):.1f},{canvas.y(value):.1f}" for at, value in shown)
        drawn.append(
            f'<polyline class="line s{which % 4}" points="{path}">'
            f"<title>{escape(one.name)}</title></polyline>"
        )
    return canvas.svg("".join(drawn), key=[one.name for one in series] if len(series) > 1 else [])


def _thinned(points: Sequence[tuple[int, float]], frame: Frame) -> Iterable[tuple[int, float]]:
    """The points themselves, or the lowest and highest of each pixel column when there are too many."""
    columns = Canvas.columns(frame)
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
