"""Unpacks the records of a fetch, a Kafka record batch at a time, and tracks the range of offsets it covers.

aiokafka makes an object of eleven fields from every record, through a generator and two calls: two
microseconds each. Where a whole fetch is delivered as one event (`batches.py`) most of those fields are
unused. So here the application converts the parser's records, which have `offset`, `timestamp`
(milliseconds), `key`, `value` and `headers`, as they are parsed, while they are still in the CPU's cache.

**Ranges.** A fetch from position `start` that moves the position to `end` covers every offset in between:
there is a record, or there is none because of compaction, a transaction marker or an aborted transaction. So
a consumer that knows its last `end` can tell offsets without records from dropped ones: a range that starts
elsewhere means that a batch was dropped (`continuity.py`). A fetch of markers alone is a range without
records, and is delivered like any other.

**Read committed.** Records of aborted transactions are skipped; the broker sends nothing beyond the last
stable offset. For batches that are not transactional this costs one test of a flag.

**Undecodable batches.** A batch whose CRC, compression or framing cannot be read stops its own partition
only: the records before it are delivered, the partition is paused, and the batch is fetched again with
exponential back-off. Health, log and doctor name it, with the remedy.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException

from gridwatch.backoff import BackOff
from gridwatch.streaming.faust.header_names import lenient_batch, retain_bytes

logger = logging.getLogger(__name__)

retain_bytes()

Unpack = Callable[[Iterable[Any]], list[Any]]

#: The back-off of an undecodable batch before it is fetched again.
FETCH_AGAIN = BackOff(first=1.0, most=5.0)


class Fetched(list[Any]):
    """The records of one fetch of one partition, and the offsets [start, end) that it covers.

    True when the position advanced, with or without records. `seeks` counts the seeks of the partition before
    it.
    """

    __slots__ = ("end", "seeks", "start")

    def __init__(self, records: Iterable[Any], start: int, end: int, seeks: int) -> None:
        super().__init__(records)
        self.start = start
        self.end = end
        self.seeks = seeks

    def __bool__(self) -> bool:
        return self.end > self.start


@dataclass(frozen=True)
class Undecodable:
    """A batch that cannot be read: where it begins, the offset after it if its header says so, and why."""

    offset: int
    end: int | None
    reason: str
    #: When it was first fetched, Unix time in seconds, and how often it has been.
    since: float
    tries: int


def undecodable_reason(topic: str, partition: int, found: Undecodable) -> str:
    """The problem and its remedy, for health, log and doctor."""
    before = "the offset after it" if found.end is None else f"offset {found.end}"
    return (
        f"partition {partition}: the batch at offset {found.offset} of {topic} cannot be decoded "
        f"({found.reason}); this partition waits, the others go on; remedy: have what is in it sent again, "
        f"if that can be, and delete the partition's records before {before} (kafka-delete-records.sh); "
        f"what lies before offset {found.offset} has been read"
    )


class Fetches(dict[Any, Any]):
    """Replaces a fetcher's `_records`: the fetched data of each partition that is not delivered yet.

    Owned by the consumer's thread; `undecodable` and `seeks` may be read from others.

    Args:
        unpacked: the function that converts a parsed batch to a list, by topic; its records have `offset` at
            least. None stands for aiokafka's own records. Other topics are left to aiokafka.
        back_off: the back-off of an undecodable batch before it is fetched again.
    """

    def __init__(self, unpacked: Mapping[str, Unpack | None], back_off: BackOff = FETCH_AGAIN) -> None:
        super().__init__()
        self._unpacked = unpacked
        self._back_off = back_off
        #: How often each partition was sought: identifies what was fetched before the last seek.
        self.seeks: Counter[Any] = Counter()
        #: The batch at which each partition has stopped.
        self.undecodable: dict[Any, Undecodable] = {}

    def counting(self, seek_to: Callable[[Any, int], None]) -> Callable[[Any, int], None]:
        """A fetcher's `seek_to` that counts."""

        def counted(partition: Any, offset: int) -> None:
            self.seeks[partition] += 1
            seek_to(partition, offset)

        return counted

    def __setitem__(self, partition: Any, fetched: Any) -> None:
        """Make fetches of the unpacked topics return converted records; others stay unchanged."""
        if type(fetched) is FetchResult and partition.topic in self._unpacked:
            source = fetched._partition_records
            source._records_iterator = None  # it references its owner, and with it all fetched data
            unpack = self._unpacked[partition.topic] or _as_aiokafka_does(partition, source)
            fetched.getall = _Drain(partition, fetched, source, unpack, self).getall
        super().__setitem__(partition, fetched)

    def stop_at(self, partition: Any, state: Any, offset: int, end: int | None, error: Exception) -> None:
        """Pause a partition at a batch that cannot be read, and have it fetched again later."""
        known = self.undecodable.get(partition)
        same = known is not None and known.offset == offset
        since, tries = (known.since, known.tries + 1) if known is not None and same else (time.time(), 1)
        reason = f"{type(error).__name__}: {error}"[:300]
        found = self.undecodable[partition] = Undecodable(offset, end, reason, since, tries)
        if not same:
            logger.error("%s", undecodable_reason(partition.topic, partition.partition, found))
        state.pause()
        asyncio.get_running_loop().call_later(self._back_off.delay(tries), state.resume)

    def reached(self, partition: Any, end: int) -> None:
        """A partition was read up to an offset, possibly beyond the batch at which it had stopped."""
        stopped = self.undecodable.get(partition)
        if stopped is not None and end > stopped.offset:
            del self.undecodable[partition]
            logger.warning("%s[%d]: read on from offset %d", *partition, stopped.offset)


def _as_aiokafka_does(partition: Any, source: Any) -> Unpack:
    make: Callable[[Any, Any], Any] = source._consumer_record
    return lambda records: [make(partition, record) for record in records]


class _Drain:
    """Delivers the records of one fetch of one partition."""

    def __init__(self, partition: Any, fetched: Any, source: Any, unpack: Unpack, owner: Fetches) -> None:
        self._partition = partition
        self._fetched = fetched
        self._source = source
        self._unpack = unpack
        self._owner = owner
        self._batches = source._records
        self._committed_only = source._isolation_level == READ_COMMITTED
        self._left: list[Any] = []
        #: The offset after everything that was unpacked.
        self._reached: int = source.next_fetch_offset
        #: How many batches were parsed, and why the last one could not be, with the offset after it.
        self._parsed = 0
        self._failure: tuple[int | None, Exception] | None = None

    def getall(self, max_records: int | None = None) -> list[Any]:
        """The next records, at most `max_records`; the partition's position moves with them."""
        fetched, source = self._fetched, self._source
        if not fetched.check_assignment(self._partition) or not fetched.has_more():
            return []
        start = source.next_fetch_offset
        records = self._left
        while self._has_next() and (max_records is None or len(records) < max_records):
            records += self._next_records()
        self._left = [] if max_records is None else records[max_records:]
        del records[len(records) - len(self._left) :]
        end = source.next_fetch_offset = self._left[0].offset if self._left else self._reached
        fetched._update_position()
        if not self._left and not self._has_next():
            fetched._partition_records = None
            del fetched.getall  # the reference cycle would retain all data until the next garbage collection
            if self._failure is not None:
                state = fetched._assignment.state_value(self._partition)
                self._owner.stop_at(self._partition, state, self._reached, *self._failure)
        if self._owner.undecodable:
            self._owner.reached(self._partition, end)
        return Fetched(records, start, end, self._owner.seeks[self._partition])

    def _has_next(self) -> bool:
        return self._failure is None and self._batches.has_next()

    def _next_records(self) -> list[Any]:
        batch = None
        try:
            batch = self._batches.next_batch()
            self._parsed += 1
            try:
                return self._records_of(batch)
            except UnicodeDecodeError:
                return self._records_of(lenient_batch(self._batches.data, self._parsed - 1), checked=True)
        except Exception as error:  # a parser or a codec may raise anything for foreign bytes
            self._failure = (None if batch is None else batch.next_offset, error)
            return []

    def _records_of(self, batch: Any, *, checked: bool = False) -> list[Any]:
        if self._source._check_crcs and not checked and not batch.validate_crc():
            raise CorruptRecordException("its CRC is wrong")
        skipped = batch.is_transactional and self._is_skipped(batch)
        records = [] if skipped or batch.is_control_batch else self._unpack(batch)
        if records and records[0].offset < self._reached:  # a fetch returns whole batches
            records = [record for record in records if record.offset >= self._reached]
        # A compacted batch still has its original last offset.
        self._reached = batch.next_offset
        return records

    def _is_skipped(self, batch: Any) -> bool:
        """Whether a transactional batch is of an aborted transaction, or the marker that ends one."""
        source = self._source
        if not self._committed_only:
            return False
        source._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch:
            if source._contains_abort_marker(batch):
                source._aborted_producers.discard(batch.producer_id)
            return True
        return batch.producer_id in source._aborted_producers
