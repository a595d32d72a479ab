"""In which order rows lie in a file, which of them come twice, and which are corrected by a later one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.differential.truth import Slot

ORDERS = ("time", "time", "meter", "meter", "time, backwards", "meter, backwards", "shuffled")


class Entry(NamedTuple):
    """A row before it is written: a series of a meter, a slot, Wh."""

    meter: str
    series: str
    slot: Slot
    wh: int


@dataclass
class Lines:
    """Rows as they lie, and what makes them hard to tell apart."""

    entries: list[Entry]
    order: str
    #: The rows that were said twice, or corrected.
    again: list[Entry] = field(default_factory=list)
    #: Whether all of these stand directly behind the row that they repeat.
    adjacent: bool = True
    corrected: bool = False


def in_order(rng: Random, entries: list[Entry], order: str = "") -> Lines:
    """The rows in some order."""
    order = order or rng.choice(ORDERS)
    rows = list(entries)
    if order == "shuffled":
        rng.shuffle(rows)
    elif order.startswith("time"):
        rows.sort(key=lambda one: (one.slot.start, one.meter, one.series))
    elif rng.random() < 0.5:
        rows.sort(key=lambda one: (one.meter, one.series, one.slot.start))
    else:
        rows.sort(key=lambda one: (one.meter, one.slot.start, one.series))
    if order == "time, backwards":
        rows.reverse()
    elif order == "meter, backwards":
        rows.sort(key=lambda one: -one.slot.start)
        rows.sort(key=lambda one: (one.meter, one.series) if len(rows) % 2 else (one.meter, ""))
    return Lines(rows, order)


def with_repeats(
    rng: Random, lines: Lines, *, corrections: bool = True, kept: Callable[[Entry], bool] = lambda _: True
) -> Lines:
    """Some rows said twice or corrected: the row that stands is always the later one."""
    for kind in ("same", "corrected") if corrections else ("same",):
        if rng.random() < 0.65:
            continue
        chosen = [one for one in lines.entries if kept(one) and one not in lines.again]
        for entry in rng.sample(chosen, min(len(chosen), rng.randrange(1, 4))):
            at = lines.entries.index(entry)
            behind = rng.random() < 0.6
            to = at + 1 if behind else rng.randrange(at + 1, len(lines.entries) + 1)
            lines.entries.insert(to, entry)
            if kind == "corrected":
                wrong = abs(entry.wh + rng.choice((-1, 1)) * rng.randrange(1, 900))
                lines.entries[at] = entry._replace(wh=wrong if wrong != entry.wh else wrong + 7)
                lines.corrected = True
            lines.again.append(entry)
            lines.adjacent &= to == at + 1
    return lines
