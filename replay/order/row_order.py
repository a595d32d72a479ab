"""Rows in the order of sending: by time, then by meter, and otherwise as the source has them.

Nothing of a reading itself decides, least of all its value: of two rows with the same time and meter the one
that stands in the end has to come last (see `replay.order.time_order`).
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from replay.order.standing import VERSION

_time, _meter, _version = itemgetter(0), itemgetter(1), itemgetter(VERSION)
_PROBED = 512

#: What rows are merged by. A marked one (see `replay.files.versions`) has its version after the meter.
place_of = itemgetter(0, 1)
place_of_marked = itemgetter(0, 1, VERSION)


def put_in_order(rows: list[Any], *, marked: bool, by_time: bool = False) -> None:
    """Sort rows that are in the order of their source; `by_time` says that their times never fall."""
    if by_time and not marked and _lie_in_order(rows):
        return
    # Sorting by one column after the other finds what is in order already, and compares no tuples.
    if marked:
        rows.sort(key=_version)
    rows.sort(key=_meter)
    rows.sort(key=_time)


def _lie_in_order(rows: list[Any]) -> bool:
    """Whether comparing whole rows would move none of them: the cheapest check that there is."""
    head = rows[:_PROBED]
    return head == sorted(head) and rows == sorted(rows)
