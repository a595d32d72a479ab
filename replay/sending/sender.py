"""Items to the raw topic: each meter to its partition, with the row number that resuming needs.

Row numbers count the items of the sequence, so they rise within every partition, and the appender leaves
no gaps: the rows of a run in a partition are always its first ones up to some number. That is what makes a
replay resumable. For the same reason no record is ever given up for lost; when the broker stays silent the
whole replay stops instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from aiokafka.errors import KafkaError

from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from gridwatch.topics import END_HEADER, REPLAY_HEADER, ROW_HEADER, TICK_HEADER
from replay.files.rows import Row
from replay.order.emission import Control
from replay.sending.appender import Appender
from replay.sending.placement import Placement

#: Silence of the broker after which the replay stops.
STALL_SECONDS = 60.0
#: How long Ctrl-C waits for what is under way.
LAST_FLUSH_SECONDS = 10.0
#: Records of a partition that make a batch worth its request: some 300 KB.
_BATCH_RECORDS = 2_000
#: Batches of a partition that may be under way while the next is filled.
_BATCHES_UNDER_WAY = 2
_LONGEST_WAIT = 0.2
_RESUME = "the same command with --resume goes on where the topic ends"

Headers = list[tuple[str, bytes]]


class Sender:
    """Sends the items of one run. `sent_before[p]` is the last row already in partition p, −1 for none.

    A context manager: what is not flushed when it ends may be lost, but never leaves a gap. GridwatchError
    when the broker refuses something, or stays silent.
    """

    def __init__(
        self, settings: Settings, topic: str, run: str, placement: Placement, sent_before: Sequence[int]
    ) -> None:
        self._topic = topic
        self._address = settings.bootstrap
        self._placement = placement
        self._sent_before = sent_before
        self._first_new = min(sent_before)
        self._run_header = (REPLAY_HEADER, run.encode())
        self._stamp = (0, format_instant(0))
        try:
            self._appender = Appender(settings, topic, len(sent_before))
        except (KafkaError, OSError) as problem:
            raise self._broken(problem) from problem
        self._enough = _BATCH_RECORDS * len(sent_before)
        self._filled = 0
        self._now = time.time_ns() // 1_000_000
        self._batches: list[Any] = [self._appender.batch() for _ in sent_before]

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._appender.close()

    def wants(self, number: int) -> bool:
        """Whether any partition still lacks item `number`."""
        return number > self._first_new

    def readings(self, first: int, rows: Sequence[Row]) -> int:
        """Send readings as items `first`, `first` + 1, …; returns how many the topic had not yet."""
        places, before, run, now = self._placement, self._sent_before, self._run_header, self._now
        batches = self._batches
        moment, stamp = self._stamp
        new = 0
        for number, (time_, meter, kwh, _, members) in enumerate(rows, first):
            partition, key, start = places[meter]
            if number <= before[partition]:
                continue
            if time_ != moment:
                moment, stamp = time_, format_instant(time_)
            value = f'{start}{stamp}","consumption_kwh":{kwh!r}{members}}}'.encode()
            headers = [run, (ROW_HEADER, b"%d" % number)]
            if batches[partition].append(timestamp=now, key=key, value=value, headers=headers) is None:
                self._hand_over()
                batches[partition].append(timestamp=now, key=key, value=value, headers=headers)
            new += 1
        self._stamp = moment, stamp
        self._filled += new
        self._hand_over_if_worth_it()
        return new

    def garbage(self, number: int, row: Row) -> bool:
        """Send what is no reading, a character of the row's last element a byte, as item `number`.

        False when the topic has it already.
        """
        partition, key, _ = self._placement[row[1]]
        if number <= self._sent_before[partition]:
            return False
        self._put(partition, key, row[4].encode("latin-1"), [self._run_header, (ROW_HEADER, b"%d" % number)])
        return True

    def tick(self, number: int, instant: int, end: int | None = None) -> int:
        """Send a tick to every partition as item `number`, the last one with the end of the run; returns to
        how many it was new."""
        value = format_instant(instant).encode()
        headers = [(TICK_HEADER, b""), self._run_header, (ROW_HEADER, b"%d" % number)]
        if end is not None:
            headers.append((END_HEADER, format_instant(end).encode()))
        new = 0
        for partition, last in enumerate(self._sent_before):
            if number > last:
                self._put(partition, None, value, headers)
                new += 1
        self._hand_over_if_worth_it()
        return new

    def control(self, number: int, control: Control) -> int:
        """Send a control record as item `number`; returns to how many partitions it was new."""
        headers = [(control.header, control.version), self._run_header, (ROW_HEADER, b"%d" % number)]
        key = control.key.encode()
        places = range(len(self._sent_before)) if control.everywhere else (self._placement[control.key][0],)
        new = 0
        for partition in places:
            if number > self._sent_before[partition]:
                self._put(partition, key, control.value, headers)
                new += 1
        self._hand_over_if_worth_it()
        return new

    def idle(self, seconds: float) -> None:
        """Let everything go now, however little it is, and wait for a while."""
        self._hand_over()
        time.sleep(seconds)

    def flush(self) -> None:
        """Return when everything is acknowledged."""
        self._hand_over()
        self._until(lambda: not self._appender.under_way)

    def give_up(self) -> None:
        """After an interruption: what is under way gets a last chance."""
        until = time.monotonic() + LAST_FLUSH_SECONDS
        while self._appender.under_way and self._appender.failure is None and time.monotonic() < until:
            self._appender.wait(_LONGEST_WAIT)

    def _put(self, partition: int, key: bytes | None, value: bytes, headers: Headers) -> None:
        now = self._now
        if self._batches[partition].append(timestamp=now, key=key, value=value, headers=headers) is None:
            self._hand_over()
            self._batches[partition].append(timestamp=now, key=key, value=value, headers=headers)
        self._filled += 1

    def _hand_over_if_worth_it(self) -> None:
        if self._filled >= self._enough:
            self._hand_over()

    def _hand_over(self) -> None:
        """All batches that have something in them, once there is room for them."""
        self._until(lambda: self._appender.under_way <= self._enough * (_BATCHES_UNDER_WAY - 1))
        full = [(number, batch) for number, batch in enumerate(self._batches) if batch.record_count()]
        if full:
            self._appender.append(full)
        for number, _ in full:
            self._batches[number] = self._appender.batch()
        self._filled = 0
        self._now = time.time_ns() // 1_000_000

    def _until(self, done: Callable[[], bool]) -> None:
        waiting, since = self._appender.under_way, time.monotonic()
        while True:
            if (failure := self._appender.failure) is not None:
                raise self._broken(failure) from failure
            if done():
                return
            self._appender.wait(_LONGEST_WAIT)
            if self._appender.under_way < waiting:
                waiting, since = self._appender.under_way, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise GridwatchError(
                    f"the broker at {self._address} has not answered for {STALL_SECONDS:.0f} s",
                    f"fix the cause; {_RESUME}",
                )

    def _broken(self, problem: Exception) -> GridwatchError:
        why = str(problem) or type(problem).__name__
        return GridwatchError(f"{self._topic} on {self._address}: {why}", f"fix the cause; {_RESUME}")
