"""Rows in a temporary table, compared with the book: what would change, and what must not.

`incoming` holds the rows as they were given, `change` those that differ from the book, completed with what
the book has where a column was not given. Both live as long as their transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gridwatch.registry.entities import METER, VALID_FROM, VERSION, Column, Entity
from gridwatch.registry.problems import SHOWN, Problem, Problems
from replay.run.progress import Progress

#: Changes of the book are made one after the other: what one compares, no other changes before it is done.
_BOOK_LOCK = 0x6772_6964_0001
_LOCK_WAIT = "60s"
_LINES_A_CHUNK = 2000


def prepare(connection: Connection) -> None:
    """Settings of the transaction."""
    connection.exec_driver_sql(
        f"SET LOCAL TimeZone = 'UTC'; SET LOCAL lock_timeout = '{_LOCK_WAIT}'; SET LOCAL work_mem = '64MB'"
    )


def lock_book(connection: Connection) -> None:
    """Wait for the change that is being made, if there is one; then this is the only one."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_BOOK_LOCK})")


def known_regions(connection: Connection) -> frozenset[str]:
    """The regions of the book: a meter is in one of them, or in none."""
    return frozenset(connection.exec_driver_sql("SELECT region FROM regions").scalars())


def stage(
    connection: Connection, entity: Entity, order: Sequence[str], lines: Iterator[str], progress: Progress
) -> int:
    """Copy rows into `incoming`; gives their number."""
    columns = [
        f"{_stored(entity, name)} {'bigint' if name == VERSION else entity.by_name[name].sql_type}"
        for name in order
    ]
    names = ", ".join(["line", *(_stored(entity, name) for name in order)])
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.change")
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE incoming (line integer, {', '.join(columns)}) ON COMMIT DROP"
    )
    statement = f"COPY pg_temp.incoming ({names}) FROM STDIN"
    cursor: Any = connection.connection.cursor()
    try:
        cursor.copy_expert(statement, _Chunks(lines, progress))
        count = int(cursor.rowcount)
    except psycopg2.Error as problem:
        raise DBAPIError.instance(statement, None, problem, psycopg2.Error) from problem
    finally:
        cursor.close()
    connection.exec_driver_sql("ANALYZE pg_temp.incoming")
    return count


def compare(
    connection: Connection, entity: Entity, head: Sequence[str], flow: str, valid_from: str | None
) -> int:
    """Fill `change` with the rows that differ from the book; gives their number.

    A change holds from its own `valid_from`, else from the one that is given for all, else at once: the one
    of an earlier change is not taken over.
    """
    key = entity.key.stored
    given = [column for column in entity.columns[1:] if column.name in head]
    merged = ", ".join(
        f"{_merged(column, column in given)} AS {column.stored}" for column in entity.columns[1:]
    )
    kept = [column.stored for column in entity.columns[1:] if column.name != VALID_FROM]
    differs = [
        f"({', '.join(f'm.{name}' for name in kept)}) IS DISTINCT FROM"
        f" ({', '.join(f'o.{name}' for name in kept)})",
        "m.given > o.version",
    ]
    if VALID_FROM in head:
        differs.append(f"m.asked_{VALID_FROM} <> coalesce(o.{VALID_FROM}, '-infinity')")
    moved = "(o.flow <> m.flow AND o.status <> 'removed')" if entity is METER else "FALSE"
    asked = f", i.{VALID_FROM} AS asked_{VALID_FROM}" if VALID_FROM in head else ""
    version = f"i.{VERSION}" if VERSION in head else "NULL::bigint"
    connection.exec_driver_sql(
        f"""
        CREATE TEMPORARY TABLE change ON COMMIT DROP AS
        SELECT m.*, o.version AS stored, coalesce({moved}, FALSE) AS moved,
               {"o.flow" if entity is METER else "NULL::text"} AS stored_flow,
               CASE WHEN o.version IS NULL THEN coalesce(m.given, 1)
                    ELSE greatest(o.version + 1 + {moved}::integer, m.given) END AS version
        FROM (
            SELECT i.line, i.{key}, {merged}, {version} AS given{asked}
            FROM pg_temp.incoming AS i LEFT JOIN {entity.table} AS o USING ({key})
        ) AS m LEFT JOIN {entity.table} AS o USING ({key})
        WHERE o.version IS NULL OR {" OR ".join(differs)}
        """,
        {"flow": flow, "valid_from": valid_from},
    )
    return int(connection.exec_driver_sql("SELECT count(*) FROM pg_temp.change").scalar() or 0)


def find_problems(connection: Connection, entity: Entity, head: Sequence[str], problems: Problems) -> None:
    """Add what only the whole of the rows, or the book, can tell."""
    key = entity.key.stored
    _ask(
        connection, problems, entity.key,
        f"""SELECT i.line, 'is in line ' || twice.first || ' already'
            FROM pg_temp.incoming AS i JOIN (
                SELECT {key}, min(line) AS first FROM pg_temp.incoming GROUP BY 1 HAVING count(*) > 1
            ) AS twice USING ({key}) WHERE i.line > twice.first""",
        "leave one of them out",
    )  # fmt: skip
    if VERSION in head:
        _ask(
            connection, problems, Column(VERSION, "integer", ""),
            f"""SELECT i.line, 'is ' || i.version || ', the book has ' || o.version || ' of it'
                FROM pg_temp.incoming AS i JOIN {entity.table} AS o USING ({key})
                WHERE i.version < o.version""",
            "it was changed meanwhile: export again, and make the change there",
        )  # fmt: skip
    for name in entity.required[1:]:
        if name not in head:
            column = entity.by_name[name]
            _ask(
                connection, problems, column,
                f"SELECT c.line, 'is missing' FROM pg_temp.change AS c WHERE c.{column.stored} IS NULL",
                column.write,
            )  # fmt: skip
    if entity.ordered and not set(entity.ordered) <= set(head):
        first, second = (entity.by_name[name] for name in entity.ordered)
        _ask(
            connection, problems, second,
            f"""SELECT c.line, 'is not after {first.name}' FROM pg_temp.change AS c
                WHERE c.{second.stored} <= c.{first.stored}""",
            second.write,
        )  # fmt: skip


def _ask(connection: Connection, problems: Problems, column: Column, question: str, remedy: str) -> None:
    found = connection.exec_driver_sql(
        f"SELECT line, what, count(*) OVER () FROM ({question}) AS found (line, what)"
        f" ORDER BY line LIMIT {SHOWN}"
    ).all()
    shown = [Problem(line, column.name, what, remedy) for line, what, _ in found]
    problems.add_counted(shown, found[0][2] if found else 0)


def _stored(entity: Entity, name: str) -> str:
    return name if name == VERSION else entity.by_name[name].stored


def _merged(column: Column, given: bool) -> str:
    """The value of a column after the change: as given, else as it stands, else its default."""
    name = column.stored
    if column.name == VALID_FROM:
        asked = "%(valid_from)s::timestamptz"
        return f"coalesce(i.{name}, {asked})" if given else asked
    default = "%(flow)s" if column.name == "flow" else column.default
    if default is not None:
        return f"coalesce({f'i.{name}, ' if given else ''}o.{name}, {default})"
    return f"{'i' if given else 'o'}.{name}"


class _Chunks:
    """Lines as the file that COPY reads, with progress."""

    def __init__(self, lines: Iterator[str], progress: Progress) -> None:
        self._lines = lines
        self._progress = progress
        self._rest = b""
        self._done = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while len(self._rest) < size:
            some = list(islice(self._lines, _LINES_A_CHUNK))
            if not some:
                break
            self._done += len(some)
            self._progress.at(self._done)
            self._rest += "".join(some).encode()
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
