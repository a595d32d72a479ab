"""The relay's loop: take the lock, publish what is unpublished, mark it.

Rows are marked after the acks of all their records, so whatever ends the relay in between repeats records
and loses none; consumers ignore versions that they have. While Kafka or the database is away the relay waits,
says for what, and tries again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg2

from gridwatch.backoff import BackOff
from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.registry.flows import flows_of
from gridwatch.registry.relay.outbox import Outbox, OutboxRow
from gridwatch.registry.relay.publisher import Publisher, RefusedByBrokerError
from gridwatch.registry.relay.records import records_of
from gridwatch.settings import Settings
from sinks.database import address_of
from sinks.database_errors import describe

logger = logging.getLogger(__name__)

#: Rows that are published, acknowledged and marked together.
BATCH_ROWS = 10_000
_IDLE_SECONDS = 0.5
_REMOVE_EVERY_SECONDS = 60.0
#: Waiting for less than this is not worth a word.
_PATIENCE_SECONDS = 3.0
_BACK_OFF = BackOff()


class Relay:
    """Publishes the outbox until it is stopped; `once`: until nothing is left.

    told: is called with how many rows were published in all, after each batch.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        once: bool = False,
        told: Callable[[int], None] = lambda published: None,
        back_off: BackOff = _BACK_OFF,
    ) -> None:
        self._settings = settings
        self._flows = flows_of(settings)
        self._once = once
        self._told = told
        self._back_off = back_off
        self._stopping = threading.Event()
        self._outbox: Outbox | None = None
        self._publisher: Publisher | None = None
        self._reported = ""
        self._failures = 0
        self._remove_at = 0.0
        self.published = 0
        """Rows that were published."""

    def stop(self) -> None:
        """End the loop soon; rows whose records have no ack yet stay unpublished."""
        self._stopping.set()

    def run(self) -> int:
        """Run until stopped; gives how many rows were published. GridwatchError without an outbox."""
        try:
            while not self._stopping.is_set():
                try:
                    if not self._step():
                        break
                    self._failures = 0
                except (psycopg2.Error, RefusedByBrokerError) as problem:
                    self._fail(problem)
        finally:
            self._drop(database=True, kafka=True)
        return self.published

    def _step(self) -> bool:
        """One batch. False when it was the last one."""
        outbox = self._locked_outbox()
        if outbox is None:
            return True
        rows = outbox.next(BATCH_ROWS)
        if not rows:
            self._well()
            self._remove_old(outbox)
            if self._once:
                return False
            self._stopping.wait(_IDLE_SECONDS)
            return True
        if self._publish(rows):
            outbox.mark(rows)
            self.published += len(rows)
            self._told(self.published)
            self._well()
            self._remove_old(outbox)
        return True

    def _locked_outbox(self) -> Outbox | None:
        """The outbox, if this relay has the lock; None after waiting some time for it."""
        if self._outbox is None:
            outbox = Outbox(self._settings.database)
            try:
                outbox.check(self._settings.database)
                locked = outbox.lock()
            except BaseException:
                outbox.close()
                raise
            if not locked:
                outbox.close()
                self._report("waiting: another relay is running; this one takes over when that one ends")
                self._stopping.wait(_IDLE_SECONDS)
                return None
            self._outbox = outbox
        return self._outbox

    def _publish(self, rows: list[OutboxRow]) -> bool:
        if self._publisher is None:
            self._publisher = Publisher(self._settings)
        publisher = self._publisher
        began = time.monotonic()

        def waiting() -> bool:
            if time.monotonic() - began > _PATIENCE_SECONDS:
                trouble = f": {publisher.trouble}" if publisher.trouble else ""
                self._report(f"waiting for Kafka at {self._settings.bootstrap}{trouble}")
            return not self._stopping.is_set()

        now = format_instant(now_micros())
        partitions = self._settings.partitions
        return publisher.publish(
            (record for row in rows for record in records_of(row, self._flows, partitions, now)), waiting
        )

    def _remove_old(self, outbox: Outbox) -> None:
        if time.monotonic() >= self._remove_at:
            age: timedelta = self._settings.outbox_retention
            if not outbox.remove_old(age):
                self._remove_at = time.monotonic() + _REMOVE_EVERY_SECONDS

    def _fail(self, problem: Exception) -> None:
        self._failures += 1
        if isinstance(problem, psycopg2.Error):
            self._drop(database=True)
            self._report(
                f"waiting for the database at {address_of(self._settings.database)}: {describe(problem)}"
            )
        else:
            self._drop(kafka=True)
            self._report(
                f"waiting: Kafka at {self._settings.bootstrap} refuses {problem}"
                "; remedy: gridwatch topics create, then gridwatch topics check"
            )
        self._stopping.wait(self._back_off.delay(self._failures))

    def _drop(self, *, database: bool = False, kafka: bool = False) -> None:
        if database and self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        if kafka and self._publisher is not None:
            self._publisher.close()
            self._publisher = None

    def _report(self, what: str) -> None:
        """Say what is waited for, once."""
        if what != self._reported:
            logger.warning("%s", what)
            self._reported = what

    def _well(self) -> None:
        if self._reported:
            logger.warning("goes on")
            self._reported = ""
