"""The one order in which readings and ticks are sent.

It is a function of rows, faults and options; neither the speed of sending nor an interruption changes it.
A reading arrives at its event time plus its injected delay; readings are sent in the order of
(arrival, meter_id, time). A reading that is withheld has its place in the sequence too, for the truth.

Ticks. Before an item that arrives in a later minute than the last one, a tick says how far event time has
come: the last whole minute that has begun, but not beyond the item itself or, if that is later, the highest
event time sent plus the grace; less the out-of-orderness. So a tick never makes a reading late that was
sent at its own time; what was delayed by more than the out-of-orderness can be. When a replay is paced,
every minute that passes has its tick, so that gaps show while nothing is sent; at full speed only the last
of them is sent. The last tick (settle) is the highest event time sent plus the grace: what is missing by
then is missing, and no meter is called missing for the slot after the end.

In the order of the file, arrival is the highest event time so far, and only the settle tick is sent: rows
that lie out of order are as late as the file makes them in their own partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from typing import NamedTuple

from replay.faults import WITHHELD, Faults
from replay.rows import Row

_MINUTE = 60_000_000


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
    character a byte (latin-1). `faults` names what was done to the reading; it is for the truth alone.
    """

    kind: Kind
    arrival: int
    row: Row | None
    delay: int
    instant: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class EmissionPlan:
    """What the sequence depends on, apart from rows and faults. Durations in µs."""

    out_of_orderness: int
    grace: int
    by_time: bool = True
    every_minute: bool = False
    settle: bool = True


def emit(blocks: Iterable[list[Row]], faults: Faults, plan: EmissionPlan) -> Iterator[Item]:
    """The whole sequence of a replay. `blocks` are in time order if the plan says so."""
    begun: int | None = None
    ticked: int | None = None
    highest: int | None = None
    arrival = 0
    for item in _arrivals(blocks, faults, plan.by_time):
        arrival, row = item.arrival, item.row
        if row is not None and item.kind is not Kind.WITHHELD:
            if begun is None:
                begun = arrival - arrival % _MINUTE
            elif arrival >= begun + _MINUTE and plan.by_time and highest is not None:
                minute = arrival - arrival % _MINUTE
                for passed in range(begun + _MINUTE if plan.every_minute else minute, minute + 1, _MINUTE):
                    instant = min(passed, max(highest + plan.grace, row[0])) - plan.out_of_orderness
                    if ticked is None or instant > ticked:
                        ticked = instant
                        yield Item(Kind.TICK, passed, None, 0, instant)
                begun = minute
            if highest is None or row[0] > highest:
                highest = row[0]
        yield item
    if plan.settle and highest is not None:
        yield Item(Kind.SETTLE, arrival, None, 0, highest + plan.grace)


def _arrivals(blocks: Iterable[list[Row]], faults: Faults, by_time: bool) -> Iterator[Item]:
    """Readings by arrival; delayed ones wait in a heap that `max_delay` bounds."""
    if not faults.plan.active and by_time:
        for block in blocks:
            for row in block:
                yield Item(Kind.READING, row[0], row, 0, 0)
        return
    waiting: list[tuple[int, str, int, int, Row, int]] = []
    active = faults.plan.active
    clock: int | None = None
    number = 0
    for block in blocks:
        for row in block:
            time, meter = row[0], row[1]
            number += 1
            clock = time if by_time or clock is None else max(clock, time)
            while waiting and waiting[0][0] <= clock and waiting[0][:3] < (clock, meter, time):
                arrival, _, _, _, late, delay = heappop(waiting)
                yield Item(Kind.READING, arrival, late, delay, 0)
            fate = faults.fate(meter, time) if active else 0
            if fate == WITHHELD:
                yield Item(Kind.WITHHELD, clock, row, 0, 0)
            elif fate:
                heappush(waiting, (clock + fate, meter, time, number, row, fate))
            else:
                yield Item(Kind.READING, clock, row, 0, 0)
    while waiting:
        arrival, _, _, _, late, delay = heappop(waiting)
        yield Item(Kind.READING, arrival, late, delay, 0)
