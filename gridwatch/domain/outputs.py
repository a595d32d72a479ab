"""The outputs: one class a topic, with ids derived only from the origin of the output.

Writing an output twice is therefore idempotent. These are domain objects with times in microseconds;
``codecs`` makes the wire shapes from them. They are named tuples, since one is made for every reading.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from gridwatch.domain.anomalies.anomaly import Anomaly
from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import instant_text
from gridwatch.domain.reading import RawReading


class Validated(NamedTuple):
    """A reading that was accepted."""

    reading: RawReading
    time: int
    interval: int
    """Interval of its meter after this reading."""
    status: str
    delay: int
    """Watermark before the reading minus its time; 0 when on time."""
    flags: tuple[str, ...]
    watermark: int
    """The watermark before the reading raised it; for the first reading of a partition, the one it set."""
    partition: int
    offset: int
    index: int  # type: ignore[assignment]  # the contract's name; tuple.index is never asked for here
    received: int
    """Timestamp of its record."""
    energy_from: int | None = None
    """Of an energy over a gap: the stamp that it counts from."""
    calendar: Calendar | None = None
    """Of the interval, if it is one of local days or months."""

    @property
    def id(self) -> str:
        return f"{self.partition}-{self.offset}-{self.index}"


class Accepted:
    """The collector of accepted readings: appends them to the other outputs. A subclass may encode them at
    once instead."""

    def __init__(self, outputs: list[Output]) -> None:
        self._outputs = outputs

    def emit(  # noqa: PLR0917 - the fields of ``Validated``, unpacked
        self,
        raw: RawReading,
        time: int,
        interval: int,
        status: str,
        delay: int,
        flags: tuple[str, ...],
        watermark: int,
        partition: int,
        offset: int,
        index: int,
        received: int,
        energy_from: int | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        """Emit one reading; the arguments are the fields of ``Validated``."""
        origin = (partition, offset, index, received)
        self._outputs.append(
            Validated(*(raw, time, interval, status, delay, flags, watermark), *origin, energy_from, calendar)
        )


class LateEvent(NamedTuple):
    """A reading too late to be processed."""

    reading: RawReading
    time: int
    delay: int
    flags: tuple[str, ...]
    watermark: int
    allowed_lateness: int
    partition: int
    offset: int
    index: int  # type: ignore[assignment]  # the contract's name; tuple.index is never asked for here

    @property
    def id(self) -> str:
        return f"{self.partition}-{self.offset}-{self.index}"


class GapAlert(NamedTuple):
    """One revision of a gap, with its state at the end of the step."""

    meter_id: str
    revision: int
    state: str
    missing_from: int
    missing_to: int
    missing_intervals: int
    missing_ranges: tuple[tuple[int, int], ...]
    """[from, to) of the slots still missing, in steps of the interval."""
    filled_intervals: int
    interval: int
    expected_at: int
    """When the first missing reading was expected."""
    detected_at: int
    """The watermark at which the first slot became missing."""
    last_seen: int
    grace: int
    reason: str
    region: str | None
    partition: int
    offset: int
    received: int
    """Timestamp of the record of this revision."""
    calendar: Calendar | None = None
    """Of the interval, if it is one of local days or months."""

    @property
    def gap_id(self) -> str:
        return f"{self.meter_id}@{instant_text(self.missing_from)}"

    @property
    def gap_time(self) -> int:
        """Duration of the slots still missing."""
        return sum(to - since for since, to in self.missing_ranges)


class Metric(NamedTuple):
    """One count of one event-time window."""

    metric: str
    value: int | float
    window_start: int
    window_end: int
    revision: int
    partition: int

    @property
    def id(self) -> str:
        return f"{self.metric}@{instant_text(self.window_start)}/{self.partition}"


class DeadLetter(NamedTuple):
    """A rejected record, or element of an array, with every reason found."""

    reasons: tuple[str, ...]
    message: str
    field: str | None
    """The field that the first reason is about."""
    raw: bytes
    """The record's value, or the text of the element; empty for a null value."""
    record_timestamp: int
    meter_id: str | None
    """The meter, if its id could be read."""
    partition: int
    offset: int
    index: int  # type: ignore[assignment]  # the contract's name; tuple.index is never asked for here

    def id(self, topic: str) -> str:
        return f"{topic}-{self.partition}-{self.offset}-{self.index}"


class Aggregate(NamedTuple):
    """One window of consumption of one meter, at one revision. Energy µWh, power mW, voltage mV, current mA,
    power factor in millionths; None where nothing is known."""

    meter_id: str
    start: int
    length: int
    revision: int
    region: str | None
    readings: int
    expected: int | None
    """None until the interval of the meter is known."""
    energy: int
    power: int | None
    lowest_power: int | None
    highest_power: int | None
    voltage: int | None
    current: int | None
    power_factor: int | None
    partition: int
    received: int
    """Timestamp of the record of this revision."""
    frequency: int | None = None
    """mHz; for anomalies only."""


class RegionWindow(NamedTuple):
    """The sums of one region and quarter of an hour in one source partition. Energy µWh, durations µs."""

    region: str
    start: int
    revision: int
    initial: bool
    """It was emitted when the watermark passed the end of the window."""
    final: bool
    """Nothing can change it any more."""
    flat: int
    """Energy of slots that cover the whole quarter."""
    minutes: tuple[int, ...]
    """Energy of the others, by minute."""
    received: int
    expected: int
    active: int
    uncovered: int
    reporting: int
    prorated: int


class RegionGroup(NamedTuple):
    """The meters of one transformer in one source partition, and which of them have an open gap."""

    region: str
    feeder: str | None
    transformer: str | None
    active: int
    open: int
    openings: tuple[tuple[int, int], ...]
    """Those by the minute in which their gap was detected."""
    meters: tuple[str, ...]
    """The first of them by id."""


class RegionLimit(NamedTuple):
    """What a region can carry from ``valid_from`` on."""

    region: str
    version: int
    capacity_kw: float
    valid_from: int | None


class Bundle(NamedTuple):
    """All that one source partition says to one target partition as its watermark crosses a minute."""

    flow: str
    partition: int
    target: int
    watermark: int
    windows: tuple[RegionWindow, ...]
    groups: tuple[RegionGroup, ...]
    limits: tuple[RegionLimit, ...]


Output: TypeAlias = Validated | LateEvent | GapAlert | Metric | DeadLetter | Aggregate | Bundle | Anomaly
