"""The RocksDB store behind the worker's Faust table.

Faust's own store writes every key at once and alone. Here whole commits are written as one WriteBatch: all
rows of one or more atomic changelog appends (`write_buffer.py`), together with the changelog offset they
reach to. The changelog is the truth; a local database that is damaged is thrown away and rebuilt from it.

Damage may be found at opening, or only when a block is read, much later. Then the partition answers nothing
any more until recovery begins anew, which finds an empty database: what was read of it must not be mixed
with what it had lost. RocksDB's iterators end early at a damaged block without a word, so the last key they
came to is held against the last one there is.

A database also keeps which changelog its rows are of. If that one is gone, or ends before what the database
has, its rows are of no use either: what the changelog says now has to be the whole truth. Nor are they if
there are more of them than the partition's row has counted: compaction forgets removals after a while
(`delete.retention.ms`), and a database that was away for longer still has what has been removed since.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import rocksdict
from faust.stores import STORES
from faust.stores import rocksdb as faust_rocksdb

from gridwatch.errors import GridwatchError
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.row_kind import Row
from gridwatch.tables.write_buffer import FlushPolicy, WriteBuffer

SCHEME = "gridwatch"

#: Every partition has a database of its own, so each must be small: bytes.
_OPTIONS = {
    "write_buffer_size": 16 * 1024 * 1024,
    "max_write_buffer_number": 2,
    "target_file_size_base": 32 * 1024 * 1024,
    "block_cache_size": 16 * 1024 * 1024,
    "bloom_filter_size": 10,
    "max_open_files": 256,
}


#: What RocksDB says when a database cannot be read any more.
_DAMAGE = ("Corruption", "No such file")
#: Where a database keeps the identity of its changelog. Never in the changelog itself.
IDENTITY_KEY = b"\x00changelog"


@dataclass(frozen=True)
class Log:
    """A topic as the broker has it: which one of all that ever had its name, and each partition's first
    offset and end."""

    identity: bytes
    starts: Mapping[int, int]
    ends: Mapping[int, int]


class DamagedError(Exception):
    """A local database cannot be read any more: its partition has to be recovered from the changelog."""


class Store(faust_rocksdb.Store):  # type: ignore[misc, unused-ignore]
    """RocksDB, one database a partition, written some commits at a time."""

    def __init__(self, *args: Any, options: Mapping[str, Any], **kwargs: Any) -> None:
        #: Which records of a changelog are rows of this table.
        self.layout: TableLayout[Any] = options["layout"]
        kwargs["options"] = dict(_OPTIONS)  # Faust takes what it knows out of it
        super().__init__(*args, **kwargs)
        #: The changelog as the broker has it; None if that is not known.
        self.changelog: Log | None = None
        self.flush_policy = FlushPolicy()
        self._buffers: dict[int, WriteBuffer] = {}
        #: Partitions whose database cannot be read.
        self._damaged: set[int] = set()
        #: How far each partition's changelog has been read in this recovery, and the partitions of which
        #: something in between did not arrive.
        self._read_to: dict[int, int] = {}
        self._incomplete: set[int] = set()
        #: Told of what did not arrive: topic, partition, and the offset from which on.
        self.on_gap: Callable[[str, int, int], None] = lambda topic, partition, offset: None
        #: Partitions whose last recovery read all of the changelog.
        self._anew: set[int] = set()
        #: By partition, how many states too many even the whole changelog has.
        self._miscounted: dict[int, int] = {}
        #: Records read from the changelog that are no rows of ours, and their keys by partition.
        self.foreign_rows = 0
        self.foreign_keys: dict[int, set[bytes]] = {}

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row of a key, or None."""
        database = self._sound(partition)
        buffer = self._buffers.get(partition)
        if buffer is not None and key in buffer.rows:
            return buffer.rows[key]
        try:
            value: bytes | None = database.get(key)
        except Exception as error:
            raise self._judged(partition, error) from error
        return value

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, row) of a partition, in order of the key. Not to be held across an await."""
        return self.rows_from(partition, b"")

    def rows_from(self, partition: int, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, row) of a partition from a key on. Not to be held across an await."""
        self.catch_up(partition)
        database = self._sound(partition)
        reached = b""
        for key, value in database.items(from_key=start):
            reached = key
            if key not in (self.offset_key, IDENTITY_KEY):
                yield key, value
        try:
            end = database.iter()
            end.seek_to_last()
            end.status()
            last: bytes = end.key() if end.valid() else b""
        except Exception as error:
            raise self._judged(partition, error) from error
        if start <= last != reached:
            raise self._judged(partition, ValueError(f"Corruption: unreadable after key {reached!r}"))

    def reached(self, partition: int) -> int:
        """The changelog offset that a partition's rows reach to; -1 if they reach to none yet."""
        self.catch_up(partition)
        try:
            offset = self._sound(partition).get(self.offset_key)
        except Exception as error:
            raise self._judged(partition, error) from error
        return -1 if offset is None else int(offset)

    def persisted_offset(self, tp: Any) -> int:
        """The same for Faust, which asks as a recovery begins: a database of no use gives way to a new one.

        Never None: Faust would take that for "as far as I remember", which is how far the lost one reached.
        """
        partition: int = tp.partition
        self._incomplete.discard(partition)
        self._read_to.pop(partition, None)
        try:
            if self._is_of_changelog(partition):
                reached = self.reached(partition)
                (self._anew.add if reached < 0 else self._anew.discard)(partition)
                return reached
        except DamagedError:
            self._damaged.discard(partition)
        self._anew.add(partition)
        database = self._dbs.pop(partition, None)
        if database is not None:
            database.close()
        shutil.rmtree(self.partition_path(partition), ignore_errors=True)
        self._is_of_changelog(partition)
        return -1

    def _is_of_changelog(self, partition: int) -> bool:
        """Whether a partition's rows are of the changelog that there is; those that never said are."""
        log = self.changelog
        if log is None:
            return True
        path, reached, end = self.partition_path(partition), self.reached(partition), log.ends[partition]
        known = self.row(partition, IDENTITY_KEY)
        if known is None:
            self._sound(partition).put(IDENTITY_KEY, log.identity)
        elif known != log.identity:
            self.logger.error(
                "%s: its changelog is gone, and there is another one of that name; state is made anew from"
                " what that has, and from the raw topic",
                path,
            )
            return False
        if reached >= end:
            self.logger.error(
                "%s reaches to offset %d of a changelog that ends at %d: the broker has lost the end of it;"
                " state goes back to what is left, and on from there with the raw topic",
                *(path, reached, end),
            )
            return False
        return True

    def require_count(self, partition: int, found: int, counted: int) -> None:
        """DamagedError where a partition's states are not as many as its own row has counted.

        Then it is recovered from the changelog alone. If that says the same, so be it.
        """
        if found - counted == self._miscounted.get(partition, 0):
            return
        path = self.partition_path(partition)
        why = f"it has {found} {self.table_name}, and has counted {counted}"
        if partition in self._anew:
            self.logger.error("%s: %s, as its changelog says", path, why)
            self._miscounted[partition] = found - counted
            return
        self.logger.error("%s is out of date (%s); rebuilding it from the changelog", path, why)
        self._damaged.add(partition)
        raise DamagedError(f"{path} is out of date")

    def _sound(self, partition: int) -> Any:
        if partition in self._damaged:
            raise DamagedError(f"{self.partition_path(partition)} is damaged")
        if partition in self._incomplete:
            raise DamagedError(f"{self.partition_path(partition)} has not got all of its changelog")
        return self._db_for_partition(partition)

    def _judged(self, partition: int, error: Exception) -> Exception:
        """The error itself, or DamagedError if it says that the database cannot be read any more."""
        # A full disk or too many open files are none of it: an empty database would fare no better.
        if isinstance(error, DamagedError) or not any(word in str(error) for word in _DAMAGE):
            return error
        path = self.partition_path(partition)
        self._damaged.add(partition)
        self.logger.error("%s is damaged (%s); rebuilding it from the changelog", path, error)
        return DamagedError(f"{path} is damaged: {error}")

    def keep(self, partition: int, changed: Iterable[Row], changelog_offset: int) -> None:
        """Take over one commit: its rows (None removes) and the changelog offset they reach to. They are the
        state from here on, and in RocksDB soon."""
        self._sound(partition)
        now = time.monotonic()
        buffer = self._buffers.get(partition)
        if buffer is None:
            buffer = self._buffers[partition] = WriteBuffer(self.flush_policy, now)
        buffer.add(changed, changelog_offset)
        if buffer.is_due(now, len(self._dbs)):
            self.catch_up(partition)

    def write(self, partition: int, changed: Iterable[Row], changelog_offset: int) -> None:
        """The same, in RocksDB at once."""
        self.keep(partition, changed, changelog_offset)
        self.catch_up(partition)

    def catch_up(self, partition: int) -> None:
        """Write what a partition's database has not got yet, or nothing of it."""
        buffer = self._buffers.pop(partition, None)
        if buffer is None:
            return
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in buffer.rows.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(self.offset_key, str(buffer.offset).encode())
        database = self._sound(partition)
        try:
            database.write(batch)
        except Exception as error:
            raise self._judged(partition, error) from error

    def _get(self, key: bytes) -> bytes | None:
        """For Faust's own views, which know of databases only."""
        self._catch_up_or_say(set(self._buffers))
        value: bytes | None = super()._get(key)
        return value

    def _dbs_for_actives(self) -> Iterator[Any]:
        """For Faust's own views, too."""
        self._catch_up_or_say(set(self._buffers))
        databases: Iterator[Any] = super()._dbs_for_actives()
        return databases

    def revoke_partitions(self, table: Any, tps: set[Any]) -> None:
        """Let go of databases, whole."""
        self._catch_up_or_say({tp.partition for tp in tps})
        super().revoke_partitions(table, tps)

    async def stop(self) -> None:
        """Let go of all of them."""
        self._catch_up_or_say(set(self._buffers))
        await super().stop()

    def _catch_up_or_say(self, partitions: set[int]) -> None:
        for partition in partitions:
            try:
                self.catch_up(partition)
            except Exception:  # whatever RocksDB says: the changelog has it
                self.logger.exception("%s is left behind its changelog", self.partition_path(partition))

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Write what recovery or a standby read from the changelog: events that hold a RecordBatch each.

        What is no row of ours is left out and said: whoever wrote it, the state before it stands. It must
        not raise, because Faust would try the same again for ever.
        """
        for event in batch:
            fetched = event.value
            ours = [record for record in fetched.records if self.layout.is_ours(record.key, record.value)]
            if len(ours) < len(fetched.records):
                self._leave_out(fetched)
            # A partition found damaged takes nothing in: when it is taken over, recovery begins anew.
            with contextlib.suppress(DamagedError):
                self._require_joins(fetched)
                self.write(fetched.partition, ((one.key, one.value) for one in ours), fetched.offset)

    def _require_joins(self, fetched: Any) -> None:
        """DamagedError if what was read of a changelog before ends short of what comes now."""
        partition = fetched.partition
        expected = self._read_to.get(partition)
        if expected is None:
            expected = self.reached(partition) + 1
            # Where nobody knows where the changelog begins, recovery begins again until somebody does.
            expected = max(expected, self.changelog.starts[partition] if self.changelog else 0)
        if fetched.start > expected:
            self._sound(partition)
            self._incomplete.add(partition)
            self.on_gap(fetched.topic, partition, expected)
            raise DamagedError(f"{fetched.topic}[{partition}]: offsets from {expected} on did not arrive")
        self._read_to[partition] = max(expected, fetched.end)

    def _leave_out(self, fetched: Any) -> None:
        foreign = [record for record in fetched.records if not self.layout.is_ours(record.key, record.value)]
        self.foreign_rows += len(foreign)
        keys = self.foreign_keys.setdefault(fetched.partition, set())
        keys.update(one.key for one in foreign if one.key)
        first = foreign[0]
        self.logger.error(
            "%s[%d]: %d records are no rows of gridwatch and are left out, the first at offset %d"
            " with key %r; the state before them stands\n  remedy: find out who else writes to this topic,"
            " and let only the worker do so",
            *(fetched.topic, fetched.partition, len(foreign), first.offset, first.key),
        )

    def _open_for_partition(self, partition: int) -> Any:
        path = self.partition_path(partition)
        try:
            return super()._open_for_partition(partition)
        except Exception as error:
            text = str(error)
            if "lock file" in text or "lock hold" in text:
                raise GridwatchError(
                    f"{path} is locked by another process",
                    "give every worker its own data folder (GRIDWATCH_DATADIR), or stop the other",
                ) from error
            self.logger.error("%s is damaged (%s); rebuilding it from the changelog", path, text)
            shutil.rmtree(path, ignore_errors=True)
            return super()._open_for_partition(partition)


STORES.aliases[SCHEME] = f"{Store.__module__}:{Store.__name__}"
