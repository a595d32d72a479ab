"""The sequence of `emission` where nothing is disturbed: the same steps, but readings by the stretch.

Without faults each reading of a replay in time order arrives at its own time. What is then left of the rule
for ticks is that the first reading of each later minute has one before it, of that minute less the
out-of-orderness; so all readings of a minute go in one piece.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from gridwatch.domain.policy import MINUTE
from replay.files.rows import Row
from replay.order.emission import EmissionPlan, Item, Kind


def undisturbed(blocks: Iterable[list[Row]], plan: EmissionPlan) -> Iterator[list[Row] | Item]:
    """Stretches of readings, none empty, and the ticks between them. `blocks` are in time order."""
    next_minute: int | None = None
    last = 0
    for block in blocks:
        at = 0
        while at < len(block):
            time = block[at][0]
            if next_minute is None or time >= next_minute:
                minute = time - time % MINUTE
                if next_minute is not None:
                    yield Item(Kind.TICK, minute, None, 0, minute - plan.out_of_orderness)
                next_minute = minute + MINUTE
            end = bisect_left(block, (next_minute,), at)
            yield block[at:end]
            last, at = block[end - 1][0], end
    if plan.settle and next_minute is not None:
        yield plan.settling(last, last)
