"""The RocksDB store: a commit is whole, a damaged database is rebuilt, a locked one is named."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rocksdict
from faust.types import TP

from gridwatch.errors import GridwatchError
from gridwatch.tables.store import DamagedError, Store, TopicIdentity
from gridwatch.tables.write_buffer import FlushPolicy, WriteBuffer
from tests.stores import store_in


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield make(tmp_path)
    gc.collect()


def make(folder: Path) -> Store:
    return store_in(folder)


def test_a_commit_writes_rows_removals_and_its_changelog_offset_together(store: Store) -> None:
    store.write(0, [(b"a", b"1"), (b"b", b"2")], 11)
    store.write(0, [(b"a", None), (b"c", b"3")], 13)
    assert list(store.rows(0)) == [(b"b", b"2"), (b"c", b"3")]
    assert store.row(0, b"a") is None
    assert store.persisted_offset(SimpleNamespace(partition=0)) == 13  # type: ignore[arg-type]


def test_partitions_are_apart(store: Store) -> None:
    store.write(0, [(b"a", b"1")], 1)
    assert store.row(1, b"a") is None


def test_rows_can_be_read_from_a_key_on(store: Store) -> None:
    store.write(0, [(key, b"") for key in (b"a", b"b", b"c")], 1)
    assert [key for key, _ in store.rows_from(0, b"b")] == [b"b", b"c"]


def test_a_damaged_database_is_deleted_so_that_the_changelog_rebuilds_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = make(tmp_path)
    first.write(0, [(b"a", b"1")], 5)
    path = first.partition_path(0)
    first._dbs.pop(0).close()
    del first
    gc.collect()
    (path / "CURRENT").write_bytes(b"garbage")
    with caplog.at_level(logging.ERROR):
        second = make(tmp_path)
        assert second.row(0, b"a") is None
    assert second.persisted_offset(SimpleNamespace(partition=0)) == -1  # type: ignore[arg-type]
    assert "rebuilding it from the changelog" in caplog.text


def on_disk(folder: Path) -> tuple[dict[bytes, bytes], int]:
    """What a worker would find after a crash at this moment: the rows, and their changelog offset."""
    copy = Path(tempfile.mkdtemp(dir=folder.parent)) / folder.name
    shutil.copytree(folder, copy)
    (copy / "meters-0.db" / "LOCK").unlink(missing_ok=True)
    found = make(copy)
    return dict(found.rows(0)), asked(found)


def test_buffered_rows_are_read_at_once_and_flushed_when_due(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    store = make(folder)
    store.write(0, [(b"a", b"1"), (b"b", b"2")], 2)
    store.buffer(0, [(b"a", None), (b"c", b"3")], 4)
    store.buffer(0, [(b"c", b"4"), (b"d", b"5")], 6)
    assert [store.row(0, key) for key in (b"a", b"b", b"c", b"d")] == [None, b"2", b"4", b"5"]
    assert on_disk(folder) == ({b"a": b"1", b"b": b"2"}, 2)
    store._buffers[0]._policy = FlushPolicy(rows=4)
    store.buffer(0, [(b"e", b"6")], 7)
    now = {b"b": b"2", b"c": b"4", b"d": b"5", b"e": b"6"}
    assert on_disk(folder) == (now, 7)


def test_a_buffer_is_written_by_its_age_or_by_its_rows() -> None:
    buffer = WriteBuffer(FlushPolicy(seconds=10.0, rows=12), now=100.0)
    buffer.add([(b"a", b"1"), (b"b", None)], 3)
    buffer.add([(b"a", b"2")], 4)
    assert (buffer.rows, buffer.offset) == ({b"a": b"2", b"b": None}, 4)
    assert [buffer.is_due(now, 5) for now in (100.0, 109.9, 110.0)] == [False, False, True]
    assert [buffer.is_due(100.0, partitions) for partitions in (5, 6)] == [False, True]


def test_rows_are_not_buffered_for_longer_than_so_many_seconds(tmp_path: Path) -> None:
    store = make(tmp_path / "store")
    store.flush_policy = FlushPolicy(seconds=0.0)
    store.buffer(0, [(b"a", b"1")], 1)
    assert on_disk(tmp_path / "store") == ({b"a": b"1"}, 1)


def test_a_scan_and_the_applied_offset_see_buffered_rows(store: Store) -> None:
    store.write(0, [(b"a", b"1"), (b"c", b"2")], 2)
    store.buffer(0, [(b"b", b"3"), (b"c", None)], 4)
    assert list(store.rows(0)) == [(b"a", b"1"), (b"b", b"3")]
    store.buffer(0, [(b"d", b"4")], 5)
    assert store.applied_offset(0) == 5
    store.buffer(0, [(b"e", b"5")], 6)
    assert store._get(b"e") == b"5"


def test_a_database_is_flushed_before_it_is_closed(tmp_path: Path) -> None:
    for number, folder in enumerate((tmp_path / "revoked", tmp_path / "stopped")):
        store = make(folder)
        store.buffer(0, [(b"a", b"1")], 1)
        if number:
            asyncio.run(store.stop())
        else:
            table: Any = SimpleNamespace(changelog_topic=SimpleNamespace(topics=["log"]))
            store.revoke_partitions(table, {TP("log", 0)})
        assert on_disk(folder) == ({b"a": b"1"}, 1)


def test_the_buffer_of_a_damaged_database_is_discarded_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = with_a_damaged_block(tmp_path)
    store.buffer(0, [(b"a", b"1")], 6)
    with pytest.raises(DamagedError):
        list(store.rows(0))
    store._buffers[0] = WriteBuffer(FlushPolicy(), 0.0)
    asyncio.run(store.stop())
    assert "cannot be flushed" in caplog.text
    with pytest.raises(DamagedError):
        store.buffer(0, [(b"a", b"1")], 7)
    with pytest.raises(DamagedError):
        store.row(0, b"a")
    assert asked(store) == -1
    assert list(store.rows(0)) == []


def asked(store: Store) -> int:
    """The offset that a recovery of partition 0 starts from."""
    return store.persisted_offset(SimpleNamespace(partition=0))  # type: ignore[arg-type]


def test_rows_of_another_changelog_are_deleted(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.changelog = TopicIdentity(b"first", {0: 0}, {0: 6})
    assert asked(store) == -1
    store.write(0, [(b"a", b"1")], 5)
    assert asked(store) == 5
    assert list(store.rows(0)) == [(b"a", b"1")]
    store.changelog = TopicIdentity(b"second", {0: 0}, {0: 60})
    assert asked(store) == -1
    assert list(store.rows(0)) == []
    assert "its changelog is gone" in caplog.text
    store.write(0, [(b"b", b"2")], 7)
    assert asked(store) == 7


def test_rows_beyond_the_end_of_the_changelog_are_deleted(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.changelog = TopicIdentity(b"first", {0: 0}, {0: 6})
    store.write(0, [(b"a", b"1")], 5)
    assert asked(store) == 5
    store.changelog = TopicIdentity(b"first", {0: 0}, {0: 5})
    assert asked(store) == -1
    assert list(store.rows(0)) == []
    assert "lost the end of it" in caplog.text


def test_rows_are_used_where_the_broker_does_not_describe_the_changelog(store: Store) -> None:
    store.write(0, [(b"a", b"1")], 5)
    assert asked(store) == 5
    assert list(store.rows(0)) == [(b"a", b"1")]


def test_rows_that_are_not_as_many_as_counted_are_deleted_unless_the_changelog_has_the_same_number(
    store: Store,
) -> None:
    store.write(0, [(b"a", b"1")], 5)
    asked(store)
    store.require_count(0, 1, 1)
    with pytest.raises(DamagedError):
        store.require_count(0, 1, 2)
    assert asked(store) == -1  # all of the changelog is read
    store.write(0, [(b"a", b"1")], 5)
    store.require_count(0, 1, 2)
    assert asked(store) == 5  # the next time it is known
    store.require_count(0, 1, 2)
    with pytest.raises(DamagedError):
        store.require_count(0, 2, 2)


def with_a_damaged_block(folder: Path) -> Store:
    """A store of one partition with 3000 rows on disk, of which a block in the middle cannot be read."""
    first = make(folder)
    first.write(0, [(b"%04d" % number, b"row %d " % number * 20) for number in range(3000)], 5)
    path = first.partition_path(0)
    first._dbs[0].flush()
    first._dbs.pop(0).close()
    del first
    gc.collect()
    (table,) = path.glob("*.sst")
    content = bytearray(table.read_bytes())
    for place in range(len(content) // 3, len(content) // 2):
        content[place] ^= 1
    table.write_bytes(content)
    return make(folder)


def test_unreadable_rows_never_pass_for_missing_rows(tmp_path: Path) -> None:
    store = with_a_damaged_block(tmp_path)
    with pytest.raises(DamagedError):
        list(store.rows(0))
    store = with_a_damaged_block(tmp_path / "second")
    with pytest.raises(DamagedError):
        for number in range(3000):
            store.row(0, b"%04d" % number)


def test_a_damaged_partition_refuses_reads_until_the_next_recovery(tmp_path: Path) -> None:
    store = with_a_damaged_block(tmp_path)
    with pytest.raises(DamagedError):
        list(store.rows(0))
    with pytest.raises(DamagedError):
        store.row(0, b"0000")
    with pytest.raises(DamagedError):
        store.write(0, [(b"a", b"1")], 6)
    rows = SimpleNamespace(partition=0, records=[SimpleNamespace(key=b"a", value=None)], offset=6)
    store.apply_changelog_batch([SimpleNamespace(value=rows)], None, None)  # a recovery under way goes on
    assert store.persisted_offset(SimpleNamespace(partition=0)) == -1  # the next one begins at the start
    assert list(store.rows(0)) == []
    store.write(0, [(b"a", b"1")], 6)
    assert store.row(0, b"a") == b"1"


def test_a_database_locked_by_another_is_named_with_the_remedy(tmp_path: Path) -> None:
    holder = make(tmp_path)
    holder.write(0, [(b"a", b"1")], 5)
    with pytest.raises(GridwatchError, match=r"locked by another process"):
        make(tmp_path).row(0, b"a")
    assert isinstance(holder._dbs[0], rocksdict.Rdict)
