"""Draws values that hold for a while as steps, with the range around them as a band.

A step is as wide as its window. Where a window is missing the line is broken, so that nothing looks measured
that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup, escape

from gridwatch.plots.axes import number, stamp
from gridwatch.plots.canvas import Canvas, Frame


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


def stepped(frame: Frame, steps: Sequence[Step], span: int, levels: Sequence[Level] = ()) -> Markup:
    """Steps that are `span` µs wide, in order of time, from zero; and levels in front of them."""
    canvas = Canvas(frame, (value for one in steps for value in one[1:]), from_zero=True)
    drawn = []
    for run in _runs(steps, span):
        edges = [(canvas.x(one.at), canvas.x(one.at + span), one) for one in run]
        if any(one.low != one.high for one in run):
            above = [f"{x:.1f},{canvas.y(one.high):.1f}" for left, right, one in edges for x in (left, right)]
            below = [f"{x:.1f},{canvas.y(one.low):.1f}" for left, right, one in edges for x in (left, right)]
            drawn.append(f'<polygon class="band" points="{" ".join([*above, *reversed(below)])}"/>')
        line = [f"{x:.1f},{canvas.y(one.value):.1f}" for left, right, one in edges for x in (left, right)]
        drawn.append(f'<polyline class="line s0" points="{" ".join(line)}"/>')
    drawn += [_hover(canvas, frame, one, span) for one in steps]
    drawn += [_level(canvas, frame, one) for one in levels]
    return canvas.svg("".join(drawn))


def _runs(steps: Iterable[Step], span: int) -> list[list[Step]]:
    runs: list[list[Step]] = []
    for step in steps:
        if runs and runs[-1][-1].at + span == step.at:
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
