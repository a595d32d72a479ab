"""Keyed sums over validated readings, each counted once however often it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gridwatch.domain.origins import Origins

#: A meter's sum is emitted at every reading of it that is a multiple of this.
EVERY = 10
#: About the bytes of a stored sum.
_WEIGHT = 40


class Reading(NamedTuple):
    """A validated reading as far as it counts here."""

    meter_id: str
    micro_kwh: int
    origin: tuple[int, int, int]
    """Partition, offset and index of the raw reading."""


class Record(NamedTuple):
    """A record of the source; `reading` is None where it is none, and `problem` says why."""

    offset: int
    timestamp: int
    reading: Reading | None
    problem: str = ""
    value: bytes = b""


class Sum(NamedTuple):
    """The state of a meter."""

    readings: int
    micro_kwh: int


class Reached(NamedTuple):
    """An output: a meter has come to so many readings."""

    meter_id: str
    readings: int
    micro_kwh: int


class Refused(NamedTuple):
    """An output: a record that is no validated reading."""

    record: Record


@dataclass
class Outcome:
    """What came of some records."""

    outputs: list[Reached | Refused] = field(default_factory=list)
    changed: dict[str, Sum | None] = field(default_factory=dict)
    complete: bool = True


@dataclass
class Partition:
    """The state of one partition as a whole."""

    partition: int
    next_offset: int = 0
    record_time: int | None = None
    row_count: int = 0
    origins: Origins = field(default_factory=Origins)

    def skip_to(self, offset: int) -> None:
        """All records before an offset are worked."""
        self.next_offset = max(self.next_offset, offset)


class Sums(Protocol):
    """The committed sums."""

    def get(self, name: str, /) -> Sum | None: ...


class Processor:
    """The rules of one partition."""

    def __init__(self, partition: Partition, sums: Sums) -> None:
        self.partition = partition
        self._sums = sums

    def seal(self, onto: Outcome) -> None:
        """A sum has no parts."""

    def process(self, records: Sequence[Record], *, budget: int, onto: Outcome) -> Outcome:
        """Add up what is new."""
        part, changed = self.partition, onto.changed
        onto.complete = True
        for record in records:
            if record.offset < part.next_offset:
                continue
            if budget and len(changed) * _WEIGHT >= budget:
                onto.complete = False
                break
            part.next_offset, part.record_time = record.offset + 1, record.timestamp * 1000
            reading = record.reading
            if reading is None:
                onto.outputs.append(Refused(record))
            elif part.origins.advance(*reading.origin):
                before = changed.get(reading.meter_id) or self._sums.get(reading.meter_id)
                if before is None:
                    part.row_count += 1
                    before = Sum(0, 0)
                now = Sum(before.readings + 1, before.micro_kwh + reading.micro_kwh)
                changed[reading.meter_id] = now
                if not now.readings % EVERY:
                    onto.outputs.append(Reached(reading.meter_id, *now))
        return onto
