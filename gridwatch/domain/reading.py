"""The inputs: records of the log, raw and checked readings, and the names of their flags.

A ``RawReading`` has the right types, but its values are not validated yet: a fast decoder may make its own
kind straight from JSON. ``validation`` makes a ``Reading`` of it, or rejects it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Final, NamedTuple, Protocol

from gridwatch.domain.calendar import Calendar

OK: Final = "OK"
"""Status of a validated reading that was on time."""
LATE: Final = "LATE"
"""Status of a validated reading behind the watermark, within the allowed lateness."""

# Flags are bits inside, names outside, always in this order.
OFF_GRID: Final = 1 << 0
REVISED: Final = 1 << 1
EXTRA: Final = 1 << 2
AHEAD: Final = 1 << 3
SLOT_FILLED: Final = 1 << 4
AMBIGUOUS_TIME: Final = 1 << 5
ZERO: Final = 1 << 6
INTERVAL_CHANGED: Final = 1 << 7
FIRST: Final = 1 << 8
REGISTER_DIP: Final = 1 << 9
ROLL_OVER: Final = 1 << 10
REGISTER_RESET: Final = 1 << 11
SUSPECT: Final = 1 << 12
GAP_ENERGY: Final = 1 << 13
ENERGY_POWER_MISMATCH: Final = 1 << 14

FLAG_NAMES: Final = (
    "OFF_GRID",  # near no slot of its meter
    "REVISED",  # another value for a stamp that had one
    "EXTRA",  # its slot had been filled by another stamp
    "AHEAD",  # too far ahead of the watermark to be believed from one meter alone
    "SLOT_FILLED",  # too late, and its slot was filled before it
    "AMBIGUOUS_TIME",  # its local time fits two instants; resolved by its meter's order of arrival
    "ZERO",  # consumption is zero
    "INTERVAL_CHANGED",  # it decided that the interval of its meter changed
    "FIRST",  # its meter was not known before
    "REGISTER_DIP",  # its register fell by very little: no energy
    "ROLL_OVER",  # its register went through its highest value
    "REGISTER_RESET",  # its register began again at zero
    "SUSPECT",  # its register changed by more than is possible: no energy
    "GAP_ENERGY",  # its energy is that of a gap too
    "ENERGY_POWER_MISMATCH",  # its energy, and its power times the interval, are far apart
)
STREAM_FLAGS: Final = frozenset(FLAG_NAMES[:9])
"""The flags about the stream, which only the worker can know. A source may give the others itself."""


@lru_cache(maxsize=512)
def flag_names(flags: int) -> tuple[str, ...]:
    """The names of the flags whose bits are set."""
    return tuple(name for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1)


MAX_REGION: Final = 256
"""Characters of a region that are stored with its meter."""

TICK: Final = "tick"
METER: Final = "registry"
REGION: Final = "region"
OUTAGE: Final = "outage"
"""Kinds of control records."""
CONTROL_VERSION: Final = b"1"
"""The version of the format of control records that is read."""


class LogRecord:
    """One record of a raw partition. ``timestamp`` is Kafka's, in microseconds."""

    __slots__ = ("control", "end", "offset", "replayed", "timestamp", "value", "version")

    def __init__(  # noqa: PLR0917 - made for every record
        self,
        offset: int,
        timestamp: int,
        value: bytes | None,
        tick: bool = False,
        replayed: bool = False,
        end: bytes | None = None,
        control: str | None = None,
        version: bytes = CONTROL_VERSION,
    ) -> None:
        self.offset = offset
        self.timestamp = timestamp
        self.value = value
        self.control = TICK if tick else control
        """The kind of a control record, None for readings. The value of a tick is an instant; what the others
        are is in ``registry.records``."""
        self.version = version
        """The version of the format of a control record."""
        self.replayed = replayed
        """The record was written by a replay: its owner sends no idle ticks after it."""
        self.end = end
        """Of a tick: the last event time of the run that it settles, as text."""


class RawReading(Protocol):
    """A decoded reading: types right, values not validated yet. Optional fields are None when absent.

    A decoder that makes these must reject numbers that are not finite and text that is not Unicode. The
    domain normalizes a consumption of -0.0. The consumer of an accepted reading may modify it.
    """

    meter_id: str
    timestamp: str
    consumption_kwh: float
    """Not a number if it has none: then its energy is that of its register, or of its power."""
    interval_minutes: float | None
    region: str | None
    voltage: float | None
    current: float | None
    power_kw: float | None
    power_factor: float | None
    frequency: float | None
    sent_at: str | None
    interval_seconds: float | None
    """Takes precedence over ``interval_minutes``."""
    energy_register_kwh: float | None
    """A cumulative register."""
    flags: list[str] | None
    """Quality codes of its source: passed on after our own flags."""


@dataclass
class OpenedReading:
    """A ``RawReading`` made by the slow path, not by a decoder."""

    meter_id: str
    timestamp: str
    consumption_kwh: float
    interval_minutes: float | None = None
    region: str | None = None
    voltage: float | None = None
    current: float | None = None
    power_kw: float | None = None
    power_factor: float | None = None
    frequency: float | None = None
    sent_at: str | None = None
    interval_seconds: float | None = None
    energy_register_kwh: float | None = None
    flags: list[str] | None = None


class Reading(NamedTuple):
    """A valid reading: everything that the rules need of it."""

    raw: RawReading
    time: int
    """Event time, microseconds."""
    interval: int | None
    """The interval it gives, microseconds."""
    ambiguous: bool
    """Its local time fitted two instants."""
    calendar: Calendar | None = None
    """Of the interval it gives."""


class HeldReading(NamedTuple):
    """A reading beyond the jump guard, held by its partition until the watermark reaches it."""

    meter_id: str
    time: int
    kwh: float
    interval: int | None
    region: str | None
    value: float
    """What it came with: its energy, register or power."""
    calendar: Calendar | None = None
    measures: bytes = b""
    """What else it measured (``meter.usage``)."""


def stored_region(region: str | None) -> str | None:
    """A region as it is stored in a state: truncated, since a reading may have one of a megabyte."""
    return None if region is None else intern(region[:MAX_REGION])


def all_flags(flags: int, reading: Reading) -> tuple[str, ...]:
    """The names of ``flags`` and of the flags of the reading itself, and the codes of its source."""
    raw = reading.raw
    own = (AMBIGUOUS_TIME if reading.ambiguous else 0) | (0 if raw.consumption_kwh else ZERO)
    names = flag_names(flags | own)
    return (*names, *(code for code in raw.flags if code not in names)) if raw.flags else names
