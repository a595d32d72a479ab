"""The book shown and exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from gridwatch.registry.book import record_sql
from gridwatch.registry.entities import VERSION, Entity
from gridwatch.registry.staging import prepare

_FETCH_ROWS = 5000

Record = dict[str, Any]
"""The fields of a row that it has, as in its control record."""


def read(connection: Connection, entity: Entity, pattern: str | None = None) -> Iterator[list[Record]]:
    """The rows in order of their keys, in batches; `pattern`: only keys that this regular expression
    matches."""
    prepare(connection)
    key = f"o.{entity.key.stored}"
    found = connection.exec_driver_sql(
        f"SELECT {record_sql(entity, 'o')} FROM {entity.table} AS o"
        f" WHERE %(pattern)s::text IS NULL OR {key} ~ %(pattern)s ORDER BY {key}",
        {"pattern": pattern},
        execution_options={"stream_results": True, "yield_per": _FETCH_ROWS},
    )
    for rows in found.partitions(_FETCH_ROWS):
        yield [msgspec.json.decode(text, type=dict[str, Any]) for (text,) in rows]


def find(connection: Connection, entity: Entity, key: str) -> Record | None:
    """One row, with `updated_at` and how many of its changes wait in the outbox; None if there is none."""
    prepare(connection)
    row = connection.exec_driver_sql(
        f'SELECT {record_sql(entity, "o")}, to_char(o.updated_at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\'),'
        " (SELECT count(*) FROM outbox AS b WHERE b.published_at IS NULL AND b.entity = %(entity)s)"
        f" FROM {entity.table} AS o WHERE o.{entity.key.stored} = %(key)s",
        {"key": key, "entity": f"{entity.name}:{key}"},
    ).one_or_none()
    if row is None:
        return None
    record: Record = msgspec.json.decode(row[0])
    return {**record, "updated_at": row[1], "unpublished": row[2]}


def cells(records: Sequence[Record], entity: Entity) -> list[list[str | None]]:
    """Records as rows of a CSV that can be imported."""
    names = head(entity)
    return [[_cell(record.get(name)) for name in names] for record in records]


def head(entity: Entity) -> tuple[str, ...]:
    """The columns of an export."""
    return (*entity.by_name, VERSION)


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value)
