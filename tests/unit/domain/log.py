"""A raw partition in memory: what the tests of the rules write logs with and read the answers from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.meter.archive import COLD, Archive
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import DeadLetter, GapAlert, LateEvent, Metric, Output, Validated
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.workbench import horizon_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord, OpenedReading, RawReading
from gridwatch.tables.readings import METERS, due_times

DAY = "2024-01-01T"
LATER = parse_instant("2030-01-01T00:00:00Z")[0]
"""Timestamp of records whose readings are never from the future."""


def at(clock: str) -> int:
    """The instant of a time of day, or of a whole stamp without offset."""
    return parse_instant(clock if "T" in clock else DAY + clock)[0]


def stamp(clock: str) -> str:
    """A time of day as an instant on the wire."""
    return format_instant(at(clock))


def reading(meter: str, clock: str, kwh: Any = 1.0, **more: Any) -> dict[str, Any]:
    return {"meter_id": meter, "timestamp": format_instant(at(clock)), "consumption_kwh": kwh, **more}


def decode(value: bytes) -> RawReading | list[RawReading]:
    """A fast decoder as the domain expects one: strict about types, silent about values."""

    def one(fields: Any) -> RawReading:
        if not isinstance(fields, dict):
            raise TypeError("not an object")
        if fields.get("interval") is not None:
            raise TypeError("interval")
        known = {
            name: fields[name] for name in OpenedReading.__dataclass_fields__ if fields.get(name) is not None
        }
        for name, wanted in known.items():
            text = name in {"meter_id", "timestamp", "region", "sent_at"}
            if name == "flags":
                if not isinstance(wanted, list) or not all(isinstance(code, str) for code in wanted):
                    raise TypeError(name)
            elif type(wanted) not in ((str,) if text else (int, float)):
                raise TypeError(name)
            elif not text:
                known[name] = float(wanted)
                if not abs(known[name]) < float("inf"):
                    raise ValueError(name)
        return OpenedReading(**known)

    content = json.loads(value)
    return [one(each) for each in content] if isinstance(content, list) else one(content)


@dataclass
class Log:
    """One partition, its states, and everything that came out of it so far."""

    policy: Policy = field(default_factory=lambda: Policy(partitions=1))
    decode: Callable[[bytes], Any] | None = decode
    outputs: list[Output] = field(default_factory=list)
    #: Kept registers and the registry too.
    meters: dict[str, Any] = field(default_factory=dict)
    partition: PartitionState = field(default_factory=lambda: PartitionState(0))
    next_offset: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new processor from what is stored, and from nothing else."""
        self.partition, _ = METERS.decode_partition(METERS.encode_partition(self.partition, 1))
        assert self.partition.row_count == sum(METERS.is_counted(name.encode()) for name in self.meters)
        rows = {name: METERS.encode(name, state) for name, state in self.meters.items()}
        self.meters = {name: METERS.decode(name, row) for name, row in rows.items()}
        due = due_times([(name.encode(), row) for name, row in rows.items()])
        self.processor = Processor(self.policy, self.partition, self.meters, due=due, decode=self.decode)

    def read(self, *readings: dict[str, Any] | list[Any], record_time: int = LATER) -> list[Output]:
        """Append records of one reading, or of an array of such, and work them."""
        return self.work(
            LogRecord(self.next_free_offset(), record_time, json.dumps(value).encode()) for value in readings
        )

    def raw(self, value: bytes | None, record_time: int = LATER) -> list[Output]:
        return self.work([LogRecord(self.next_free_offset(), record_time, value)])

    def tick(self, clock: str, record_time: int = LATER) -> list[Output]:
        return self.work(
            [LogRecord(self.next_free_offset(), record_time, format_instant(at(clock)).encode(), tick=True)]
        )

    def say(
        self, kind: str, *, record_time: int = LATER, written_as: bytes = b"1", **fields: Any
    ) -> list[Output]:
        """Append a control record, in a version of the format."""
        value = json.dumps(fields).encode()
        return self.work(
            [LogRecord(self.next_free_offset(), record_time, value, control=kind, version=written_as)]
        )

    def register(self, meter: str, status: str = "active", version: int = 1, **more: Any) -> list[Output]:
        """Append a registry record, said at the beginning of the day unless it says when."""
        more.setdefault("as_of", stamp("00:00:00"))
        return self.say("registry", meter_id=meter, status=status, version=version, **more)

    def work(self, records: Iterable[LogRecord], budget: int = 0) -> list[Output]:
        """Work ``records`` until they are complete. What came out."""
        batch, came = list(records), []
        self.next_offset = max(self.next_offset, *(record.offset + 1 for record in batch), 0)
        while True:
            outcome = self.processor.process(batch, budget=budget)
            self.processor.seal(outcome)
            for meter, state in outcome.changed.items():
                if state is None:
                    self.meters.pop(meter, None)
                else:
                    self.meters[meter] = state
            came += outcome.outputs
            if outcome.complete:
                break
        self.outputs += came
        return came

    def rows(self) -> dict[str, Any]:
        """The stored states as plain values, each meter with all that it remembers: how that is parted into
        blocks depends on where commits were cut."""
        horizon = horizon_of(self.partition, self.policy)
        plain = {}
        for name, state in self.meters.items():
            copy = METERS.decode(name, METERS.encode(name, state))
            if isinstance(copy, MeterState):
                Archive(name, copy, self.meters.get, {}, horizon).join()
            if not name.startswith(COLD):
                plain[name] = METERS.encode(name, copy)
        return plain

    def next_free_offset(self) -> int:
        self.next_offset += 1
        return self.next_offset - 1

    def of(self, kind: type[Any]) -> list[Any]:
        return [output for output in self.outputs if isinstance(output, kind)]

    @property
    def gaps(self) -> dict[str, GapAlert]:
        """The last revision of each gap."""
        return {alert.gap_id: alert for alert in self.of(GapAlert)}

    @property
    def metrics(self) -> dict[tuple[str, str], int | float]:
        """The last revision of each metric, by name and start of the window."""
        return {(m.metric, format_instant(m.window_start)): m.value for m in self.of(Metric)}


def alerts(outputs: Iterable[Output]) -> list[tuple[str, int, str]]:
    """Gap, revision and state of the alerts among ``outputs``."""
    return [(o.gap_id, o.revision, o.state) for o in outputs if isinstance(o, GapAlert)]


def statuses(outputs: Iterable[Output]) -> list[tuple[str, tuple[str, ...]]]:
    """Status and flags of the readings among ``outputs``."""
    return [
        ("TOO_LATE" if isinstance(o, LateEvent) else o.status, o.flags)
        for o in outputs
        if isinstance(o, (Validated, LateEvent))
    ]


def reasons(outputs: Iterable[Output]) -> list[tuple[str, ...]]:
    return [o.reasons for o in outputs if isinstance(o, DeadLetter)]


def ranges(alert: GapAlert) -> list[tuple[str, str]]:
    return [(format_instant(a)[11:16], format_instant(b)[11:16]) for a, b in alert.missing_ranges]
