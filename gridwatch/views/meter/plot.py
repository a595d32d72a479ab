"""The plot on a meter's page: its last readings, which of them were late, its gaps, and where it stands.

Readings come from the log and from the state (`history.py`). What neither has kept is shaded as such, so that
an empty stretch is never mistaken for one without readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.meter.gaps import OPEN, Gap
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import LATE, TOO_LATE, readings_of
from gridwatch.plots.axes import DAY, HOUR, stamp
from gridwatch.plots.canvas import SIZES, Frame, Mark, Region
from gridwatch.plots.charts import Layer, layered
from gridwatch.views.meter.history import History
from gridwatch.views.state import Record

#: Intervals shown: at least so that a meter with two readings still has a readable plot, as a rule, and the
#: stretches of time that keep this within reason for every interval.
_LEAST_INTERVALS, _USUAL_INTERVALS = 8, 48
_SHORT, _LONG = 6 * HOUR, 2 * DAY
_TONES = {LATE: "late", TOO_LATE: "too-late"}


@dataclass(frozen=True)
class Picture:
    """What of a meter is plotted: instants in µs, readings in order of time."""

    start: int
    end: int
    readings: Sequence[Record]
    #: From here on every reading is there.
    whole_from: int


def picture(meter: MeterState, history: History, grace: int, watermark: int | None) -> Picture:
    """Choose the stretch of time, and put together the readings of state and log. `grace` in µs."""
    known = {one["timestamp"]: one for one in history.readings}
    remembered = readings_of(meter.recent)
    for at, value in remembered:
        # Of a reading that only the state still has, it is not known whether it was late.
        unknown: Record = {"status": None, "delay_seconds": None, "flags": []}
        known.setdefault(
            format_instant(at), {"timestamp": format_instant(at), "consumption_kwh": value, **unknown}
        )
    readings = sorted((parse_instant(one["timestamp"])[0], one) for one in known.values()) if known else []
    ends = [meter.expected_next + meter.interval] + [gap.missing_to(grace) for gap in meter.gaps]
    if watermark is not None:
        ends.append(watermark)
    end = max(ends) + meter.interval // 2
    usual = min(_LONG, max(_SHORT, _USUAL_INTERVALS * meter.interval))
    starts = [at for at, _ in readings[:1]] + [gap.first for gap in meter.gaps] + [meter.last_seen]
    start = max(min(starts) - meter.interval, end - usual)
    if meter.open_gap is not None:
        start = min(start, meter.open_gap.first - 2 * meter.interval)
    start = min(start, end - _LEAST_INTERVALS * meter.interval)
    first_remembered = remembered[0][0] if remembered else meter.last_seen + meter.interval
    whole_from = first_remembered if history.whole_from is None else min(first_remembered, history.whole_from)
    return Picture(start, end, [one for at, one in readings if start <= at < end], whole_from)


def meter_plot(
    meter_id: str,
    meter: MeterState,
    shown: Picture,
    *,
    grace: int,
    watermark: int | None,
    size: str = "wide",
) -> Markup:
    """The plot as SVG. `grace` in µs; `watermark` is the partition's, None before it has one."""
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
    return layered(frame, layers, meter.interval)


def _unknown(shown: Picture, meter: MeterState) -> Iterator[Region]:
    """What lies before the readings that are known, and in no gap."""
    label = "readings not kept here"
    start, end = shown.start, min(shown.whole_from, shown.end)
    for gap in meter.gaps:
        if gap.first >= end:
            break
        if gap.first > start:
            yield Region(start, gap.first, "unknown", label)
        start = max(start, gap.end)
    if start < end:
        yield Region(start, end, "unknown", label)


def _regions(gaps: tuple[Gap, ...], grace: int) -> Iterator[Region]:
    """Each gap: what is missing still, and between that what came after all."""
    for gap in gaps:
        came = gap.first
        for begin, stop in (*gap.ranges(), (gap.end, gap.end)):
            if came < begin:
                yield Region(came, begin, "filled", f"{gap.state} gap: readings that came after all")
            came = stop
        for begin, stop in gap.ranges():
            until = max(stop, gap.missing_to(grace)) if stop == gap.end else stop
            kind = "open" if gap.state == OPEN else "missing"
            count = (stop - begin) // gap.interval
            noun = "reading" if count == 1 else "readings"
            yield Region(begin, until, kind, f"{gap.state} gap: {count} {noun} missing from {stamp(begin)}")
