"""Where readings go: one class a mode, named once in MODES.

A mode is made of what it needs of a `Way` and says how many `partitions` meters are placed in; `connect`
gives the target that items are sent to. A further entrance takes a class, and its name here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError, UsageProblem
from gridwatch.settings import Settings
from gridwatch.simulator.entrance.address import Address
from gridwatch.simulator.entrance.batches import Http
from gridwatch.simulator.entrance.reply import Answers
from replay.files.rows import Row
from replay.order.emission import Control
from replay.run.delivery import Destination
from replay.sending.pacing import Pace
from replay.sending.placement import Placement, partitions_of
from replay.sending.position import Position, find_position, new_run
from replay.sending.sender import Sender


class Target(Destination, Protocol):
    """Takes the items of one run; a context manager."""

    def __enter__(self) -> Target: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def flush(self) -> None:
        """Return when everything is there."""

    def give_up(self) -> None:
        """After an interruption: what is under way gets a last chance."""


class Mode(Protocol):
    """A way to send; `run` and `resumed` are known once it is connected.

    answers: what is said of readings there; None where nothing is.
    """

    partitions: int
    run: str
    resumed: bool
    answers: Answers | None

    def connect(self, identity: str, *, resume: bool) -> Target:
        """Begin the run of this identity, or go on with the newest one."""


class Kafka:
    """To the raw topic itself, as a replay goes: whole meters in a partition, idempotent, to be resumed."""

    def __init__(self, settings: Settings, topic: str) -> None:
        """GridwatchError when there is no such topic, or no broker."""
        self._settings = settings
        self._topic = topic
        self.partitions = partitions_of(settings, topic)
        self.run = ""
        self.resumed = False
        self.answers: Answers | None = None

    def connect(self, identity: str, *, resume: bool) -> Target:
        """Begin, or go on where the topic ends."""
        found = find_position(self._settings, self._topic, self.partitions, identity) if resume else None
        self.resumed = found is not None
        position = found or Position(new_run(identity), (-1,) * self.partitions)
        self.run = position.run
        return Sender(self._settings, self._topic, position.run, Placement(self.partitions), position.rows)


@dataclass(frozen=True)
class Way:
    """What modes are made of. `address`: that of an entrance; `warn` is told what happens meanwhile."""

    settings: Settings
    topic: str
    warn: Callable[[str], None]
    address: Address | None = None


def _kafka(way: Way) -> Mode:
    return Kafka(way.settings, way.topic)


def _http(way: Way) -> Mode:
    if way.address is None:
        raise UsageProblem("--mode http needs the address of gridwatch ingest", "add --url")
    return Http(way.address, way.settings.policy().partitions, way.warn)


MODES: dict[str, Callable[[Way], Mode]] = {"kafka": _kafka, "http": _http}

_COLUMNS = (
    "interval_minutes", "interval_seconds", "region", "voltage", "current", "power_kw", "power_factor",
    "frequency", "energy_register_kwh", "export_kwh", "export_register_kwh",
)  # fmt: skip


class CsvFile:
    """To a file in place of Kafka, in the order of sending: what `gridwatch replay` reads.

    It appears when it is whole. Ticks are left out: a replay makes its own.
    """

    def __init__(self, path: Path, partitions: int) -> None:
        self._path = path
        self._unfinished = path.with_name(path.name + ".part")
        self.partitions = partitions
        self.run = ""
        self.resumed = False
        self.answers: Answers | None = None

    def connect(self, identity: str, *, resume: bool) -> Target:
        """Begin the file."""
        return _Lines(self._path, self._unfinished)


class _Lines:
    """The file while it is being written."""

    def __init__(self, path: Path, unfinished: Path) -> None:
        self._path = path
        self._unfinished = unfinished
        try:
            self._file = unfinished.open("w", encoding="utf-8", newline="")
        except OSError as problem:
            raise GridwatchError(
                f"{path}: cannot be written: {problem.strerror}", "name another file with -o"
            ) from problem
        self._file.write(",".join(("meter_id", "timestamp", "consumption_kwh", *_COLUMNS)) + "\n")

    def __enter__(self) -> _Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._unfinished.unlink(missing_ok=True)

    def wants(self, number: int) -> bool:
        """All of them."""
        return True

    def readings(self, first: int, rows: Sequence[Row]) -> int:
        """Write readings."""
        lines = []
        for stamp, meter, kwh, _, members in rows:
            # Numbers are written as they stand.
            more = json.loads(f"{{{members[1:]}}}", parse_float=str, parse_int=str)
            cells = [meter, format_instant(stamp), repr(kwh), *(more.get(name, "") for name in _COLUMNS)]
            lines.append(",".join(cells) + "\n")
        self._file.write("".join(lines))
        return len(rows)

    def garbage(self, number: int, row: Row) -> bool:
        """Nothing that a simulation makes is garbage."""
        return False

    def control(self, number: int, control: Control) -> int:
        """Left out: `--registry` and `--regions-file` write what the registry is to know."""
        return 0

    def tick(self, number: int, instant: int, end: int | None = None) -> int:
        """Left out."""
        return 0

    def idle(self, seconds: float) -> None:
        """Nothing is held back."""
        time.sleep(seconds)

    def flush(self) -> None:
        """The file is whole."""
        self._file.close()
        self._unfinished.replace(self._path)

    def give_up(self) -> None:
        """A part of it is of no use."""


def pace_of(speed: float | None, target: Target, now: int) -> Pace | None:
    """How fast items go: at once, so many times as fast as the clock, or with it from `now` (µs) on."""
    if speed is None:
        return None
    return Pace(speed, target.idle, now if speed == 1 else None)
