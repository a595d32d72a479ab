"""Items to the raw topic: an idempotent producer, acknowledged by all replicas, each meter to its partition.

Row numbers count the items of the sequence, so they rise within every partition, and an idempotent
producer keeps that order without holes: the rows of a run in a partition are always its first ones up to
some number. That is what makes a replay resumable. For the same reason no record is ever given up for
lost; when the broker stays silent the whole replay stops instead.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from gridwatch.topics import REPLAY_HEADER, ROW_HEADER, TICK_HEADER
from replay.rows import Row

#: Silence of the broker after which the replay stops.
STALL_SECONDS = 60.0
#: How long Ctrl-C waits for what is under way.
LAST_FLUSH_SECONDS = 10.0
_CACHED_METERS = 2_000_000
_RESUME = "the same command with --resume goes on where the topic ends"


class Placement:
    """Which partition a meter's readings go to; remembered for each meter."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._known: dict[str, tuple[int, bytes, str]] = {}

    def partition(self, meter: str) -> int:
        return self.of(meter)[0]

    def of(self, meter: str) -> tuple[int, bytes, str]:
        """Partition, record key, and the beginning of the record's JSON."""
        known = self._known.get(meter)
        if known is None:
            if len(self._known) >= _CACHED_METERS:
                self._known.clear()
            start = f'{{"meter_id":{json.dumps(meter, ensure_ascii=False)},"timestamp":"'
            known = self._known[meter] = (partition_of(meter, self.partitions), meter.encode(), start)
        return known


class Sender:
    """Sends the items of one run. `sent_before[p]` is the last row already in partition p, −1 for none."""

    def __init__(
        self, settings: Settings, topic: str, run: str, placement: Placement, sent_before: Sequence[int]
    ) -> None:
        self._topic = topic
        self._address = settings.bootstrap
        self._placement = placement
        self._sent_before = sent_before
        self._first_new = min(sent_before)
        self._run_header = (REPLAY_HEADER, run.encode())
        self._failure: KafkaError | None = None
        self._stamp = (0, "")
        self._producer = Producer(
            settings.confluent()
            | {
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 20,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 200_000,
                "queue.buffering.max.kbytes": 256 * 1024,
                "message.timeout.ms": 0,
                "delivery.report.only.error": True,
                "on_delivery": self._on_delivery,
                "error_cb": self._on_error,
                "log_level": 0,
            }
        )

    def wants(self, number: int) -> bool:
        """Whether any partition still lacks item `number`."""
        return number > self._first_new

    def reading(self, number: int, row: Row) -> bool:
        """Send a reading as item `number`; False when the topic has it already."""
        partition, key, start = self._placement.of(row[1])
        if number <= self._sent_before[partition]:
            return False
        moment, stamp = self._stamp
        if moment != row[0] or not stamp:
            stamp = format_instant(row[0])
            self._stamp = (row[0], stamp)
        value = f'{start}{stamp}","consumption_kwh":{row[2]!r}{row[4]}}}'.encode()
        self._produce(partition, key, value, [self._run_header, (ROW_HEADER, b"%d" % number)])
        return True

    def garbage(self, number: int, row: Row) -> bool:
        """Send what is no reading, a character of the row's last element a byte, as item `number`."""
        partition, key, _ = self._placement.of(row[1])
        if number <= self._sent_before[partition]:
            return False
        self._produce(
            partition, key, row[4].encode("latin-1"), [self._run_header, (ROW_HEADER, b"%d" % number)]
        )
        return True

    def tick(self, number: int, instant: int) -> int:
        """Send a tick to every partition as item `number`; returns to how many it was new."""
        value = format_instant(instant).encode()
        headers = [(TICK_HEADER, b""), self._run_header, (ROW_HEADER, b"%d" % number)]
        new = 0
        for partition, last in enumerate(self._sent_before):
            if number > last:
                self._produce(partition, None, value, headers)
                new += 1
        return new

    def idle(self, seconds: float) -> None:
        """Serve the producer for a while."""
        self._producer.poll(seconds)
        self._raise_failure()

    def flush(self) -> None:
        """Return when everything is acknowledged. GridwatchError when the broker stays silent."""
        self._until(lambda: self._producer.flush(0.5) == 0)
        self._raise_failure()

    def give_up(self) -> int:
        """After an interruption: what was under way gets a last chance; returns how many are unknown."""
        left: int = self._producer.flush(LAST_FLUSH_SECONDS)
        if left:
            self._producer.purge()
        return left

    def _produce(
        self, partition: int, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        try:
            self._producer.produce(self._topic, value, key, partition, headers=headers)
        except BufferError:
            self._until(lambda: len(self._producer) < 100_000 or self._producer.poll(0.1) < 0)
            self._producer.produce(self._topic, value, key, partition, headers=headers)
        except KafkaException as problem:
            raise self._broken(problem.args[0]) from problem

    def _until(self, done: Callable[[], bool]) -> None:
        waiting, since = len(self._producer), time.monotonic()
        while not done():
            self._raise_failure()
            if len(self._producer) < waiting:
                waiting, since = len(self._producer), time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                self._producer.purge()
                raise GridwatchError(
                    f"the broker at {self._address} has not answered for {STALL_SECONDS:.0f} s",
                    f"mend it; {_RESUME}",
                )

    def _on_delivery(self, error: KafkaError | None, _message: Any) -> None:
        if error is not None and self._failure is None:
            self._failure = error

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() and self._failure is None:
            self._failure = error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self._producer.purge()
            raise self._broken(failure)

    def _broken(self, error: KafkaError) -> GridwatchError:
        return GridwatchError(f"{self._topic} on {self._address}: {error.str()}", f"mend it; {_RESUME}")
