"""Produces the sink's own dead letters and waits for the acks."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Row, pack
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.topics import DEAD_LETTERS


class DeadLetterProducer:
    """Produces dead letters, each to the partition number of the record it is about."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._encode = msgspec.json.Encoder().encode
        self.sent = 0

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """Send all letters; returns once every one is acknowledged, however long the brokers are unavailable.

        Sending a letter again is harmless: its id is made from the record it is about.
        """
        by_partition: dict[int, list[Row]] = {}
        for letter in letters:
            row = (letter.id.encode(), self._encode(letter))
            by_partition.setdefault(letter.partition, []).append(row)
        now = int(time.time() * 1000)
        for partition, rows in by_partition.items():
            await self._emitter.deliver(DEAD_LETTERS.name, partition, pack(rows), now)
        self.sent += len(letters)
