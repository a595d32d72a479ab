"""What a fetch brought, a Kafka record batch at a time.

aiokafka makes an object of eleven fields of every record, through a generator and two calls: two
microseconds each. Where a whole fetch is handed on as one event (`batches.py`) nobody reads most of those
fields, so here the application says what becomes of what the parser made, which has `offset`, `timestamp`
(milliseconds), `key`, `value` and `headers`. Done as the parser goes, all else is gone before it leaves the
processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException

Unpack = Callable[[Iterable[Any]], list[Any]]


class Fetches(dict[Any, Any]):
    """Takes the place of a fetcher's `_records`: what came of each partition and was not handed on yet.

    Args:
        unpacked: what makes a list of a parsed batch, by topic. Its records have `offset` at least.
    """

    def __init__(self, unpacked: Mapping[str, Unpack]) -> None:
        super().__init__()
        self._unpacked = unpacked

    def __setitem__(self, partition: Any, fetched: Any) -> None:
        """Fetched partitions of those topics give such records; what else there is stays as it is."""
        unpack = self._unpacked.get(partition.topic)
        if type(fetched) is FetchResult and unpack is not None:
            source = fetched._partition_records
            # With transactions there is more to a batch than its records; gridwatch has none.
            if source._isolation_level != READ_COMMITTED:
                source._records_iterator = None  # holds its owner, and with it all that was fetched
                fetched.getall = _Drain(partition, fetched, source, unpack).getall
        super().__setitem__(partition, fetched)


class _Drain:
    """Hands on what one fetch brought of one partition."""

    def __init__(self, partition: Any, fetched: Any, source: Any, unpack: Unpack) -> None:
        self._partition = partition
        self._fetched = fetched
        self._source = source
        self._unpack = unpack
        self._batches = source._records
        self._left: list[Any] = []
        #: The offset after everything that was unpacked.
        self._reached: int = source.next_fetch_offset
        self._ended = False

    def getall(self, max_records: int | None = None) -> list[Any]:
        """The next records, at most `max_records`; the partition's position moves with them."""
        fetched, source = self._fetched, self._source
        if not fetched.check_assignment(self._partition) or not fetched.has_more():
            return []
        taken = self._left
        while self._has_next() and (max_records is None or len(taken) < max_records):
            taken += self._records_of(self._batches.next_batch())
        self._left = [] if max_records is None else taken[max_records:]
        del taken[len(taken) - len(self._left) :]
        source.next_fetch_offset = self._left[0].offset if self._left else self._reached
        fetched._update_position()
        if not self._left and not self._has_next():
            fetched._partition_records = None
            del fetched.getall  # the way back to us would keep all of it until garbage is looked for
        return taken

    def _has_next(self) -> bool:
        return not self._ended and self._batches.has_next()

    def _records_of(self, batch: Any) -> list[Any]:
        if self._source._check_crcs and not batch.validate_crc():
            self._ended = True  # it, and what follows it, will be fetched again
            raise CorruptRecordException(f"Invalid CRC - {self._partition}")
        records = [] if batch.is_control_batch else self._unpack(batch)
        if records and records[0].offset < self._reached:  # a fetch brings whole batches
            records = [record for record in records if record.offset >= self._reached]
        # Of a batch that compaction thinned out the last offset remains known.
        self._reached = batch.next_offset
        return records
