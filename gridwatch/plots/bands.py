"""Draws values that hold for a while as steps, with the range around them as a band.

A step is as wide as its window. Where a window is missing the line is broken, so that nothing looks measured
that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from markupsafe import Markup, escape

from gridwatch.plots.axes import number, stamp
from gridwatch.plots.canvas import Canvas, Frame

Length: TypeAlias = int | Callable[[int], int]
"""How long what begins at a time is, µs: always, or by that time."""


class Step(NamedTuple):
    """A value from `at` on, µs, and the lowest and highest around it: the value itself without a range."""

    at: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Level:
    """A value that is marked across the plot."""

    value: float
    label: str
    tone: str


def stepped(
    frame: Frame,
    steps: Sequence[Step],
    span: int,
    levels: Sequence[Level] = (),
    usual: Sequence[Step] = (),
) -> Markup:
    """Steps that are `span` µs wide, in order of time, from zero; what is usual behind them, and levels in
    front of them."""
    canvas = Canvas(frame, (value for one in (*steps, *usual) for value in one[1:]), from_zero=True)
    drawn = [usual_band(canvas, usual, span)]
    for run in _runs(steps, span):
        if any(one.low != one.high for one in run):
            drawn.append(_band(canvas, run, span, "band"))
        drawn.append(_line(canvas, run, span, "line s0"))
    drawn += [_hover(canvas, frame, one, span) for one in steps]
    drawn += [_level(canvas, frame, one) for one in levels]
    return canvas.svg("".join(drawn))


def usual_band(canvas: Canvas, steps: Sequence[Step], span: Length) -> str:
    """What is usual: a range with a dashed line in its middle, as wide as what it is of."""
    return "".join(
        _band(canvas, run, span, "usual") + _line(canvas, run, span, "usual-mean")
        for run in _runs(steps, span)
    )


def _band(canvas: Canvas, run: Sequence[Step], span: Length, kind: str) -> str:
    above = _points(canvas, run, span, [one.high for one in run])
    below = _points(canvas, run, span, [one.low for one in run])
    return f'<polygon class="{kind}" points="{" ".join([*above, *reversed(below)])}"/>'


def _line(canvas: Canvas, run: Sequence[Step], span: Length, kind: str) -> str:
    points = _points(canvas, run, span, [one.value for one in run])
    return f'<polyline class="{kind}" points="{" ".join(points)}"/>'


def _points(canvas: Canvas, run: Sequence[Step], span: Length, values: Sequence[float]) -> list[str]:
    return [
        f"{canvas.x(at):.1f},{canvas.y(value):.1f}"
        for one, value in zip(run, values, strict=True)
        for at in (one.at, _end(one, span))
    ]


def _end(step: Step, span: Length) -> int:
    return step.at + (span if isinstance(span, int) else span(step.at))


def _runs(steps: Iterable[Step], span: Length) -> list[list[Step]]:
    runs: list[list[Step]] = []
    for step in steps:
        if runs and _end(runs[-1][-1], span) == step.at:
            runs[-1].append(step)
        else:
            runs.append([step])
    return runs


def _hover(canvas: Canvas, frame: Frame, step: Step, span: int) -> str:
    """What is shown while the pointer is on a step."""
    left, right = canvas.x(step.at), canvas.x(step.at + span)
    reach = "" if step.low == step.high else f" ({number(step.low)} to {number(step.high)})"
    top, foot = canvas.y(canvas.highest), canvas.y(canvas.lowest)
    return (
        f'<rect class="hover" x="{left:.1f}" y="{top:.1f}" width="{max(1.0, right - left):.1f}" '
        f'height="{foot - top:.1f}"><title>{escape(stamp(step.at))}: {number(step.value)} '
        f"{escape(frame.unit)}{reach}</title></rect>"
    )


def _level(canvas: Canvas, frame: Frame, level: Level) -> str:
    at, left, right = canvas.y(level.value), canvas.x(frame.start), canvas.x(frame.end)
    return (
        f'<line class="level {escape(level.tone)}" x1="{left:.1f}" x2="{right:.1f}" y1="{at:.1f}" '
        f'y2="{at:.1f}"/><text x="{right - 2:.1f}" y="{at - 3:.1f}" text-anchor="end">'
        f"{escape(level.label)}</text>"
    )
