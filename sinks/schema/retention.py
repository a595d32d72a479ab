"""Removing what has become too old from plain tables: `gridwatch db maintain`.

TimescaleDB drops whole chunks by itself. Plain tables are not cut into partitions: the keys that the sink
writes by hold over a whole table, and so rows go one by one, in batches of a transaction each, beside a
sink that writes. What the deleted rows held is used again by the next ones after a vacuum.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from sinks import tables
from sinks.database import connect
from sinks.schema.storage import Storage
from sinks.schema.timescale import read_standing
from sinks.schema.version import read_status, require_current
from sinks.tables.table import DatabaseTable

BATCH_ROWS = 50_000


def maintain(
    url: str,
    storage: Storage,
    *,
    batch_rows: int = BATCH_ROWS,
    deleted: Callable[[str, int], None] = lambda table, rows: None,
) -> dict[str, int]:
    """Delete rows older than the settings keep them; gives their number by table.

    A table is left out when it is kept for ever, or is TimescaleDB's, whose policies do it. `deleted` hears
    of each batch. GridwatchError when the database cannot be reached or its schema is not the current one.
    """
    with connect(url) as connection:
        found = read_status(connection)
        require_current(found)
        chunked = read_standing(connection).hypertables if found.kind.timescaledb else {}
    removed = {}
    for table in tables.TABLES:
        kept = storage.retention(table)
        if kept is not None and table.name not in chunked:
            removed[table.name] = 0
            while rows := _delete(url, table, kept, batch_rows):
                removed[table.name] += rows
                deleted(table.name, rows)
    return removed


def _delete(url: str, table: DatabaseTable, kept: timedelta, batch_rows: int) -> int:
    """Delete one batch; gives the number of rows."""
    with connect(url) as connection:
        return connection.execute(
            text(  # the names are constants of the schema
                f"DELETE FROM {table.name} WHERE ctid = ANY (ARRAY("  # noqa: S608
                f'SELECT ctid FROM {table.name} WHERE "{table.time}" < now() - :kept LIMIT :rows))'
            ),
            {"kept": kept, "rows": batch_rows},
        ).rowcount
