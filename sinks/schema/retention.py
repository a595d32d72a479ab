"""Deletes rows past their retention from plain tables: `gridwatch db maintain`.

TimescaleDB drops whole chunks by itself. Plain tables are not partitioned: the keys that the sink merges by
are unique over a whole table. So rows are deleted in batches, one transaction each, while a sink may write.
New rows reuse the space after a vacuum.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from sinks import tables
from sinks.database import connect
from sinks.schema.storage import Storage
from sinks.schema.timescale import read_timescale_status
from sinks.schema.version import read_status, require_current
from sinks.tables.table import DatabaseTable

BATCH_ROWS = 50_000


def maintain(
    url: str,
    storage: Storage,
    *,
    batch_rows: int = BATCH_ROWS,
    on_deleted: Callable[[str, int], None] = lambda table, rows: None,
) -> dict[str, int]:
    """Delete rows past their retention; returns their number by table.

    A table is left out when it has no retention, or is a hypertable, whose policies do it. `on_deleted` is
    called after each batch. GridwatchError when the database is unavailable or its schema is not the current
    one.
    """
    with connect(url) as connection:
        found = read_status(connection)
        require_current(found)
        chunked = read_timescale_status(connection).hypertables if found.kind.timescaledb else {}
    removed = {}
    for table in tables.TABLES:
        retention = storage.retention(table)
        if retention is not None and table.name not in chunked:
            removed[table.name] = 0
            while rows := _delete(url, table, retention, batch_rows):
                removed[table.name] += rows
                on_deleted(table.name, rows)
    return removed


def _delete(url: str, table: DatabaseTable, retention: timedelta, batch_rows: int) -> int:
    """Delete one batch; returns the number of rows."""
    with connect(url) as connection:
        return connection.execute(
            text(  # the names are constants of the schema
                f"DELETE FROM {table.name} WHERE ctid = ANY (ARRAY("  # noqa: S608
                f'SELECT ctid FROM {table.name} WHERE "{table.time}" < now() - :retention LIMIT :rows))'
            ),
            {"retention": retention, "rows": batch_rows},
        ).rowcount
