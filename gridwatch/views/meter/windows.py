"""A meter's newest windows of consumption, from the ends of their topics, and their plots.

A window has several revisions: the newest one stands. A meter without windows gets the reason in words, as an
empty place would look like a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from markupsafe import Markup

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import SECOND
from gridwatch.http.formats import duration, span
from gridwatch.http.reply import Problem
from gridwatch.models.aggregate import Aggregate
from gridwatch.models.anomaly import Anomaly
from gridwatch.plots.bands import Step, stepped
from gridwatch.plots.canvas import SIZES, Frame
from gridwatch.topics import Flow
from gridwatch.views.anomalies.plots import spans_of
from gridwatch.views.log_tail import LogTail, OffsetRange
from gridwatch.views.meter.recent import Recent
from gridwatch.views.meter.usual import Usual
from gridwatch.views.state import Record

#: Records of its partition that a meter's windows are looked for in, of each length.
SCANNED_RECORDS: Final = 20_000
#: Windows shown at most, by their length in seconds: an hour, and a day.
SHOWN: Final = {60: 60, 900: 96}
_HEIGHT = 180

_aggregate = msgspec.json.Decoder(Aggregate).decode


@dataclass(frozen=True)
class Windows:
    """The windows that were read, by length in seconds: start in µs and the newest revision, in order."""

    by_length: dict[int, list[tuple[int, Aggregate]]] = field(default_factory=dict)
    problem: str = ""


class MeterWindows:
    """Reads the windows of meters.

    Args:
        lengths: those that are made, seconds.
    """

    def __init__(self, tail: LogTail, flow: Flow, lengths: Iterable[int]) -> None:
        self._tail = tail
        self._topics = flow.aggregates
        self._lengths = tuple(lengths)
        self._recent = Recent(self._read)

    async def of(self, meter_id: str, partition: int) -> Windows:
        """The newest windows of a meter; none with the reason when the brokers do not answer."""
        return await self._recent.of(meter_id, partition)

    def describe(self, meter: MeterState, read: Windows) -> list[Record]:
        """The windows of each length, the newest first, or why there are none."""
        return [
            {
                "length_seconds": length,
                "windows": [msgspec.to_builtins(one) for _, one in reversed(read.by_length.get(length, ()))],
                "none_because": ""
                if read.by_length.get(length)
                else read.problem or self._none_because(length, meter),
            }
            for length in SHOWN
        ]

    def _none_because(self, length: int, meter: MeterState) -> str:
        if length not in self._lengths:
            return "windows of this length are not made (GRIDWATCH_WINDOWS)"
        if meter.calendar is not None:
            return "its readings are of local days or months, longer than the window"
        if meter.interval > length * SECOND:
            return f"its interval, {span(meter.interval // SECOND)}, is longer than the window"
        return f"none has ended yet, or not in the last {SCANNED_RECORDS:,} records of its partition"

    async def _read(self, meter_id: str, partition: int) -> Windows:
        key = meter_id.encode()
        found: dict[int, list[tuple[int, Aggregate]]] = {}
        wanted = {partition: OffsetRange(SCANNED_RECORDS)}
        try:
            for length in self._lengths:
                topic = self._topics[length].name
                tail = await self._tail.read(topic, wanted, lambda one: one == key)
                found[length] = _newest(record.value for record in tail.records)[-SHOWN[length] :]
        except Problem as problem:
            return Windows(problem=problem.reasons[0])
        return Windows(found)


def _newest(values: Iterable[bytes]) -> list[tuple[int, Aggregate]]:
    """The newest revision of each window, in order of their start; what is no window is left out."""
    found: dict[int, Aggregate] = {}
    for value in values:
        try:
            one = _aggregate(value)
            start = parse_instant(one.window_start)[0]
        except (msgspec.MsgspecError, ValueError):
            continue
        known = found.get(start)
        if known is None or known.revision <= one.revision:
            found[start] = one
    return sorted(found.items())


def window_plots(
    meter_id: str, read: Windows, usual: Usual | None = None, anomalies: Sequence[Anomaly] = ()
) -> dict[int, dict[str, Any]]:
    """The power of the windows of each length, by the size of the plot; none where no power is known. Those
    that are judged are plotted with what is usual, and with the anomalies that were found."""
    plots: dict[int, dict[str, Any]] = {}
    for length, windows in read.by_length.items():
        if any(one.power_kw_avg is not None for _, one in windows):
            known = usual if usual is not None and usual.length == length * SECOND else None
            found = () if known is None else anomalies
            plots[length] = {
                size: _plot(meter_id, length, windows, size=size, usual=known, anomalies=found)
                for size in SIZES
            }
    return plots


def _plot(
    meter_id: str,
    length: int,
    windows: Sequence[tuple[int, Aggregate]],
    *,
    size: str,
    usual: Usual | None,
    anomalies: Sequence[Anomaly],
) -> Markup:
    micros = length * SECOND
    end = windows[-1][0] + micros
    frame = Frame(
        title=f"Power of {meter_id} in windows of {duration(length)}",
        unit="kW",
        start=max(windows[0][0], end - SHOWN[length] * micros),
        end=end,
        spans=spans_of(anomalies),
        width=SIZES[size][0],
        height=_HEIGHT,
        size=size,
    )
    steps = [
        Step(
            at,
            one.power_kw_avg,
            one.power_kw_avg if one.power_kw_min is None else one.power_kw_min,
            one.power_kw_avg if one.power_kw_max is None else one.power_kw_max,
        )
        for at, one in windows
        if one.power_kw_avg is not None and at >= frame.start
    ]
    starts = range(frame.start, end, micros)
    known = [] if usual is None else [step for at in starts if (step := usual.step(at)) is not None]
    return stepped(frame, steps, micros, usual=known)
