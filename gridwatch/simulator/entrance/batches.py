"""The mode `http`: rows to batches of the entrance, each acknowledged before the next one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError
from gridwatch.simulator.entrance.address import Address
from gridwatch.simulator.entrance.client import PATIENCE, Client, Patience
from gridwatch.simulator.entrance.position import Acknowledged, PositionFile, state_folder
from gridwatch.simulator.entrance.reply import SHOWN, Answers, rejected_of
from replay.files.rows import Row
from replay.order.emission import Control
from replay.sending.placement import Placement
from replay.sending.position import new_run

#: Readings of a request; fewer when pacing waits.
BATCH: Final = 500


class Http:
    """To `gridwatch ingest`, which writes them to its raw topic.

    folder: where positions are kept; the user's state folder if None.
    """

    def __init__(
        self,
        address: Address,
        partitions: int,
        warn: Callable[[str], None],
        *,
        patience: Patience = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        folder: Path | None = None,
    ) -> None:
        self.partitions = partitions
        self.run = ""
        self.resumed = False
        self.answers: Answers | None = Answers(address.url)
        self._address = address
        self._warn = warn
        self._patience = patience
        self._sleep = sleep
        self._folder = folder

    def connect(self, identity: str, *, resume: bool) -> Batches:
        """Begin, or go on after the last row that was acknowledged. The connection is made when needed."""
        position = PositionFile(self._folder or state_folder(), identity, self._address.url, self._warn)
        found = position.read() if resume else None
        self.resumed = found is not None
        self.run, row = found or Acknowledged(new_run(identity), -1)
        self.answers = Answers(self._address.url)
        client = Client(self._address, self._warn, self._patience, self._sleep)
        places = Placement(self.partitions)
        return Batches(
            client,
            self._address,
            position,
            Acknowledged(self.run, row),
            places=places,
            answers=self.answers,
            warn=self._warn,
            sleep=self._sleep,
        )


class Batches:
    """Sends the readings of one run; a context manager.

    GridwatchError when the service refuses a request, or everything that was sent.
    """

    def __init__(
        self,
        client: Client,
        address: Address,
        file: PositionFile,
        position: Acknowledged,
        *,
        places: Placement,
        answers: Answers,
        warn: Callable[[str], None],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._address = address
        self._file = file
        self._run, self._sent_before = position
        self._places = places
        self._answers = answers
        self._warn = warn
        self._sleep = sleep
        self._rows: list[Row] = []
        self._last = self._sent_before

    def __enter__(self) -> Batches:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def wants(self, number: int) -> bool:
        """Whether item `number` comes after what was acknowledged in an earlier attempt."""
        return number > self._sent_before

    def readings(self, first: int, rows: Sequence[Row]) -> int:
        """Send readings as items `first`, `first` + 1, …; returns how many are new."""
        new = 0
        for number, row in enumerate(rows, first):
            if number <= self._sent_before:
                continue
            self._rows.append(row)
            self._last = number
            new += 1
            if len(self._rows) >= BATCH:
                self.flush()
        return new

    def garbage(self, number: int, row: Row) -> bool:
        """Nothing that a simulation makes is garbage."""
        return False

    def control(self, number: int, control: Control) -> int:
        """Left out: the entrance takes readings only."""
        return 0

    def tick(self, number: int, instant: int, end: int | None = None) -> int:
        """Left out: the entrance takes readings only."""
        return 0

    def idle(self, seconds: float) -> None:
        """Send what there is before waiting; with nothing to wait for, a batch is filled first."""
        if seconds > 0:
            self.flush()
            self._sleep(seconds)

    def flush(self) -> None:
        """Return when every reading has its answer."""
        rows = self._rows
        if not rows:
            return
        reply = self._client.post(self._body(rows))
        rejected = rejected_of(reply, len(rows), self._address)
        examples = [
            f"{rows[one.place][1]} {format_instant(rows[one.place][0])}: {', '.join(one.reasons)}"
            for one in rejected[:SHOWN]
        ]
        answers = self._answers
        if len(rejected) == len(rows) and not answers.accepted:
            raise GridwatchError(
                f"{self._address.url} rejected every reading so far; the first of them is {examples[0]}",
                "correct what makes such readings: the same rules would refuse them in the worker",
            )
        self._file.write(Acknowledged(self._run, self._last))
        self._rows = []
        if rejected and not answers.rejected:
            self._warn(f"rejected: {examples[0]}; from here on they are counted")
        answers.accepted += len(rows) - len(rejected)
        answers.rejected += len(rejected)
        answers.examples += examples[: SHOWN - len(answers.examples)]

    def give_up(self) -> None:
        """Nothing more: what has no answer yet is sent by `--resume`."""

    def _body(self, rows: list[Row]) -> bytes:
        places = self._places
        moment, stamp = 0, format_instant(0)
        values = []
        for time_, meter, kwh, _, members in rows:
            if time_ != moment:
                moment, stamp = time_, format_instant(time_)
            values.append(f'{places[meter].start}{stamp}","consumption_kwh":{kwh!r}{members}}}')
        return f"[{','.join(values)}]".encode()
