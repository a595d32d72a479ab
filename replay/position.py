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
    """What the sequence of a replay depends on, as 16 hexadecimal digits; the order of files does not count."""
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
        settings.confluent()
        | {
            "group.id": f"gridwatch-replay-{identity}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
            "error_cb": lambda _error: None,
        }
    )
    try:
        tails = [_Tail(consumer, topic, partition, f"{identity}-") for partition in range(partitions)]
        for tail in tails:
            tail.search_back()
        time.sleep(_AFTERMATH_SECONDS)
        while any([tail.read_on() for tail in tails]):
            time.sleep(_AFTERMATH_SECONDS)
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

    def __init__(self, consumer: Consumer, topic: str, partition: int, prefix: str) -> None:
        self.run = ""
        self.row = -1
        self._consumer = consumer
        self._topic = topic
        self._partition = partition
        self._prefix = prefix
        self._low, self._read_to = self._bounds()

    def search_back(self) -> None:
        window, end = _FIRST_WINDOW, self._read_to
        while not self.run and end > self._low:
            start = max(self._low, end - window)
            self._read(start, end)
            end, window = start, window * _WINDOW_GROWTH

    def read_on(self) -> bool:
        """Look at what was appended since; whether a record of the identity was among it."""
        before, (_, high) = (self.run, self.row), self._bounds()
        self._read(self._read_to, high)
        self._read_to = high
        return before != (self.run, self.row)

    def _bounds(self) -> tuple[int, int]:
        place = TopicPartition(self._topic, self._partition)
        low, high = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
        return low, high

    def _read(self, start: int, end: int) -> None:
        """Take the records with start ≤ offset < end."""
        if start >= end:
            return
        self._consumer.assign([TopicPartition(self._topic, self._partition, start)])
        while True:
            message = self._consumer.poll(_ANSWER_SECONDS)
            if message is None:
                raise GridwatchError(
                    f"{self._topic}: no answer while looking for the replay", "see: gridwatch doctor"
                )
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    return
                raise KafkaException(error)
            if message.offset() < end:
                self._take(dict(message.headers() or ()))
            if message.offset() >= end - 1:
                return

    def _take(self, headers: dict[str, bytes]) -> None:
        run = headers.get(REPLAY_HEADER, b"").decode("utf-8", "replace")
        if run.startswith(self._prefix) and headers.get(ROW_HEADER, b"").isdigit():
            self.run, self.row = run, int(headers[ROW_HEADER])
