"""Which series of a Green Button file a block of readings belongs to, and what its meter is called.

A series is that of a customer, a usage point, a reading type and a direction; each has an id of its own. The
id is made of the customer and the usage point in the address of its meter reading, or of the usage point that
refers to it; of the name of the file where an address does not say them. Directions other than from the grid
have a suffix, several meter readings of one usage point and direction the end of their address.

Of a usage point and direction that has both, energy (Wh) is taken and power (W) is left out: it is the same
energy once more. Likewise of hours and days the finer series is taken, where their times overlap. Costs,
other units, running totals, extremes and sums of months are no energy of an interval.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from gridwatch.errors import GridwatchError
from replay.files.formats.espi import Contents, Entry, IntervalReading
from replay.files.formats.espi_spans import Span, spans_of
from replay.files.sources import Source

#: The longest interval of a reading: a day on which the clocks went back, in seconds.
LONG_DAY = 90_000
_UNITS = {"72": "Wh", "38": "W"}
_DELTA = ("", "0", "4")
#: Qualifiers of what is the highest or the lowest value of an interval, not its mean.
_EXTREMES = ("8", "9", "11", "17")
_REVERSE = "19"
_SUFFIXES = {"": "", "0": "", "1": "", "19": "-export", "4": "-net", "20": "-total"}
#: What parts the energy of a usage point: series that differ in these do not count the same.
_PARTS = ("commodity", "phase", "tou", "cpp", "consumptionTier")
_POINT = re.compile(r"(?:(.*)/)?UsagePoint/([^/]+)")
_CUSTOMER = re.compile(r"(?:RetailCustomer|Subscription)/([^/]+)")
#: Parts of an address above a usage point that name no customer.
_NO_CUSTOMER = re.compile(r"|resource|espi|api|Batch|DataCustodian|v?\d+[._]\d+|.*:|.*\..*", re.IGNORECASE)
_KNOWN_BLOCKS = 10_000


@dataclass(frozen=True)
class Stream:
    """What the readings of a series are; `unit` empty for what is no energy, or not once more."""

    meter: str
    unit: str
    power_of_ten: int
    generation: bool
    #: Seconds, where a reading does not say; 0 when that is not known.
    interval: int
    #: Equal for series that count the same energy, whatever their intervals; of whatever file.
    counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Point:
    """A usage point in a direction."""

    customer: str
    point: str
    direction: str


class SeriesOfFile:
    """Finds the series of blocks by the addresses of the entries; `remarks` says what is odd, how often."""

    def __init__(self, found: Contents, source: Source) -> None:
        self._source = source
        self._types = found.of_kind("ReadingType")
        self._meters = found.of_kind("MeterReading")
        self._usage_points = found.of_kind("UsagePoint")
        if not self._meters:
            # Blocks without a meter reading: what lies above them is the series.
            self._meters = [Entry("MeterReading", own=address) for address in found.blocks]
        self._types_at = {entry.own: entry for entry in self._types if entry.own}
        self._meters_at = {entry.own: entry for entry in self._meters if entry.own}
        self._meter_of_block = {address: entry for entry in self._meters for address in entry.related}
        self._points = {id(entry): self._point_of(entry) for entry in self._meters}
        self._known: dict[tuple[str, str], Stream] = {}
        self.remarks: Counter[str] = Counter()
        self._taken = self._finest(self._energy_once())
        self._names = self._distinct_names()

    def of(self, block: Entry, reading: IntervalReading) -> Stream:
        """The stream of a block. GridwatchError when the file does not say what its values are."""
        key = (block.up, block.own)
        stream = self._known.get(key)
        if stream is None:
            if len(self._known) > _KNOWN_BLOCKS:
                self._known.clear()
            stream = self._known[key] = self._find(block, reading)
        return stream

    def _find(self, block: Entry, reading: IntervalReading) -> Stream:
        meter = self._meter_of(block)
        kind = self._type(meter) if meter else None
        if meter is None or kind is None:
            what = "MeterReading" if meter is None else "ReadingType"
            raise GridwatchError(
                f"{self._source}, line {reading.line}: no {what} belongs to this IntervalBlock, so "
                f"{'its meter' if meter is None else 'the unit of its values'} is unknown",
                "fetch the file again, with all its entries",
            )
        values = kind.values
        power = values.get("powerOfTenMultiplier") or "0"
        length = values.get("intervalLength") or "0"
        if not re.fullmatch(r"-?\d{1,2}", power) or not length.isdigit():
            raise GridwatchError(
                f"{self._source}: powerOfTenMultiplier {power!r}, intervalLength {length!r}: no numbers"
            )
        unit = self._taken.get(id(meter), "")
        generation = values.get("flowDirection") == _REVERSE
        name = self._names.get(id(meter), "")
        return Stream(name, unit, int(power), generation, int(length), self._counted(meter, name))

    def _energy_once(self) -> dict[int, str]:
        """The meter readings that are taken, with their units."""
        units = {id(entry): unit for entry in self._meters if (unit := self._unit(self._type(entry)))}
        with_energy = {self._points[which] for which, unit in units.items() if unit == "Wh"}
        with_power = [which for which, unit in units.items() if unit == "W"]
        power = {which for which in with_power if self._points[which] in with_energy}
        if power:
            remark = f"{self._source}: power (W) beside the energy of a usage point: left out"
            self.remarks[remark] += len(power)
        return {which: unit for which, unit in units.items() if which not in power}

    def _finest(self, units: dict[int, str]) -> dict[int, str]:
        """The meter readings that are taken, without the coarser ones of what is there in finer intervals.

        The readings of the file are gone through only where a usage point has several series of a direction.
        """
        alike: dict[tuple[str, ...], list[int]] = {}
        for entry in self._meters:
            if id(entry) in units:
                alike.setdefault(self._what_is_counted(entry), []).append(id(entry))
        several = [group for group in alike.values() if len(group) > 1]
        spans = spans_of(self._source, self._meter_and_interval) if several else {}
        coarser: set[int] = set()
        for group in several:
            kept: list[Span] = []
            for which in sorted((one for one in group if one in spans), key=lambda one: spans[one].interval):
                span = spans[which]
                finer = next((one for one in kept if one.is_finer_than(span)), None)
                if finer is None:
                    kept.append(span)
                else:
                    coarser.add(which)
                    self.remarks[f"{self._source}: {span.beside(finer)}"] += 1
        return {which: unit for which, unit in units.items() if which not in coarser}

    def _what_is_counted(self, meter: Entry) -> tuple[str, ...]:
        """Equal for series that count the same energy: usage point, direction, phase and tariff."""
        point, kind = self._points[id(meter)], self._type(meter)
        values = kind.values if kind else {}
        return (point.customer, point.point, point.direction, *(values.get(one) or "0" for one in _PARTS))

    def _counted(self, meter: Entry, name: str) -> tuple[str, ...]:
        """What is counted, for files beside each other: those without a customer have the names of files."""
        counted = self._what_is_counted(meter)
        return counted if counted[0] else (name, *counted[2:])

    def _meter_and_interval(self, block: Entry) -> tuple[int, int] | None:
        """The meter reading of a block, and the seconds of a reading that does not say."""
        meter = self._meter_of(block)
        kind = self._type(meter) if meter else None
        length = kind.values.get("intervalLength", "") if kind else ""
        return None if meter is None else (id(meter), int(length) if length.isdecimal() else 0)

    def _distinct_names(self) -> dict[int, str]:
        taken = [entry for entry in self._meters if id(entry) in self._taken]
        unnamed = {self._points[id(entry)].point for entry in taken if not self._points[id(entry)].customer}
        names = {id(entry): self._name(self._points[id(entry)], len(unnamed) > 1) for entry in taken}
        for ending in (lambda entry, _: _last_part(entry.own), lambda _, at: str(at)):
            shared = {name for name, count in Counter(names.values()).items() if count > 1}
            for at, entry in enumerate(taken, 1):
                if names[id(entry)] in shared and (end := ending(entry, at)):
                    names[id(entry)] += f"-{end}"
        return names

    def _name(self, point: _Point, many: bool) -> str:
        if point.customer:
            name = f"{point.customer}-{point.point}"
        else:
            name = f"{self._source.stem}-{point.point}" if many and point.point else self._source.stem
        return name + _SUFFIXES.get(point.direction, f"-flow-{point.direction}")

    def _point_of(self, meter: Entry) -> _Point:
        """The usage point that a meter reading lies below, or that refers to it, or is the only one."""
        kind = self._type(meter)
        direction = kind.values.get("flowDirection", "") if kind else ""
        direction = "" if direction in ("0", "1") else direction
        referring = (
            point.own
            for point in self._usage_points
            if meter.own in point.related or (meter.up and meter.up in point.related)
        )
        only = self._usage_points[0].own if len(self._usage_points) == 1 else ""
        for address in (meter.own, meter.up, *referring, only):
            if found := _POINT.search(address):
                return _Point(_customer(found[1] or ""), found[2], direction)
        return _Point("", "", direction)

    def _unit(self, kind: Entry | None) -> str:
        """The unit of a type of readings; empty for what is no energy of an interval."""
        if kind is None or kind.values.get("accumulationBehaviour", "") not in _DELTA:
            return ""
        length = kind.values.get("intervalLength", "")
        if length.isdigit() and int(length) > LONG_DAY:
            return ""
        if kind.values.get("dataQualifier", "") in _EXTREMES:
            return ""
        return _UNITS.get(kind.values.get("uom", ""), "")

    def _type(self, meter: Entry) -> Entry | None:
        linked = (self._types_at[address] for address in meter.related if address in self._types_at)
        return next(linked, self._types[0] if len(self._types) == 1 else None)

    def _meter_of(self, block: Entry) -> Entry | None:
        """The meter reading below whose address a block lies, that refers to it, or is the only one."""
        for address in (block.own, block.up):
            above = address
            while above:
                if above in self._meters_at:
                    return self._meters_at[above]
                above = above.rpartition("/")[0]
        for address in (block.up, block.own, *block.related):
            if address and (found := self._meter_of_block.get(address) or self._meters_at.get(address)):
                return found
        return self._meters[0] if len(self._meters) == 1 else None


def _customer(above: str) -> str:
    """The customer in the part of an address above a usage point; empty where it has none."""
    if named := _CUSTOMER.search(above):
        return named[1]
    last = above.rpartition("/")[2]
    return "" if _NO_CUSTOMER.fullmatch(last) else last


def _last_part(address: str) -> str:
    parts = [part for part in address.split("/") if part not in ("IntervalBlock", "MeterReading")]
    return parts[-1] if parts else ""
