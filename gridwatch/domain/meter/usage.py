"""What windows of consumption and regions need to know of a meter: where it counts, and what its readings
measure beside their energy.

Measures are remembered ascending by stamp, 32 bytes each: the stamp as in ``timeliness``, power mW, voltage
mV, current mA, power factor in millionths, frequency mHz, big-endian, rounded half up. A reading that has
none of them has no entry. A value that no meter can have (beyond a million MW, two million volts, amperes or
hertz, or a power factor of 2000) does not count.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import floor
from typing import Final, NamedTuple, TypeAlias

from gridwatch.domain.meter.timeliness import key_of
from gridwatch.domain.policy import NEVER
from gridwatch.domain.reading import RawReading

Measures: TypeAlias = bytes
"""Remembered measures."""
Values: TypeAlias = tuple[int, int, int, int, int]
"""Power mW, voltage mV, current mA, power factor in millionths, frequency mHz; ``NO_POWER``, ``NO_VALUE`` for
none."""

_VALUES: Final = struct.Struct(">qiiii")
_ENTRY: Final = struct.Struct(">8sqiiii")
_STAMP_BYTES: Final = 8
_BYTES: Final = _ENTRY.size
NO_POWER: Final = -(1 << 62)
NO_VALUE: Final = -(1 << 31)
_MOST_POWER: Final = 1e9
_MOST: Final = 2e6
_MOST_FACTOR: Final = 2e3
_MILLI: Final = 1_000
_MICRO: Final = 1_000_000


def values_of(raw: RawReading) -> Values | None:
    """What a reading measured beside its energy; None if nothing."""
    power, voltage, current, factor = raw.power_kw, raw.voltage, raw.current, raw.power_factor
    frequency = raw.frequency
    if power is None and voltage is None and current is None and factor is None and frequency is None:
        return None
    return (
        floor(power * _MICRO + 0.5)
        if power is not None and -_MOST_POWER <= power <= _MOST_POWER
        else NO_POWER,
        floor(voltage * _MILLI + 0.5) if voltage is not None and -_MOST <= voltage <= _MOST else NO_VALUE,
        floor(current * _MILLI + 0.5) if current is not None and -_MOST <= current <= _MOST else NO_VALUE,
        floor(factor * _MICRO + 0.5)
        if factor is not None and -_MOST_FACTOR <= factor <= _MOST_FACTOR
        else NO_VALUE,
        floor(frequency * _MILLI + 0.5)
        if frequency is not None and -_MOST <= frequency <= _MOST
        else NO_VALUE,
    )


def packed_values(values: Values | None) -> bytes:
    """Values as they are remembered; empty if there are none."""
    return b"" if values is None else _VALUES.pack(*values)


def unpacked_values(packed: bytes) -> Values | None:
    """The values in ``packed_values``."""
    return _VALUES.unpack(packed) if packed else None


def measures_of(raw: RawReading) -> bytes:
    """The values of a reading as they are remembered; empty if it has none."""
    return packed_values(values_of(raw))


def with_frequency(measures: bytes) -> Measures:
    """Measures that were remembered without a frequency."""
    none = NO_VALUE.to_bytes(4, "big", signed=True)
    before = _BYTES - len(none)
    return b"".join(measures[at : at + before] + none for at in range(0, len(measures), before))


def with_measures(measures: Measures, time: int, values: bytes, horizon: bytes) -> Measures:
    """``measures`` with ``values`` (``measures_of``; empty: none) for ``time``, and without those before
    ``horizon``."""
    measures = parted_measures(measures, horizon)[1]
    key = key_of(time)
    at = len(measures)
    while at and measures[at - _BYTES : at] >= key:
        at -= _BYTES
    rest = measures[at + _BYTES :] if measures.startswith(key, at) else measures[at:]
    return measures[:at] + key + values + rest if values else measures[:at] + rest


def parted_measures(measures: Measures, key: bytes) -> tuple[Measures, Measures]:
    """The measures before a stamp, given as its ``key_of``, and those from it on."""
    at, size = 0, len(measures)
    while at < size and measures[at : at + _STAMP_BYTES] < key:
        at += _BYTES
    return measures[:at], measures[at:]


def measures_within(measures: Measures, start: bytes, end: bytes) -> Measures:
    """The measures from one stamp on and before another one."""
    stop = len(measures)
    while stop and measures[stop - _BYTES : stop] >= end:
        stop -= _BYTES
    at = stop
    while at and measures[at - _BYTES : at] >= start:
        at -= _BYTES
    return measures[at:stop]


def values_by_key(measures: Measures) -> dict[bytes, Values]:
    """Remembered measures, by the ``key_of`` of the stamp."""
    entries: Iterator[tuple[bytes, int, int, int, int, int]] = _ENTRY.iter_unpack(measures)
    return {key: (power, *others) for key, power, *others in entries}  # type: ignore[misc]


class Place(NamedTuple):
    """Where a meter counts: its region, and what supplies it there."""

    region: str
    feeder: str | None
    transformer: str | None
    covered: bool
    """Whether it takes part in the sums; else it reports too rarely, and is only counted."""


class Usage:
    """What windows and regions know of one meter."""

    __slots__ = (
        "joined",
        "lag",
        "lag_since",
        "longest_until",
        "measures",
        "place",
        "reported",
        "reported_last",
        "shortest_until",
        "spans",
    )

    def __init__(self) -> None:
        self.measures: Measures = b""
        """What else its newest readings measured; of older ones it is in their blocks."""
        self.spans: tuple[tuple[int, int, int, int], ...] = ()
        """Energies over a gap: the stamp of the reading, the time [from, to) that it is of, micro-Wh."""
        self.place: Place | None = None
        """Where it counts since its last step."""
        self.joined = 0
        """The instant from which on it counts there."""
        self.reported_last = 0
        """The last quarter of an hour that a slot filled by it reaches into, as a count of them."""
        self.reported = 0
        """Which quarters there are: bit n stands for the one n before the last."""
        self.lag = 0
        """How long before its stamp the time begins that a reading covers (``lag_of``)."""
        self.lag_since = -NEVER
        """Windows that ended later were emitted by this lag."""
        self.shortest_until = self.longest_until = -NEVER
        """Ends of the shortest and the longest window that it was last noted to be in: not stored."""

    def add_values(self, time: int, values: Values, horizon: bytes) -> None:
        """Append what the newest reading measured; forget what is of stamps before ``horizon``."""
        known = self.measures
        while known and known < horizon:
            known = known[_BYTES:]
        self.measures = known + _ENTRY.pack(key_of(time), *values)

    def note_span(self, time: int, first: int, last: int, energy: int, horizon: int) -> None:
        """Remember that the energy of a reading of ``time`` is of [first, last); forget those that are of the
        time before ``horizon``."""
        kept = [span for span in self.spans if span[2] > horizon]
        self.spans = tuple(sorted([*kept, (time, first, last, energy)]))

    def report(self, quarter: int, oldest: int) -> bool:
        """Note that a filled slot reaches into a quarter, given by its number. Whether it is the first one
        there. Quarters before ``oldest`` need not be remembered."""
        ahead = quarter - self.reported_last
        if ahead <= 0:
            bit = 1 << -ahead
            fresh = not self.reported & bit
            self.reported |= bit
            return fresh
        kept = max(1, quarter - oldest + 1)
        self.reported = (self.reported << ahead | 1) & ((1 << kept) - 1) if ahead < kept else 1
        self.reported_last = quarter
        return True
