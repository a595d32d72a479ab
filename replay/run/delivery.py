"""Numbers the items of a sequence, lets each be sent at its time, and counts what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from replay.files.rows import Row
from replay.order.emission import Control, Item, Kind
from replay.run.progress import Progress
from replay.sending.pacing import Pace

_REPORT_EVERY = 2_000


class Destination(Protocol):
    """Where the items of a sequence go; `replay.sending.sender.Sender` is the one to Kafka."""

    def wants(self, number: int) -> bool:
        """Whether item `number` is lacking there."""

    def readings(self, first: int, rows: Sequence[Row]) -> int:
        """Send readings as items `first`, `first` + 1, …; returns how many were not there yet."""

    def garbage(self, number: int, row: Row) -> bool:
        """Send what is no reading; whether it was not there yet."""

    def control(self, number: int, control: Control) -> int:
        """Send a control record; returns to how many partitions it was new."""

    def tick(self, number: int, instant: int, end: int | None = None) -> int:
        """Send a tick, the last one with the end of the run; returns to how many partitions it was new."""

    def idle(self, seconds: float) -> None:
        """Let everything go now, and wait for a while."""


@dataclass
class Delivered:
    """What came of a sequence. Times in µs."""

    readings: int = 0
    delayed: int = 0
    withheld: int = 0
    #: Records sent that are no reading.
    garbage: int = 0
    ticks: int = 0
    tick_records: int = 0
    #: Control records, in all partitions together.
    control_records: int = 0
    already_sent: int = 0
    settled_to: int | None = None


class Delivery:
    """Takes a sequence once. Without a destination it is only counted; without a pace it goes at once."""

    def __init__(
        self,
        sender: Destination | None,
        pace: Pace | None,
        summary: Delivered,
        progress: Progress,
    ) -> None:
        self._sender = sender
        self._pace = pace
        self._summary = summary
        self._progress = progress
        self._done = 0

    def take(self, parts: Iterable[list[Row] | Item | Control]) -> None:
        """Deliver the items in order, and those of a stretch of readings as if they came singly."""
        number = reported = 0
        for part in parts:
            if isinstance(part, list):
                self._stretch(number, part)
                number += len(part)
            elif isinstance(part, Control):
                self._summary.control_records += self._sender.control(number, part) if self._sender else 0
                number += 1
            else:
                self._item(number, part)
                number += 1
            if number >= reported + _REPORT_EVERY:
                reported = number
                self._progress.at(self._done)
                if self._sender and not isinstance(part, list):
                    self._sender.idle(0)
        self._progress.at(self._done)

    def _stretch(self, first: int, rows: list[Row]) -> None:
        new = self._sender.readings(first, rows) if self._sender else len(rows)
        self._summary.readings += new
        self._summary.already_sent += len(rows) - new
        self._done += len(rows)

    def _item(self, number: int, item: Item) -> None:
        kind, arrival, row, delay, instant, _, end, _ = item
        summary, sender = self._summary, self._sender
        if kind is Kind.WITHHELD:
            summary.withheld += 1
            self._done += 1
            return
        if self._pace and sender and sender.wants(number):
            self._progress.at(self._done)
            self._pace.wait_for(arrival)
        if row is not None:
            self._done += 1
            if sender is None:
                new = True
            elif kind is Kind.GARBAGE:
                new = sender.garbage(number, row)
            else:
                new = sender.readings(number, (row,)) == 1
            if new:
                summary.readings += kind is not Kind.GARBAGE
                summary.garbage += kind is Kind.GARBAGE
                summary.delayed += delay > 0
            else:
                summary.already_sent += 1
        else:
            summary.ticks += 1
            summary.tick_records += sender.tick(number, instant, end) if sender else 0
            if kind is Kind.SETTLE:
                summary.settled_to = instant
