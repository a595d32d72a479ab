"""What queues ask of the application's consumer: where it reads, and to read again."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from gridwatch.streaming.faust.batches import RecordBatch

logger = logging.getLogger(__name__)


class ConsumerReader:
    """Asks the consumer of a Faust application, which Faust makes late. See `partition_queues.Reader`."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def first_offset(self, place: tuple[str, int]) -> int | None:
        """The offset at which the log begins."""
        tp = TP(*place)
        try:
            return int((await self._app.consumer.earliest_offsets(tp))[tp])
        except (KafkaError, KeyError) as error:
            logger.info("%s[%d]: the broker does not say where it begins (%r)", *place, error)
            return None

    async def seek(self, place: tuple[str, int], offset: int) -> int | None:
        """Read on from an offset, and fetch the partition if it was not; returns the number of the seek."""
        try:
            return int(await self._app.consumer.read_from(TP(*place), offset))
        except (KafkaError, TimeoutError, asyncio.TimeoutError) as error:
            logger.info("%s[%d]: cannot be sought now (%r)", *place, error)
            return None

    def readable_end(self, place: tuple[str, int]) -> int | None:
        """The last stable offset, as the last fetch said."""
        state = self._app.consumer.state_of(TP(*place))
        return None if state is None else state.lso

    def position(self, place: tuple[str, int]) -> int | None:
        """The offset from which the next fetch begins."""
        state = self._app.consumer.state_of(TP(*place))
        return state.position if state is not None and state.has_valid_position else None

    def is_fetched(self, place: tuple[str, int]) -> bool:
        """Whether the partition is among those that are fetched."""
        return bool(self._app.consumer.is_active(TP(*place)))

    def is_stopped(self, place: tuple[str, int]) -> bool:
        """Whether the partition has stopped at a batch that cannot be decoded."""
        return TP(*place) in self._app.consumer.undecodable

    def commit(self, batch: RecordBatch) -> None:
        """Have the offsets of a batch of our own making committed."""
        self._app.consumer.acknowledge(TP(batch.topic, batch.partition), batch.offset)
