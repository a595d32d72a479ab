"""Sends the sink's own dead letters and waits until the brokers have them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import msgspec
from aiokafka.errors import KafkaError

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.streaming.emission import Emitter
from gridwatch.topics import DEAD_LETTERS

logger = logging.getLogger(__name__)

_TRY_AGAIN_SECONDS = 1.0


class DeadLetterOffice:
    """Sends dead letters to their topic, each under the partition of what it is about."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._encode = msgspec.json.Encoder().encode
        self.sent = 0

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """Send all letters; returns once every one is acknowledged. Waits while the brokers are away.

        Sending again what had arrived already does no harm: a letter has its id from what it is about.
        """
        while True:
            try:
                await self._send(letters)
            except KafkaError as error:
                if not error.retriable:
                    raise
                logger.error("dead letters cannot be sent: %s; trying again", error)
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
            else:
                self.sent += len(letters)
                return

    async def _send(self, letters: Sequence[DeadLetter]) -> None:
        by_partition: dict[int, list[DeadLetter]] = {}
        for letter in letters:
            by_partition.setdefault(letter.partition, []).append(letter)
        acks = []
        for partition, theirs in by_partition.items():
            rows = [(letter.id.encode(), self._encode(letter)) for letter in theirs]
            acks += await self._emitter.send(DEAD_LETTERS.name, partition, rows, int(time.time() * 1000))
        for ack in acks:
            await ack
