"""The RocksDB store of the worker's Faust table.

Faust's own store writes each key by itself, immediately. This one writes whole commits as one WriteBatch: all
rows of one or more atomic changelog appends (`write_buffer.py`), together with the changelog offset of the
last one. The changelog is the source of truth: a damaged local database is deleted and rebuilt from it.

Damage may be found when the database is opened, or only when a block is read, much later. The partition then
refuses every read until the next recovery, which starts with an empty database: rows read before must not be
mixed with lost ones. RocksDB's iterators end early at a damaged block without an error, so the last key they
returned is compared with the last key of the database.

A database also stores the id of the changelog topic that its rows are from. If that topic is gone, or ends
before the offset that the database has, the database is rebuilt too. So is one with more rows than the
partition's row has counted: compaction drops tombstones after a while (`delete.retention.ms`), and a database
that was offline for longer still has rows that were removed meanwhile.
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


#: RocksDB's errors for a database that cannot be read any more.
_DAMAGE = ("Corruption", "No such file")
#: The key of the id of its changelog topic in a database. Never written to the changelog itself.
IDENTITY_KEY = b"\x00changelog"


@dataclass(frozen=True)
class TopicIdentity:
    """Which topic the broker has under a name: its id, and the start and end offset of each partition.

    A topic that is deleted and created again has another id.
    """

    topic_id: bytes
    starts: Mapping[int, int]
    ends: Mapping[int, int]


class DamagedError(Exception):
    """A local database cannot be read any more: its partition has to be recovered from the changelog."""


class Store(faust_rocksdb.Store):  # type: ignore[misc, unused-ignore]
    """RocksDB, one database a partition, with a write buffer for some commits."""

    def __init__(self, *args: Any, options: Mapping[str, Any], **kwargs: Any) -> None:
        #: Which records of a changelog are rows of this table.
        self.layout: TableLayout[Any] = options["layout"]
        kwargs["options"] = dict(_OPTIONS)  # Faust removes the options that it knows
        super().__init__(*args, **kwargs)
        #: The changelog topic on the broker; None if that is not known.
        self.changelog: TopicIdentity | None = None
        self.flush_policy = FlushPolicy()
        self._buffers: dict[int, WriteBuffer] = {}
        #: Partitions whose database cannot be read.
        self._damaged: set[int] = set()
        #: How far each partition's changelog has been read in this recovery, and the partitions with an
        #: offset gap in it.
        self._read_to: dict[int, int] = {}
        self._incomplete: set[int] = set()
        #: Called at an offset gap: topic, partition, and the first missing offset.
        self.on_gap: Callable[[str, int, int], None] = lambda topic, partition, offset: None
        #: Partitions whose last recovery read the changelog from its start.
        self._rebuilt: set[int] = set()
        #: By partition, the difference to the counted states that remains after reading the whole changelog.
        self._miscounted: dict[int, int] = {}
        #: Foreign records read from the changelog, and their keys by partition.
        self.foreign_rows = 0
        self.foreign_keys: dict[int, set[bytes]] = {}

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row of a key, or None."""
        database = self._usable(partition)
        buffer = self._buffers.get(partition)
        if buffer is not None and key in buffer.rows:
            return buffer.rows[key]
        try:
            value: bytes | None = database.get(key)
        except Exception as error:
            raise self._as_damage(partition, error) from error
        return value

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, row) of a partition, in key order. Do not hold the iterator across an await."""
        return self.rows_from(partition, b"")

    def rows_from(self, partition: int, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, row) of a partition from a key on. Do not hold the iterator across an await."""
        self.flush(partition)
        database = self._usable(partition)
        last_read = b""
        for key, value in database.items(from_key=start):
            last_read = key
            if key not in (self.offset_key, IDENTITY_KEY):
                yield key, value
        try:
            end = database.iter()
            end.seek_to_last()
            end.status()
            last: bytes = end.key() if end.valid() else b""
        except Exception as error:
            raise self._as_damage(partition, error) from error
        if start <= last != last_read:
            raise self._as_damage(partition, ValueError(f"Corruption: unreadable after key {last_read!r}"))

    def applied_offset(self, partition: int) -> int:
        """The last changelog offset applied to a partition's rows; -1 if there is none yet."""
        self.flush(partition)
        try:
            offset = self._usable(partition).get(self.offset_key)
        except Exception as error:
            raise self._as_damage(partition, error) from error
        return -1 if offset is None else int(offset)

    def persisted_offset(self, tp: Any) -> int:
        """The same for Faust, which asks at the start of a recovery: an unusable database is deleted first.

        Never None: Faust would then resume from the offset it has in memory, which is that of the lost
        database.
        """
        partition: int = tp.partition
        self._incomplete.discard(partition)
        self._read_to.pop(partition, None)
        try:
            if self._matches_changelog(partition):
                applied = self.applied_offset(partition)
                (self._rebuilt.add if applied < 0 else self._rebuilt.discard)(partition)
                return applied
        except DamagedError:
            self._damaged.discard(partition)
        self._rebuilt.add(partition)
        database = self._dbs.pop(partition, None)
        if database is not None:
            database.close()
        shutil.rmtree(self.partition_path(partition), ignore_errors=True)
        self._matches_changelog(partition)
        return -1

    def _matches_changelog(self, partition: int) -> bool:
        """Whether a partition's rows are from the current changelog; rows without an id are."""
        topic = self.changelog
        if topic is None:
            return True
        path, end = self.partition_path(partition), topic.ends[partition]
        applied = self.applied_offset(partition)
        known = self.row(partition, IDENTITY_KEY)
        if known is None:
            self._usable(partition).put(IDENTITY_KEY, topic.topic_id)
        elif known != topic.topic_id:
            self.logger.error(
                "%s: its changelog is gone, and there is another one of that name; state is rebuilt from"
                " that one and the raw topic",
                path,
            )
            return False
        if applied >= end:
            self.logger.error(
                "%s reaches to offset %d of a changelog that ends at %d: the broker has lost the end of it;"
                " state is rebuilt from the rest, and from there on from the raw topic",
                *(path, applied, end),
            )
            return False
        return True

    def require_count(self, partition: int, found: int, counted: int) -> None:
        """DamagedError if the number of a partition's states is not the one in its own row.

        The partition is then recovered from the changelog alone. If that gives the same number, it is
        accepted.
        """
        if found - counted == self._miscounted.get(partition, 0):
            return
        path = self.partition_path(partition)
        why = f"it has {found} {self.table_name}, and has counted {counted}"
        if partition in self._rebuilt:
            self.logger.error("%s: %s, as its changelog says", path, why)
            self._miscounted[partition] = found - counted
            return
        self.logger.error("%s is out of date (%s); rebuilding it from the changelog", path, why)
        self._damaged.add(partition)
        raise DamagedError(f"{path} is out of date")

    def _usable(self, partition: int) -> Any:
        if partition in self._damaged:
            raise DamagedError(f"{self.partition_path(partition)} is damaged")
        if partition in self._incomplete:
            raise DamagedError(f"{self.partition_path(partition)} has an offset gap in its changelog")
        return self._db_for_partition(partition)

    def _as_damage(self, partition: int, error: Exception) -> Exception:
        """The error itself, or DamagedError if it means that the database cannot be read any more."""
        # A full disk or too many open files are not damage: an empty database would fail as well.
        if isinstance(error, DamagedError) or not any(word in str(error) for word in _DAMAGE):
            return error
        path = self.partition_path(partition)
        self._damaged.add(partition)
        self.logger.error("%s is damaged (%s); rebuilding it from the changelog", path, error)
        return DamagedError(f"{path} is damaged: {error}")

    def buffer(self, partition: int, changed: Iterable[Row], changelog_offset: int) -> None:
        """Buffer one commit: its rows (None removes) and its changelog offset. Reads see them at once;
        RocksDB gets them with the next flush."""
        self._usable(partition)
        now = time.monotonic()
        buffer = self._buffers.get(partition)
        if buffer is None:
            buffer = self._buffers[partition] = WriteBuffer(self.flush_policy, now)
        buffer.add(changed, changelog_offset)
        if buffer.is_due(now, len(self._dbs)):
            self.flush(partition)

    def write(self, partition: int, changed: Iterable[Row], changelog_offset: int) -> None:
        """Write one commit to RocksDB at once."""
        self.buffer(partition, changed, changelog_offset)
        self.flush(partition)

    def flush(self, partition: int) -> None:
        """Write the buffer of a partition to its database, atomically."""
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
        database = self._usable(partition)
        try:
            database.write(batch)
        except Exception as error:
            raise self._as_damage(partition, error) from error

    def _get(self, key: bytes) -> bytes | None:
        """For Faust's own views, which read the databases only."""
        self._flush_or_log(set(self._buffers))
        value: bytes | None = super()._get(key)
        return value

    def _dbs_for_actives(self) -> Iterator[Any]:
        """For Faust's own views, too."""
        self._flush_or_log(set(self._buffers))
        databases: Iterator[Any] = super()._dbs_for_actives()
        return databases

    def revoke_partitions(self, table: Any, tps: set[Any]) -> None:
        """Flush and close the databases of revoked partitions."""
        self._flush_or_log({tp.partition for tp in tps})
        super().revoke_partitions(table, tps)

    async def stop(self) -> None:
        """Flush and close all databases."""
        self._flush_or_log(set(self._buffers))
        await super().stop()

    def _flush_or_log(self, partitions: set[int]) -> None:
        for partition in partitions:
            try:
                self.flush(partition)
            except Exception:  # whatever RocksDB raises: the changelog has the rows
                self.logger.exception(
                    "%s cannot be flushed; recovery reads the rest from the changelog",
                    self.partition_path(partition),
                )

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Write the rows that recovery or a standby read from the changelog: events that hold a RecordBatch
        each.

        Foreign records are skipped and logged; the row before one is retained. It must not raise, because
        Faust would retry for ever.
        """
        for event in batch:
            fetched = event.value
            ours = [record for record in fetched.records if self.layout.is_ours(record.key, record.value)]
            if len(ours) < len(fetched.records):
                self._skip_foreign(fetched)
            # A damaged partition accepts no rows: when it is taken over, it is recovered again.
            with contextlib.suppress(DamagedError):
                self._require_contiguous(fetched)
                self.write(fetched.partition, ((one.key, one.value) for one in ours), fetched.offset)

    def _require_contiguous(self, fetched: Any) -> None:
        """DamagedError if there is an offset gap before what was fetched of a changelog."""
        partition = fetched.partition
        expected = self._read_to.get(partition)
        if expected is None:
            expected = self.applied_offset(partition) + 1
            # While the start of the changelog is unknown, recovery starts again until it is known.
            expected = max(expected, self.changelog.starts[partition] if self.changelog else 0)
        if fetched.start > expected:
            self._usable(partition)
            self._incomplete.add(partition)
            self.on_gap(fetched.topic, partition, expected)
            raise DamagedError(f"{fetched.topic}[{partition}]: offsets from {expected} on did not arrive")
        self._read_to[partition] = max(expected, fetched.end)

    def _skip_foreign(self, fetched: Any) -> None:
        foreign = [record for record in fetched.records if not self.layout.is_ours(record.key, record.value)]
        self.foreign_rows += len(foreign)
        keys = self.foreign_keys.setdefault(fetched.partition, set())
        keys.update(one.key for one in foreign if one.key)
        first = foreign[0]
        self.logger.error(
            "%s[%d]: %d records are no rows of gridwatch and are skipped, the first at offset %d"
            " with key %r; the state before them is retained\n  remedy: find out who else writes to this"
            " topic, and let only the worker do so",
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
