"""Realistic meter data as the lines of a CSV file, the same for the same options on any day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import DAY, MINUTE, SECOND
from replay.sample.households import Households, Slot

HEADER = "meter_id,timestamp,consumption_kwh\n"
#: Slots that are worked out at once, and how many such chunks are remembered from meter to meter.
_SLOTS_A_CHUNK, _CHUNKS_REMEMBERED = 4_096, 64


@dataclass(frozen=True)
class Form:
    """How a line is written: `meter` takes the number of a meter, `line` meter, stamp and kWh."""

    header: str
    meter: str
    stamp: Callable[[int], str]
    line: str


def _london_stamp(time: int) -> str:
    return format_instant(time).replace("T", " ").replace("Z", ".0000000")


#: By the name of the profile that reads it.
FORMS = {
    "spec": Form(HEADER, "METER_{:04d}", format_instant, "{},{},{:.3f}\n"),
    "london": Form(
        "LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r\n",
        "MAC{:06d}",
        _london_stamp,
        "{},Std,{}, {:.3f} \r\n",
    ),
}


def lines(  # noqa: PLR0917 - the options of the command, in their order
    meters: int,
    days: int,
    interval: float,
    seed: int,
    start: int,
    by_time: bool,
    form: Form = FORMS["spec"],
) -> Iterator[str]:
    """The CSV in pieces of many lines; `interval` in minutes (10 s: a sixth), `start` in µs."""
    households = Households(meters, interval, seed)
    names = [form.meter.format(number) for number in range(1, meters + 1)]
    step = round(60 * interval) * SECOND
    times = range(start, start + days * DAY, step)
    # What is used within seconds would be nothing in whole Wh.
    line = (form.line if step >= MINUTE else form.line.replace(".3f", ".6f")).format
    yield form.header
    if by_time:
        for time in times:
            stamp = form.stamp(time)
            values = households.at(time, range(meters))
            yield "".join([line(name, stamp, value) for name, value in zip(names, values, strict=True)])
        return
    chunks = [times[first : first + _SLOTS_A_CHUNK] for first in range(0, len(times), _SLOTS_A_CHUNK)]
    known: dict[int, tuple[list[str], list[Slot]]] = {}
    for meter, name in enumerate(names):
        for chunk in chunks:
            if chunk.start not in known:
                if len(known) >= _CHUNKS_REMEMBERED:
                    known.clear()
                known[chunk.start] = (
                    [form.stamp(time) for time in chunk],
                    [households.slot(time) for time in chunk],
                )
            stamps, slots = known[chunk.start]
            values = households.of(meter, slots)
            yield "".join([line(name, stamp, value) for stamp, value in zip(stamps, values, strict=True)])
