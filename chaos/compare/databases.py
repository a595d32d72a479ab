"""Compares the workers' RocksDB with the changelog, row by row, once the workers have stopped.

A folder may hold stale databases of partitions that went to another worker since. But the last owner of a
partition must have exactly the rows of the changelog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import rocksdict
from faust.stores.rocksdb import Store

from chaos.compare.changelog import Rows
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.store import IDENTITY_KEY

_NAMED = 3


def read_databases(
    folders: Iterable[Path], table: str, changelog: bytes | None = None
) -> list[tuple[int, int, dict[bytes, bytes]]]:
    """(partition, changelog offset, rows) of every readable database of a table.

    changelog: the identity of the current changelog; databases of a deleted one are left out.
    """
    found = []
    for folder in folders:
        for current in sorted(folder.rglob(f"{table}-*.db/CURRENT")):
            partition = int(current.parent.stem.rpartition("-")[2])
            rows = _read(current.parent)
            reached = rows.pop(Store.offset_key, None)
            identity = rows.pop(IDENTITY_KEY, changelog)
            if reached is not None and (changelog is None or identity == changelog):
                found.append((partition, int(reached), rows))
    return found


def _read(folder: Path) -> dict[bytes, bytes]:
    """Every row; none if the database is damaged, which its worker would detect as well."""
    rows = {}
    try:
        database = rocksdict.Rdict(
            str(folder), rocksdict.Options(raw_mode=True), access_type=rocksdict.AccessType.read_only()
        )
        try:
            place = database.iter()
            place.seek_to_first()
            while place.valid():
                rows[place.key()] = place.value()
                place.next()
            place.status()  # raises if a damaged block ended the iteration
        finally:
            database.close()
    except Exception:  # all that rocksdict raises
        return {}
    return rows


def find_inconsistencies(
    changelog: Rows, databases: Iterable[tuple[int, int, Mapping[bytes, bytes]]]
) -> list[str]:
    """Where the databases of the last owners differ from the changelog, or are missing."""
    databases = list(databases)
    found = []
    for partition, end in sorted(changelog.ends.items()):
        state = changelog.partition(partition)
        counted = changelog.layout.is_counted
        states = sum(of == partition and counted(key) for of, key in changelog.last)
        if state is None or state.row_count != states:
            found.append(
                f"changelog: partition {partition}: {states} states, counted {state and state.row_count}"
            )
        wanted = {
            key: row for (of, key), row in changelog.last.items() if of == partition and key != FENCE_KEY
        }
        whole = [rows for of, reached, rows in databases if of == partition and reached >= end]
        if not whole:
            reached = [reached for of, reached, _ in databases if of == partition]
            found.append(f"RocksDB: partition {partition}: none reaches the changelog's {end}: {reached}")
        for rows in whole:
            # A disk that was away while compaction dropped tombstones keeps rows of other kinds that no state
            # names any more: nothing reads them. States are counted, so such a disk is rebuilt for theirs.
            named = {key for key in rows if counted(key) or key == PARTITION_KEY}
            differing = sorted(key for key in wanted.keys() | named if wanted.get(key) != rows.get(key))
            found += [
                f"RocksDB: partition {partition}: {key!r} is {rows.get(key)!r}, "
                f"in the changelog {wanted.get(key)!r}"
                for key in differing[:_NAMED]
            ]
    return found
