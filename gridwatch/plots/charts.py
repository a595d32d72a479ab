"""Draws small plots over time as inline SVG: bars or lines, with shaded regions and marked instants.

A plot is one self-contained `<svg>`; its colours come from `style.py` and follow the reader's light or dark
preference. All text is escaped. A series with more points than the plot has pixel columns is downsampled to
the lowest and highest value of each column, so that no peak is lost and a page does not grow with the data.

Times are int µs since the epoch, UTC; labels are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gridwatch.plots.axes import number, stamp
from gridwatch.plots.bands import Length, Step, usual_band
from gridwatch.plots.canvas import Canvas, Frame


@dataclass(frozen=True)
class Series:
    """Points (time, value) in order of time, drawn as one line."""

    name: str
    points: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Layer:
    """Points (time, value) in order of time, drawn as bars in one colour.

    `tone` is one of reading, late, too-late, refused, missing, processed, or one of the kinds of anomalies;
    those in `SIGNED` get a sign above each bar, so that they are distinct without colours.
    """

    name: str
    points: Sequence[tuple[int, float]]
    tone: str = "reading"


SIGNED = {"late": "M-4,-8 h8 l-4,6 z", "too-late": "M-4,-5 l4,-4 l4,4 l-4,4 z"}


def bars(frame: Frame, points: Sequence[tuple[int, float]], span: int) -> Markup:
    """Bars that start at each point's time and are `span` µs wide."""
    return layered(frame, [Layer("", points)], span)


def layered(
    frame: Frame,
    layers: Sequence[Layer],
    span: Length,
    *,
    stacked: bool = False,
    usual: Sequence[Step] = (),
) -> Markup:
    """Bars in several colours; those of one time overlap or are stacked. `span` may differ by their time.
    What is usual is behind them."""
    based = list(_stacked(layers) if stacked else _overlapping(layers, frame))
    reached = [base + value for _, _, base, value in based]
    reached += [value for one in usual for value in one[1:]]
    canvas = Canvas(frame, reached, from_zero=True)
    drawn = [usual_band(canvas, usual, span)]
    for layer, at, base, value in based:
        if stacked and not value:
            continue
        left, right = canvas.x(at), canvas.x(at + (span if isinstance(span, int) else span(at)))
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


def _overlapping(layers: Sequence[Layer], frame: Frame) -> Iterable[tuple[Layer, int, float, float]]:
    """Each bar as (layer, time, base, value), all from zero."""
    for layer in layers:
        for at, value in _downsampled(layer.points, frame):
            yield layer, at, 0.0, value


def _stacked(layers: Sequence[Layer]) -> Iterable[tuple[Layer, int, float, float]]:
    """The same, each bar on top of those of the same time in earlier layers."""
    reached: dict[int, float] = {}
    for layer in layers:
        for at, value in layer.points:
            base = reached.get(at, 0.0)
            reached[at] = base + value
            yield layer, at, base, value


def lines(frame: Frame, series: Sequence[Series]) -> Markup:
    """A line for each of up to four series, with a legend if there are several."""
    canvas = Canvas(frame, (value for one in series for _, value in one.points), from_zero=False)
    drawn = []
    for which, one in enumerate(series):
        shown = _downsampled(one.points, frame)
        path = " ".join(f"{canvas.x(at):.1f},{canvas.y(value):.1f}" for at, value in shown)
        drawn.append(
            f'<polyline class="line s{which % 4}" points="{path}">'
            f"<title>{escape(one.name)}</title></polyline>"
        )
    return canvas.svg("".join(drawn), key=[one.name for one in series] if len(series) > 1 else [])


def _downsampled(points: Sequence[tuple[int, float]], frame: Frame) -> Iterable[tuple[int, float]]:
    """The points, downsampled to the lowest and highest of each pixel column if there are too many."""
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
