"""The one order in which readings and ticks are sent.

It is a function of rows, faults and options; neither the speed of sending nor an interruption changes it.
A reading is sent at its own time plus its injected delay; its own time is the one in the file, whatever
stamp a wrong clock gives it. Readings go in the order of (arrival, meter_id, time). One that is withheld has
its place in the sequence too, for the truth.

Ticks. Before an item that arrives in a later minute than the last one, a tick says how far event time has
come: the last whole minute that has begun, but not beyond the item's own time or, if that is later, the
highest own time sent plus the grace; less the out-of-orderness. So a tick never makes a reading late that
was sent at its own time; what was delayed by more than the out-of-orderness can be. When a replay is paced,
every minute that passes has its tick, so that gaps show while nothing is sent; at full speed only the last
of them is sent. The last tick (settle) is the highest own time sent plus the grace, or as far after it as
the plan says: what is missing by then is missing. It gives the highest own time sent as the end of the run,
so that no meter is called missing for a slot after it; so do the ticks before it once only readings that
were put off are still to come.

In the order of the file, arrival is the highest event time so far, and only the settle tick is sent: rows
that lie out of order are as late as the file makes them in their own partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from typing import NamedTuple

from gridwatch.domain.policy import MINUTE, NEVER, Policy
from replay.faults import Fate, Faults, Sending
from replay.files.rows import Row

_LONGEST_WINDOW = 15 * MINUTE


class Kind(IntEnum):
    """What an item of the sequence is."""

    READING = 0
    WITHHELD = 1
    TICK = 2
    SETTLE = 3
    GARBAGE = 4


class Item(NamedTuple):
    """One step of a replay. Times in µs; `row` is None for ticks, `instant` is a tick's own value.

    All that sending needs to know: a READING's row is to be sent, a TICK and a SETTLE are their instant, a
    WITHHELD row only has its number, and of a GARBAGE row the last element is the record's value itself, a
    character a byte (latin-1). `faults` names what was done to the reading, `sizes` how much of it; they are
    for the truth alone. `end` is that of the run, with its last ticks.
    """

    kind: Kind
    arrival: int
    row: Row | None
    delay: int
    instant: int
    faults: tuple[str, ...] = ()
    end: int | None = None
    sizes: tuple[tuple[str, float], ...] = ()


class Control(NamedTuple):
    """A control record, before the readings that it is about.

    Its `header` says what it is, and has the version of the format; with `everywhere` it goes to every
    partition, else to that of its key.
    """

    header: str
    version: bytes
    key: str
    value: bytes
    everywhere: bool = False


@dataclass(frozen=True)
class EmissionPlan:
    """What the sequence depends on, apart from rows and faults. Durations in µs."""

    out_of_orderness: int
    grace: int
    by_time: bool = True
    every_minute: bool = False
    settle: bool = True
    #: How far after the end the settle tick is, if not the grace.
    settle_after: int | None = None
    #: The latest instant that it may have, where it is cut there.
    settle_by: int = NEVER

    def settling(self, arrival: int, end: int) -> Item:
        """The last tick of a run whose highest own time is `end`."""
        after = self.grace if self.settle_after is None else self.settle_after
        return Item(Kind.SETTLE, arrival, None, 0, min(end + after, self.settle_by), (), end)


def final_after(policy: Policy, interval: int) -> int:
    """How far after the end of a run everything is final: no reading within the allowed lateness, no slot
    within its grace, and no window of a quarter of an hour is waited for any more (µs).

    The last readings cover an `interval` from their time on, and the regions leave out what is longer than
    the lateness.
    """
    covered = min(interval, policy.allowed_lateness)
    return max(policy.allowed_lateness + covered + _LONGEST_WINDOW, policy.grace)


def emit(blocks: Iterable[list[Row]], faults: Faults, plan: EmissionPlan) -> Iterator[Item]:
    """The whole sequence of a replay. `blocks` are in time order if the plan says so."""
    begun: int | None = None
    ticked: int | None = None
    highest: int | None = None
    arrival = 0
    left: list[int] = []
    for item in _arrivals(blocks, faults, plan.by_time, left):
        kind, arrival, row, delay = item[:4]
        if row is not None and kind is not Kind.WITHHELD:
            time = arrival - delay if plan.by_time else row[0]
            if begun is None:
                begun = arrival - arrival % MINUTE
            elif arrival >= begun + MINUTE and plan.by_time and highest is not None:
                minute = arrival - arrival % MINUTE
                end = max(highest, *left) if left else None
                for passed in range(begun + MINUTE if plan.every_minute else minute, minute + 1, MINUTE):
                    instant = min(passed, max(highest + plan.grace, time)) - plan.out_of_orderness
                    if ticked is None or instant > ticked:
                        ticked = instant
                        yield Item(Kind.TICK, passed, None, 0, instant, (), end)
                begun = minute
            if kind is Kind.READING and (highest is None or time > highest):
                highest = time
        yield item
    if plan.settle and highest is not None:
        yield plan.settling(arrival, highest)


def _arrivals(blocks: Iterable[list[Row]], faults: Faults, by_time: bool, left: list[int]) -> Iterator[Item]:
    """Readings by arrival; those that faults put off wait in a heap that the longest delay bounds.

    Once the blocks have ended, `left` has the highest own time of the readings that still wait.
    """
    if not faults.active and by_time:
        for block in blocks:
            for row in block:
                yield Item(Kind.READING, row[0], row, 0, 0)
        return
    waiting: list[tuple[int, str, int, int, Item]] = []
    over = faults.over if faults.active else None
    clock: int | None = None
    number = 0
    for block in blocks:
        for row in block:
            time = row[0]
            clock = time if by_time or clock is None else max(clock, time)
            while waiting and waiting[0][0] <= clock and waiting[0][:3] < (clock, row[1], time):
                yield heappop(waiting)[-1]
            sendings = over(row) if over else None
            if sendings is None:
                yield Item(Kind.READING, clock, row, 0, 0)
                continue
            for sending in sendings:
                number += 1
                if sending.fate == Fate.WITHHELD:
                    yield Item(Kind.WITHHELD, clock, sending.row, 0, 0, sending.faults, sizes=sending.sizes)
                    continue
                # Made of a row, it may have a time of its own that is later.
                arrival = clock + sending.time - time + sending.delay
                item = _item(sending, arrival)
                heappush(waiting, (arrival, sending.row[1], sending.time, number, item))
    own_times = (item.arrival - item.delay for *_, item in waiting if item.kind is Kind.READING)
    left.append(max(own_times, default=-NEVER))
    while waiting:
        yield heappop(waiting)[-1]


def _item(sending: Sending, arrival: int) -> Item:
    kind = Kind.READING if sending.fate == Fate.SENT else Kind.GARBAGE
    return Item(kind, arrival, sending.row, sending.delay, 0, sending.faults, sizes=sending.sizes)
