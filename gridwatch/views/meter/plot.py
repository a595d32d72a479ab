"""The plot on a meter's page: its last readings, which of them were late, its gaps, and the watermark.

Readings come from the log and from the state (`history.py`). Time that neither covers is shaded as unknown,
so that missing history is never mistaken for missing readings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.meter.gaps import OPEN, Gap
from gridwatch.domain.meter.grid import shift, steps
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import LATE, TOO_LATE
from gridwatch.models.anomaly import Anomaly
from gridwatch.plots.axes import DAY, HOUR, stamp
from gridwatch.plots.bands import Step
from gridwatch.plots.canvas import SIZES, Frame, Mark, Region
from gridwatch.plots.charts import Layer, layered
from gridwatch.views.anomalies.plots import spans_of
from gridwatch.views.meter.history import History
from gridwatch.views.meter.usual import Usual
from gridwatch.views.state import Record, energies_of

#: How many intervals are shown: at least, so that a meter with two readings still has a readable plot,
#: usually, and at most; and the shortest and longest time range that the usual number may cover.
_LEAST_INTERVALS, _USUAL_INTERVALS, _MOST_INTERVALS = 8, 48, 360
_SHORT, _LONG = 6 * HOUR, 2 * DAY
_TONES = {LATE: "late", TOO_LATE: "too-late"}


@dataclass(frozen=True)
class Picture:
    """The data of a meter's plot: instants in µs, readings in order of time."""

    start: int
    end: int
    readings: Sequence[Record]
    #: From this instant on the readings are complete.
    complete_from: int


@dataclass(frozen=True)
class Judged:
    """The slots of a meter are judged: what is usual in them, and the anomalies that were found.

    Args:
        lag: how long before its stamp the time begins that a reading covers, µs.
    """

    usual: Usual
    anomalies: Sequence[Anomaly]
    lag: int


def picture(meter: MeterState, history: History, grace: int, watermark: int | None) -> Picture:
    """Choose the time range, and merge the readings of state and log. `grace` in µs."""
    known = {one["timestamp"]: one for one in history.readings}
    remembered = energies_of(meter)
    for at, value in remembered:
        # The state alone does not say whether a reading was late.
        unknown: Record = {"status": None, "delay_seconds": None, "flags": []}
        known.setdefault(
            format_instant(at), {"timestamp": format_instant(at), "consumption_kwh": value, **unknown}
        )
    readings = sorted((parse_instant(one["timestamp"])[0], one) for one in known.values()) if known else []
    ends = [shift(meter.expected_next, 1, meter.interval, meter.calendar)] + [
        gap.missing_to(grace) for gap in meter.gaps
    ]
    usual = min(_LONG, max(_SHORT, _USUAL_INTERVALS * meter.interval), _MOST_INTERVALS * meter.interval)
    if watermark is not None:
        # After a settled run the watermark is far beyond the last reading of a meter of seconds.
        ends.append(min(watermark, max(ends) + usual // 4))
    end = max(ends) + meter.interval // 2
    starts = [at for at, _ in readings[:1]] + [gap.first for gap in meter.gaps] + [meter.last_seen]
    start = max(min(starts) - meter.interval, end - usual)
    if meter.open_gap is not None:
        start = min(start, meter.open_gap.first - 2 * meter.interval)
    start = min(start, end - _LEAST_INTERVALS * meter.interval)
    first_remembered = remembered[0][0] if remembered else meter.last_seen + meter.interval
    complete_from = (
        first_remembered if history.complete_from is None else min(first_remembered, history.complete_from)
    )
    return Picture(start, end, [one for at, one in readings if start <= at < end], complete_from)


def meter_plot(
    meter_id: str,
    meter: MeterState,
    shown: Picture,
    *,
    grace: int,
    watermark: int | None,
    size: str = "wide",
    judged: Judged | None = None,
) -> Markup:
    """The plot as SVG. `grace` in µs; `watermark` is the partition's, None before it has one; `judged` if
    the slots of the meter are judged, and not its windows."""
    marks = [Mark(meter.last_seen, "last seen"), Mark(meter.expected_next, "expected next")]
    if watermark is not None:
        marks.append(Mark(watermark, "watermark"))
    width, height = SIZES[size]
    frame = Frame(
        title=f"Last readings and gaps of {meter_id}",
        unit="kWh",
        start=shown.start,
        end=shown.end,
        regions=[*_unknown(shown, meter), *_regions(meter.gaps, grace)],
        marks=marks,
        spans=() if judged is None else spans_of(judged.anomalies, judged.lag),
        width=width,
        height=height,
        size=size,
    )
    layers = [
        Layer(
            name,
            [
                (parse_instant(one["timestamp"])[0], one["consumption_kwh"])
                for one in shown.readings
                if _TONES.get(one["status"] or "", "reading") == tone
            ],
            tone,
        )
        for name, tone in (("on time", "reading"), ("late", "late"), ("too late", "too-late"))
    ]
    length = meter.interval if meter.calendar is None else _length_in(meter.calendar)
    return layered(frame, layers, length, usual=() if judged is None else _usual(shown, meter, judged))


def _usual(shown: Picture, meter: MeterState, judged: Judged) -> list[Step]:
    """What is usual in each slot of the plot, as energy. A slot is drawn at the stamp of its reading, which
    comes at its end where readings cover the time up to their stamp."""
    interval, calendar = meter.interval, meter.calendar
    found: list[Step] = []
    last = steps(meter.expected_next, shown.end, interval, calendar)
    for number in range(last, last - _MOST_INTERVALS, -1):
        at = shift(meter.expected_next, number, interval, calendar)
        if at < shown.start:
            break
        start = shift(at, -1, interval, calendar) if judged.lag else at
        step = judged.usual.energy_step(start, shift(start, 1, interval, calendar) - start, at)
        if step is not None:
            found.append(step)
    return found[::-1]


def _length_in(calendar: Calendar) -> Callable[[int], int]:
    """How long the local day or month of a time is."""

    def length(time: int) -> int:
        slot = calendar.slot_of(time)
        return calendar.shift(slot, 1) - slot

    return length


def _unknown(shown: Picture, meter: MeterState) -> Iterator[Region]:
    """The time before the known readings that is in no gap."""
    label = "readings not kept here"
    start, end = shown.start, min(shown.complete_from, shown.end)
    for gap in meter.gaps:
        if gap.first >= end:
            break
        if gap.first > start:
            yield Region(start, gap.first, "unknown", label)
        start = max(start, gap.end)
    if start < end:
        yield Region(start, end, "unknown", label)


def _regions(gaps: tuple[Gap, ...], grace: int) -> Iterator[Region]:
    """The parts of each gap: slots still missing, and slots filled by late readings."""
    for gap in gaps:
        came = gap.first
        for begin, stop in (*gap.ranges(), (gap.end, gap.end)):
            if came < begin:
                yield Region(came, begin, "filled", f"{gap.state} gap: filled by late readings")
            came = stop
        for begin, stop in gap.ranges():
            until = max(stop, gap.missing_to(grace)) if stop == gap.end else stop
            kind = "open" if gap.state == OPEN else "missing"
            count = steps(begin, stop, gap.interval, gap.calendar)
            noun = "reading" if count == 1 else "readings"
            yield Region(begin, until, kind, f"{gap.state} gap: {count} {noun} missing from {stamp(begin)}")
