"""The plot on a meter's page: the readings that its state remembers, its gaps, and where it stands.

The state remembers the values of about the last hour of event time and the gaps of the last day; what lies
in between is shaded as not kept here, so that an empty stretch is never mistaken for one without readings.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from gridwatch.domain.gaps import OPEN, Gap
from gridwatch.domain.meter import MeterState
from gridwatch.views.plot import Frame, Mark, Region, bars, stamp
from gridwatch.views.state import recent

#: Intervals shown at least, so that a meter with two readings still has a readable plot.
_LEAST_INTERVALS = 8


def meter_plot(meter_id: str, meter: MeterState, grace: int, watermark: int | None) -> Markup:
    """The plot as SVG. `grace` in µs; `watermark` is the partition's, None before it has one."""
    readings = recent(meter)
    starts = [at for at, _ in readings[:1]] + [gap.first for gap in meter.gaps] + [meter.last_seen]
    ends = [meter.expected_next + meter.interval] + [gap.missing_to(grace) for gap in meter.gaps]
    if watermark is not None:
        ends.append(watermark)
    end = max(ends) + meter.interval // 2
    start = min(min(starts) - meter.interval, end - _LEAST_INTERVALS * meter.interval)
    marks = [Mark(meter.last_seen, "last seen"), Mark(meter.expected_next, "expected next")]
    if watermark is not None:
        marks.append(Mark(watermark, "watermark"))
    known_from = readings[0][0] if readings else meter.last_seen + meter.interval
    frame = Frame(
        title=f"Recent readings and gaps of {meter_id}",
        unit="kWh",
        start=start,
        end=end,
        regions=[*_unknown(start, known_from, meter.gaps), *_regions(meter.gaps, grace)],
        marks=marks,
    )
    return bars(frame, readings, meter.interval)


def _unknown(start: int, end: int, gaps: tuple[Gap, ...]) -> Iterator[Region]:
    """What lies before the readings that are remembered, and in no gap."""
    label = "values not kept here"
    for gap in gaps:
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
