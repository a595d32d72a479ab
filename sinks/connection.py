"""A connection of the sink: session settings, the transaction, and when it is discarded.

Every statement has a time-out: one for locks, one for a statement as a whole. After it the writer retries,
so that the sink can always report what it waits for.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import psycopg2

from gridwatch.errors import GridwatchError
from sinks import tables
from sinks.database import CONNECT_TIMEOUT, KEEPALIVE, read_url
from sinks.migrations import VERSION_TABLE
from sinks.schema.version import known_revisions
from sinks.tables.table import TopicTable

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "60s"
#: Lifts TimescaleDB's limit on decompressed rows (2.12 and later), where the extension is loaded. Late rows
#: for compressed chunks are merged like any others, and the limit would refuse a batch of many meters.
_NO_DECOMPRESSION_LIMIT = """
SELECT set_config(name, '0', FALSE) FROM pg_settings
WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction'
"""
#: How much COPY text is handed to libpq at a time.
_COPY_CHUNK = 1 << 20


class SchemaMismatchError(GridwatchError):
    """The schema is not at the revision that this version writes."""


class SinkConnection:
    """One PostgreSQL session. Opened by the constructor, ready for use after `prepare`.

    Every method raises psycopg2.Error when the database is not there.
    """

    def __init__(self, url: str) -> None:
        target = read_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._session: Any = psycopg2.connect(
            target, connect_timeout=CONNECT_TIMEOUT, application_name="gridwatch-sink", **KEEPALIVE
        )

    def prepare(self, lock_timeout: str = LOCK_TIMEOUT) -> None:
        """Set time-outs and create the staging tables.

        SchemaMismatchError when the schema is at another revision.
        """
        with self._session.cursor() as cursor:
            # Timestamps come with their offset; the zone and style are set all the same, so that nothing
            # depends on the configuration of the server or the role.
            cursor.execute("SET TimeZone = 'UTC'; SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'")
            cursor.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
            cursor.execute(f"SET lock_timeout = '{lock_timeout}'")
            cursor.execute(_NO_DECOMPRESSION_LIMIT)
            self._check_schema(cursor)
            for table in tables.fed_by_topics():
                cursor.execute(table.create_staging_table)
        self._session.commit()

    def _check_schema(self, cursor: Any) -> None:
        wanted = known_revisions()[0]
        cursor.execute("SELECT to_regclass(%s)", (VERSION_TABLE,))
        if cursor.fetchone()[0] is None:
            raise SchemaMismatchError("the database has no gridwatch schema", "gridwatch db migrate")
        cursor.execute(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 (a constant)
        found = cursor.fetchone()
        if found != (wanted,):
            raise SchemaMismatchError(
                f"the schema is at revision {found and found[0]}, this gridwatch writes {wanted}",
                "gridwatch db migrate; if that says the schema is newer, upgrade gridwatch",
            )

    def commit(
        self, copies: Sequence[tuple[str, bytes]], watch: Callable[[str], None] = lambda step: None
    ) -> None:
        """Write rows, given as pairs of topic name and COPY text, in one transaction, whole or not at all.

        watch: called with "copied" and with "merged" (`writer.STEPS`). SchemaMismatchError when the
        schema was migrated to another revision meanwhile.
        """
        try:
            with self._session.cursor() as cursor:
                self._check_schema(cursor)
                staged: Counter[tuple[str, str]] = Counter()
                for topic, copy_text in copies:
                    flow, table = tables.source_of(topic)
                    staged[table.name, flow.name] += self._stage(cursor, table, copy_text)
                watch("copied")
                # Always in the same order of tables and flows, so that two sinks cannot deadlock.
                for table in tables.fed_by_topics():
                    for name, flow_name in sorted(staged):
                        if name == table.name:
                            self._merge(cursor, table, flow_name, staged[name, flow_name])
                watch("merged")
            self._session.commit()
        except BaseException:
            self._roll_back()
            raise

    @staticmethod
    def _stage(cursor: Any, table: TopicTable, copy_text: bytes) -> int:
        """Fill the staging table; returns the number of rows."""
        cursor.copy_expert(table.copy, io.BytesIO(copy_text), size=_COPY_CHUNK)
        return int(cursor.rowcount)

    @staticmethod
    def _merge(cursor: Any, table: TopicTable, flow: str, staged: int) -> None:
        """Merge the rows of one flow, of which so many are staged."""
        cursor.execute(table.merge, {"flow": flow})
        moved = cursor.rowcount
        for derived in tables.derived_from(table):
            cursor.execute(derived.merge, {"flow": flow})
        if table.merge_repeated and moved < staged:
            cursor.execute(table.merge_repeated, {"flow": flow})

    def ping(self) -> None:
        """Query the schema revision, to see whether the server answers.

        SchemaMismatchError when the schema was migrated to another revision meanwhile.
        """
        try:
            with self._session.cursor() as cursor:
                self._check_schema(cursor)
        finally:
            self._roll_back()

    def shut_down(self) -> None:
        """Shut down the socket under a running statement, from any thread."""
        with contextlib.suppress(OSError, psycopg2.Error):
            # A copy of the descriptor, so that closing this one leaves libpq's to libpq.
            ours = socket.socket(fileno=os.dup(self._session.fileno()))
            with ours:
                ours.shutdown(socket.SHUT_RDWR)

    def _roll_back(self) -> None:
        try:
            self._session.rollback()
        except psycopg2.Error:
            self._session.close()

    @property
    def usable(self) -> bool:
        """False once the connection is lost."""
        return bool(self._session.closed == 0)

    def close(self) -> None:
        """End the session; the server rolls back what was not committed."""
        self._session.close()
