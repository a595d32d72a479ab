"""Where an interrupted replay goes on: read from the raw topic itself, never from a file of its own.

A run is named `<identity>-<start>`. The identity is a digest of everything the sequence depends on (file
contents, options, settings), so the same command finds its run again; the start, in hexadecimal
nanoseconds, tells a second replay of the same files from the first. `--resume` continues the newest run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from gridwatch.errors import GridwatchError
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import REPLAY_HEADER, ROW_HEADER

_CHUNK = 1 << 20
_FIRST_WINDOW = 2_000
_WINDOW_GROWTH = 8
_ANSWER_SECONDS = 15.0
#: What a killed replay had under way may still be appended this long after its death.
_AFTERMATH_SECONDS = 0.5


@dataclass(frozen=True)
class Position:
    """A run found on the topic, and the last of its rows in each partition (−1 for none)."""

    run: str
    rows: tuple[int, ...]


def identity_of(files: Iterable[Path], options: dict[str, Any]) -> str:
    """What the sequence of a replay depends on, as 16 hexadecimal digits; not the order of files."""
    digests = sorted(_content(path) for path in files)
    text = json.dumps([digests, options], sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def new_run(identity: str) -> str:
    """The name of a run that starts now."""
    return f"{identity}-{time.time_ns():016x}"


def _content(path: Path) -> str:
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def find_position(settings: Settings, topic: str, partitions: int, identity: str) -> Position | None:
    """The newest run with this identity on the topic, or None when there is none.

    Each partition is read backwards from its end, in growing windows, to its last record of the run.
    """
    consumer = Consumer(
        librdkafka_config(settings)
        | {
            "group.id": f"gridwatch-replay-{identity}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
            "error_cb": lambda _error: None,
        }
    )
    try:
        tails = [
            _Tail(f"{identity}-", *_bounds(consumer, topic, partition)) for partition in range(partitions)
        ]
        window = _FIRST_WINDOW
        while spans := {p: span for p, tail in enumerate(tails) if (span := tail.next_back(window))}:
            _read(consumer, topic, spans, tails)
            window *= _WINDOW_GROWTH
        while True:
            time.sleep(_AFTERMATH_SECONDS)
            before = [(tail.run, tail.row) for tail in tails]
            ends = {p: _bounds(consumer, topic, p)[1] for p in range(partitions)}
            _read(
                consumer,
                topic,
                {p: span for p, end in ends.items() if (span := tails[p].next_on(end))},
                tails,
            )
            if before == [(tail.run, tail.row) for tail in tails]:
                break
    except KafkaException as problem:
        raise GridwatchError(
            f"{topic} on {settings.bootstrap} cannot be read: {problem.args[0].str()}",
            "see: gridwatch doctor",
        ) from problem
    finally:
        consumer.close()
    newest = max((tail.run for tail in tails), default="")
    if not newest:
        return None
    return Position(newest, tuple(tail.row if tail.run == newest else -1 for tail in tails))


class _Tail:
    """The last record of an identity in one partition: its run ("" for none) and row."""

    def __init__(self, prefix: str, low: int, high: int) -> None:
        self.run = ""
        self.row = -1
        self._prefix = prefix
        self._low, self._front, self._end = low, high, high

    def next_back(self, window: int) -> tuple[int, int] | None:
        """The next span to read, backwards; None when found, or at the beginning."""
        if self.run or self._front <= self._low:
            return None
        end, self._front = self._front, max(self._low, self._front - window)
        return self._front, end

    def next_on(self, high: int) -> tuple[int, int] | None:
        """The span that was appended since the last call, if any."""
        start, self._end = self._end, high
        return (start, high) if start < high else None

    def take(self, headers: dict[str, bytes]) -> None:
        """Look at the next record of a span."""
        run = headers.get(REPLAY_HEADER, b"").decode("utf-8", "replace")
        if run.startswith(self._prefix) and headers.get(ROW_HEADER, b"").isdigit():
            self.run, self.row = run, int(headers[ROW_HEADER])


def _bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_SECONDS)
    return low, high


def _read(consumer: Consumer, topic: str, spans: dict[int, tuple[int, int]], tails: list[_Tail]) -> None:
    """Show each tail the records of its span, start ≤ offset < end; all partitions at once."""
    if not spans:
        return
    consumer.assign([TopicPartition(topic, partition, start) for partition, (start, _) in spans.items()])
    unread = set(spans)
    while unread:
        message = consumer.poll(_ANSWER_SECONDS)
        if message is None:
            raise GridwatchError(f"{topic}: no answer while looking for the replay", "see: gridwatch doctor")
        partition, error = message.partition(), message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            unread.discard(partition)
            continue
        end = spans[partition][1]
        if message.offset() < end:
            tails[partition].take(dict(message.headers() or ()))
        if message.offset() >= end - 1:
            unread.discard(partition)
    consumer.unassign()
