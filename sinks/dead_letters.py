"""Produces the sink's own dead letters and waits for the acks."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Row, pack
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.topics import SMARTMETER, Flow
from sinks import tables


class DeadLetterProducer:
    """Produces dead letters, each to the flow and the partition number of the record it is about."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._encode = msgspec.json.Encoder().encode
        self.sent = 0

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """Send all letters; returns once every one is acknowledged, however long the brokers are unavailable.

        Sending a letter again is harmless: its id is made from the record it is about.
        """
        by_place: dict[tuple[str, int], list[Row]] = {}
        for letter in letters:
            row = (letter.id.encode(), self._encode(letter))
            topic = _flow_of(letter).dead_letters.name
            by_place.setdefault((topic, letter.partition), []).append(row)
        now = int(time.time() * 1000)
        for (topic, partition), rows in by_place.items():
            await self._emitter.deliver(topic, partition, pack(rows), now)
        self.sent += len(letters)


def _flow_of(letter: DeadLetter) -> Flow:
    """The flow of the topic that a letter is about; the default one for a topic that there is once."""
    try:
        return tables.source_of(letter.topic)[0]
    except KeyError:
        return SMARTMETER
