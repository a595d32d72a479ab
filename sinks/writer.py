"""Writes batches to the database: each in one transaction, retried until it is committed.

    write(batch)
      ├─ committed                      done
      ├─ the database is unavailable    back off, reconnect, retry the batch: writes are idempotent, so a
      │                                 commit whose response was lost is harmless
      ├─ the statement times out        the halves of the batch, each in its own transaction
      └─ a row is refused               halve the batch and write the halves, until one row is left:
                                        that one is returned, everything else is written

Blocking and single-threaded; the event loop calls it in a thread of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg2

from gridwatch.backoff import BackOff
from gridwatch.errors import GridwatchError
from sinks import tables
from sinks.connection import LOCK_TIMEOUT, SchemaMismatchError, SinkConnection
from sinks.database import address_of
from sinks.database_errors import describe, is_row_at_fault, is_too_slow
from sinks.rows import Refused, Rows, halve

logger = logging.getLogger(__name__)

#: The steps of a batch, in order: decoded; copied into the staging tables; merged into the tables, not
#: committed; committed, its offsets are not; its dead letters acknowledged, so that its offsets may be.
STEPS = ("decoded", "copied", "merged", "committed", "stored")


class WriteInterruptedError(Exception):
    """The writer was interrupted; some or all of the batch was not written."""


@dataclass
class WriterState:
    """The state of a writer, for health and metrics. Written by the writer's thread, read by any."""

    #: Since when (Unix seconds) the writer waits for the database; None when it is available.
    waiting_since: float | None = None
    #: Since when a transaction has been running; None when none is.
    writing_since: float | None = None
    last_error: str = ""
    last_commit: float = 0.0
    commit_seconds: float = 0.0
    commits: int = 0
    commit_seconds_total: float = 0.0
    retries: int = 0
    rows: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(tables.topics(), 0)))
    refused: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(tables.topics(), 0)))


class Writer:
    """Writes rows to the database at `url`; connects when it first has something to write.

    Args:
        topics: whose rows are counted from the start; None: those of the default flow.
    """

    def __init__(
        self,
        url: str,
        topics: Iterable[str] | None = None,
        *,
        back_off: BackOff | None = None,
        lock_timeout: str = LOCK_TIMEOUT,
    ) -> None:
        self._url = url
        self.address = address_of(url)
        self._back_off = back_off or BackOff()
        self._lock_timeout = lock_timeout
        self._connection: SinkConnection | None = None
        self._interrupted = threading.Event()
        counts = dict.fromkeys(tables.topics() if topics is None else topics, 0)
        self.state = WriterState(rows=Counter(counts), refused=Counter(counts))
        #: Called at each of STEPS, by name: the hook for fault injection.
        self.watch: Callable[[str], None] = lambda step: None

    def write(self, batch: Iterable[Rows]) -> list[Refused]:
        """Write all rows; returns those that the database refuses for good.

        Blocks for as long as the database is unavailable. WriteInterruptedError once `interrupt` has been
        called: then any part of the batch may have been written.
        """
        return self._write([rows for rows in batch if len(rows)])

    def _write(self, batch: list[Rows]) -> list[Refused]:
        if not batch:
            return []
        alone = sum(map(len, batch)) == 1
        try:
            self._commit(batch, alone=alone)
        except (psycopg2.Error, ValueError) as error:
            if alone:
                rows = batch[0]
                self.state.refused[rows.topic] += 1
                logger.warning("%s: refused: %s", rows.topic, describe(error))
                return [Refused(rows.sources[0], describe(error))]
            first, second = halve(batch)
            return self._write(first) + self._write(second)
        return []

    def _commit(self, batch: list[Rows], *, alone: bool) -> None:
        """One transaction, retried until it is committed; raises the errors that halving may resolve."""
        copies = [(rows.topic, rows.copy_text()) for rows in batch]
        tries = 0
        while True:
            started = time.monotonic()
            self.state.writing_since = time.time()
            try:
                self.connection().commit(copies, self.watch)
            except (psycopg2.Error, GridwatchError) as error:
                if is_row_at_fault(error) or (is_too_slow(error) and not alone):
                    self._note_available()
                    raise
                tries += 1
                self._wait(error, tries)
                continue
            finally:
                self.state.writing_since = None
            self.watch("committed")
            self._note_available()
            self._count(batch, time.monotonic() - started)
            return

    def connection(self) -> SinkConnection:
        """The connection, opened if there is none. psycopg2.Error or SchemaMismatchError if that fails."""
        if self._connection is not None and not self._connection.usable:
            self._connection = None
        if self._connection is None:
            self._connection = SinkConnection(self._url)
            try:
                self._connection.prepare(self._lock_timeout)
            except BaseException:
                self.disconnect()
                raise
        return self._connection

    def _wait(self, error: Exception, tries: int) -> None:
        state = self.state
        state.retries += 1
        self._note_unavailable(error)
        if self._interrupted.wait(self._back_off.delay(tries)):
            raise WriteInterruptedError(state.last_error)

    def _note_unavailable(self, error: Exception) -> None:
        state = self.state
        state.last_error = describe(error) + (
            f"; remedy: {error.remedy}" if isinstance(error, GridwatchError) else ""
        )
        if state.waiting_since is None:
            state.waiting_since = time.time()
            logger.error("database at %s: %s; waiting, nothing is lost", self.address, state.last_error)

    def _note_available(self) -> None:
        state = self.state
        if state.waiting_since is not None:
            logger.warning(
                "database at %s: back after %.1f s", self.address, time.time() - state.waiting_since
            )
            state.waiting_since = None

    def _count(self, batch: list[Rows], seconds: float) -> None:
        state = self.state
        for rows in batch:
            state.rows[rows.topic] += len(rows)
        state.commits += 1
        state.commit_seconds = seconds
        state.commit_seconds_total += seconds
        state.last_commit = time.time()

    def check(self) -> None:
        """Check an idle connection, and keep the result in the state.

        SchemaMismatchError when it answers with a schema at another revision.
        """
        self.state.writing_since = time.time()
        try:
            self.connection().ping()
        except (psycopg2.Error, GridwatchError) as error:
            self._note_unavailable(error)
            if isinstance(error, SchemaMismatchError):
                raise
        else:
            self._note_available()
        finally:
            self.state.writing_since = None

    def interrupt(self) -> None:
        """Stop waiting for the database, from any thread; a running transaction continues."""
        self._interrupted.set()

    def resume(self) -> None:
        """Clear the interruption: wait for the database again."""
        self._interrupted.clear()

    def cancel_transaction(self) -> None:
        """Shut down the connection of a running transaction, from any thread: it is rolled back."""
        connection = self._connection
        if connection is not None and self.state.writing_since is not None:
            connection.shut_down()

    def disconnect(self) -> None:
        """Close the connection; only when no write is running."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
