"""The application's consumer, as the partition queues use it: positions and seeks."""

from __future__ import annotations

import logging
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from gridwatch.streaming.faust.batches import RecordBatch

logger = logging.getLogger(__name__)


class ConsumerReader:
    """Wraps the consumer of a Faust application, which Faust creates late. See `partition_queues.Reader`."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def first_offset(self, tp: tuple[str, int]) -> int | None:
        """The start offset of the log."""
        partition = TP(*tp)
        try:
            return int((await self._app.consumer.earliest_offsets(partition))[partition])
        except (KafkaError, KeyError) as error:
            logger.info("%s[%d]: the broker does not say where it begins (%r)", *tp, error)
            return None

    async def seek(self, tp: tuple[str, int], offset: int) -> int | None:
        """Seek to an offset, and resume fetching the partition; returns the number of the seek."""
        try:
            return int(await self._app.consumer.read_from(TP(*tp), offset))
        except (KafkaError, TimeoutError) as error:
            logger.info("%s[%d]: cannot be sought now (%r)", *tp, error)
            return None

    def readable_end(self, tp: tuple[str, int]) -> int | None:
        """The last stable offset, from the last fetch."""
        state = self._app.consumer.state_of(TP(*tp))
        return None if state is None else state.lso

    def position(self, tp: tuple[str, int]) -> int | None:
        """The offset of the next fetch."""
        state = self._app.consumer.state_of(TP(*tp))
        return state.position if state is not None and state.has_valid_position else None

    def is_fetched(self, tp: tuple[str, int]) -> bool:
        """Whether the partition is being fetched."""
        return bool(self._app.consumer.is_active(TP(*tp)))

    def is_stopped(self, tp: tuple[str, int]) -> bool:
        """Whether the partition has stopped at a batch that cannot be decoded."""
        return TP(*tp) in self._app.consumer.undecodable

    def commit(self, batch: RecordBatch) -> None:
        """Have the offsets of an artificial batch committed."""
        self._app.consumer.acknowledge(TP(batch.topic, batch.partition), batch.offset)
