"""How many anomalies were detected in each hour, and how one is marked in the plot of its meter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from gridwatch.domain.instants import parse_instant
from gridwatch.http.formats import quantity
from gridwatch.models.anomaly import Anomaly
from gridwatch.plots.axes import HOUR
from gridwatch.plots.canvas import SIZES, Frame, Region
from gridwatch.plots.charts import Layer, layered
from gridwatch.plots.spans import Span
from gridwatch.views.anomalies.known import Ranked

#: The hours that are counted, up to the newest anomaly.
HOURS: Final = 48
_HEIGHT = 150


class Group(NamedTuple):
    """Kinds of one colour: more than six are not told apart."""

    tone: str
    name: str
    kinds: tuple[str, ...]


GROUPS: Final = (
    Group("spike", "spike", ("SPIKE",)),
    Group("drop", "drop", ("DROP",)),
    Group("level-shift", "level shift", ("LEVEL_SHIFT",)),
    Group("reverse-flow", "reverse flow", ("REVERSE_FLOW",)),
    Group("run", "flatline, zero run", ("FLATLINE", "ZERO_RUN")),
    Group("supply", "voltage, frequency, power factor", ("VOLTAGE", "FREQUENCY", "LOW_POWER_FACTOR")),
)
_TONES: Final = {kind: group.tone for group in GROUPS for kind in group.kinds}

Hours = list[tuple[int, dict[str, int]]]
"""Start of an hour, µs, and how many anomalies of each kind were detected in it."""


def counted_by_hour(anomalies: Iterable[Ranked], newest: int | None) -> Hours:
    """The last hours up to one with the instant `newest`, µs, each with what was detected in it; a detection
    at a full hour ended a window of the hour before."""
    if newest is None:
        return []
    last = (newest - 1) // HOUR * HOUR
    counts: dict[int, Counter[str]] = {last - number * HOUR: Counter() for number in reversed(range(HOURS))}
    for one in anomalies:
        counted = counts.get((one.detected - 1) // HOUR * HOUR)
        if counted is not None:
            counted[one.anomaly.kind] += 1
    return [(at, dict(sorted(of.items()))) for at, of in counts.items()]


def hours_plot(hours: Hours, complete_from: int | None, size: str) -> Markup:
    """The counts as stacked bars; where some may be missing is shaded."""
    start, end = hours[0][0], hours[-1][0] + HOUR
    missing = []
    if complete_from is not None and complete_from > start:
        missing.append(Region(start, min(complete_from, end), "unknown", "some may not be kept here"))
    frame = Frame(
        "Anomalies by the hour in which they were detected",
        "anomalies in an hour",
        start,
        end,
        regions=missing,
        width=SIZES[size][0],
        height=_HEIGHT,
        size=size,
        least=4,
    )
    layers = [
        Layer(
            group.name,
            [(at, sum(counts.get(kind, 0) for kind in group.kinds)) for at, counts in hours],
            group.tone,
        )
        for group in GROUPS
    ]
    return layered(frame, layers, HOUR, stacked=True)


def spans_of(anomalies: Sequence[Anomaly], shift: int = 0) -> list[Span]:
    """How anomalies are marked in the plot of their meter: from the first window to the end of each.

    Args:
        shift: how much later a window is drawn than it begins, µs.
    """
    return [
        Span(
            parse_instant(one.window_start)[0] + shift,
            None if one.ended_at is None else parse_instant(one.ended_at)[0] + shift,
            one.kind,
            _in_words(one),
            _TONES[one.kind],
        )
        for one in anomalies
    ]


def _in_words(one: Anomaly) -> str:
    unit = "" if one.unit is None else f" {one.unit}"
    usual = "" if one.baseline is None else f", usually {quantity(one.baseline)}{unit}"
    return f"{one.kind}, {one.severity}, {one.state}: {quantity(one.value)}{unit}{usual}"
