"""Green Button, download my data (ESPI): Atom XML of one or more usage points.

A reading has a start (seconds since 1970, UTC), a duration and a value; its reading type says what a value
is: unit 72 is Wh, 38 is W, each times a power of ten; direction 1 is taken from the grid, 19 fed in. Costs,
other units, running totals and sums of months are left out. A reading without a time follows on the one
before it in its block. Quality codes of a reading become flags (`ESPI_8`: estimated).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from gridwatch.errors import GridwatchError
from replay.cells import Intake, Numbers, Scale, code, tail
from replay.espi import Entry, IntervalReading, entries, readings
from replay.files import plain
from replay.layout import Layout, Start
from replay.profile import Profile, Series
from replay.rows import BLOCK_ROWS, BadCell, Job, Row

_ACCEPTED = ("start", "duration", "value")
_UNITS = {"72": "Wh", "38": "W"}
_DELTA = ("", "0", "4")
_REVERSE = "19"
_NAMES = re.compile(r"(?:RetailCustomer|Subscription)/([^/]+)(?:.*?)/UsagePoint/([^/]+)")
_EARLIEST, _LATEST = 0, 253_370_764_800
#: Days on which the clocks change are an hour shorter or longer, and days all the same.
_SHORT_DAY, _DAY, _LONG_DAY = 82_800, 86_400, 90_000


@dataclass(frozen=True)
class _Stream:
    """What the readings of a meter reading are; `unit` empty for what is no energy."""

    meter: str
    unit: str
    power_of_ten: int
    generation: bool
    interval: int


def _read(job: Job) -> Iterator[list[Row]]:
    streams = _Streams(entries(job.source), job)
    intake = Intake(job)
    number = Numbers((".",), " ").read
    rows: list[Row] = []
    for some in readings(job.source, job.tally.on_bytes):
        for block, reading in some:
            stream = streams.of(block, reading)
            if not stream.unit or not Series(generation=stream.generation).wanted(job.selection.flow):
                job.tally.other_series += 1
                continue
            try:
                start = _seconds(_with_time(reading, stream.interval), "start", _EARLIEST, _LATEST)
                duration = _seconds(reading, "duration", 1, _LONG_DAY, stream.interval)
                value = number("value", reading.values.get("value", ""))
                if duration % 60:
                    raise BadCell("duration", str(duration), "not a whole number of minutes")
            except BadCell as problem:
                job.reject(problem, reading.line, str(reading.values))
                continue
            scale = Scale(
                job.profile.kwh_per_unit(duration // 60, stream.unit) * Fraction(10) ** stream.power_of_ten
            )
            interval = (_DAY if _SHORT_DAY <= duration <= _LONG_DAY else duration) // 60
            last = tail(interval, [code("ESPI", quality) for quality in reading.qualities])
            intake.take(rows, stream.meter, start * 1_000_000, scale(value), last)
        if len(rows) >= BLOCK_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


class _Streams:
    """Finds what a block of readings belongs to, by the addresses of the entries."""

    def __init__(self, found: list[Entry], job: Job) -> None:
        self._source = job.source
        self._types = [entry for entry in found if entry.kind == "ReadingType"]
        self._meters = [entry for entry in found if entry.kind == "MeterReading"]
        self._types_at = {entry.own: entry for entry in self._types if entry.own}
        self._meters_at = {entry.own: entry for entry in self._meters if entry.own}
        self._blocks_of = {address: entry for entry in self._meters for address in entry.related}
        self._known: dict[tuple[str, str], _Stream] = {}
        names = [self._name(entry) for entry in self._meters if self._unit(self._type(entry))]
        self._many = {name for name, count in Counter(names).items() if count > 1}

    def of(self, block: Entry, reading: IntervalReading) -> _Stream:
        """The stream of a block. GridwatchError when the file does not say what its values are."""
        key = (block.up, block.own)
        stream = self._known.get(key)
        if stream is None:
            if len(self._known) > 10_000:
                self._known.clear()
            stream = self._known[key] = self._find(block, reading)
        return stream

    def _find(self, block: Entry, reading: IntervalReading) -> _Stream:
        meter = self._meter_of(block)
        if meter is None and len(self._meters) == 1:
            meter = self._meters[0]
        kind = self._type(meter) if meter else self._types[0] if len(self._types) == 1 else None
        if kind is None:
            raise GridwatchError(
                f"{self._source}, line {reading.line}: no ReadingType belongs to this IntervalBlock, "
                "so the unit of its values is unknown",
                "fetch the file again, with all its entries",
            )
        values = kind.values
        generation = values.get("flowDirection") == _REVERSE
        name = self._name(meter) if meter else self._source.stem
        if meter and self._name(meter) in self._many:
            name += "-" + meter.own.rsplit("/", 1)[-1]
        power = values.get("powerOfTenMultiplier") or "0"
        length = values.get("intervalLength") or "0"
        if not re.fullmatch(r"-?\d{1,2}", power) or not length.isdigit():
            raise GridwatchError(
                f"{self._source}: powerOfTenMultiplier {power!r}, intervalLength {length!r}: no numbers"
            )
        return _Stream(name, self._unit(kind), int(power), generation, int(length))

    def _unit(self, kind: Entry | None) -> str:
        """The unit of a type of readings; empty for what is no energy of an interval."""
        if kind is None or kind.values.get("accumulationBehaviour", "") not in _DELTA:
            return ""
        length = kind.values.get("intervalLength", "")
        if length.isdigit() and int(length) > _LONG_DAY:
            return ""
        return _UNITS.get(kind.values.get("uom", ""), "")

    def _type(self, meter: Entry) -> Entry | None:
        linked = (self._types_at[address] for address in meter.related if address in self._types_at)
        return next(linked, self._types[0] if len(self._types) == 1 else None)

    def _meter_of(self, block: Entry) -> Entry | None:
        """The meter reading below whose address a block lies, or that refers to it."""
        for address in (block.own, block.up):
            above = address
            while above:
                if above in self._meters_at:
                    return self._meters_at[above]
                above = above.rpartition("/")[0]
        return self._blocks_of.get(block.up)

    def _name(self, meter: Entry) -> str:
        found = _NAMES.search(meter.own or meter.up)
        kind = self._type(meter)
        reverse = kind is not None and kind.values.get("flowDirection") == _REVERSE
        return ("-".join(found.groups()) if found else self._source.stem) + ("-export" if reverse else "")


def _with_time(reading: IntervalReading, interval: int) -> IntervalReading:
    """The reading, with its place in its block as its time where it has none; `interval` in seconds."""
    first = reading.block_start
    if "start" not in reading.values and interval and first.isascii() and first.isdigit():
        reading.values["start"] = str(int(first) + reading.before * interval)
    return reading


def _seconds(reading: IntervalReading, name: str, least: int, most: int, instead: int = 0) -> int:
    text = reading.values.get(name, "")
    if not text and instead:
        return instead
    if not re.fullmatch(r"-?\d{1,12}", text) or not least <= int(text) < most + 1:
        raise BadCell(name, text, f"not whole seconds from {least} to {most}" if text else "missing")
    return int(text)


def _inspect(start: Start, profile: Profile) -> Layout:
    if not _recognise(start):
        raise GridwatchError(
            f"{start.source}, line 1: not a Green Button file: no Atom feed with http://naesb.org/espi; "
            f"found: {start.lines[0][:80]!r}",
            "choose another --profile (--profile auto finds out)",
        )
    return plain(start, " ", _ACCEPTED)


def _recognise(start: Start) -> str:
    text = start.text.lstrip()
    feed = text.startswith("<") and ("naesb.org/espi" in text or "<!DOCTYPE" in text or "<feed" in text)
    return "XML with http://naesb.org/espi" if feed else ""


def _no_lines(job: Job) -> None:
    raise GridwatchError(f"{job.layout.file}: Green Button files have no lines of cells")


GREEN_BUTTON = Profile(
    name="green-button",
    meaning="Green Button (ESPI): Atom XML with interval blocks in Wh or W",
    columns={},
    parser=_no_lines,
    unit="Wh",
    zone="UTC",
    zone_known=True,
    anchor="start",
    order="meter",
    inspect=_inspect,
    reader=_read,
    recognise=_recognise,
)
