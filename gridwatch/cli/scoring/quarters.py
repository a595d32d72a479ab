"""What a quarter of an hour of each region must sum up to, worked out from the readings alone. Pure.

This is a second implementation of the rules, which shares nothing with the worker's. A reading's energy is
placed over the slot that it is of. Where the database cannot tell which that was (its meter was hardly known,
or does not keep to a grid), and it makes a difference, the quarters that it may lie in are not judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gridwatch.cli.scoring.readings import Reading, Stretch, stretches
from gridwatch.cli.scoring.spreading import shares
from gridwatch.domain.policy import MINUTE

QUARTER = 15 * MINUTE

Key = tuple[str, int]
"""A region and the start of a quarter."""


class Quarters:
    """Sums of regions, µWh; `unjudged` are the quarters about which a question is open."""

    def __init__(self, lateness: int) -> None:
        self.energy: dict[Key, int] = defaultdict(int)
        self.unjudged: set[Key] = set()
        self._lateness = lateness

    def add(self, readings: Sequence[Reading], *, end_anchor: bool) -> None:
        """Add the readings of one meter; with `end_anchor` its stamps are the ends of intervals.

        One without a region counts in that of the newest reading before it in the log.
        """
        parts = stretches(readings)
        regions = {one.region for one in readings if one.region is not None}
        first = parts[0].readings[0].time
        known, seen = None, first
        for number, part in enumerate(parts):
            for place, one in enumerate(part.readings):
                if one.region is not None and one.time >= seen:
                    known, seen = one.region, one.time
                region = one.region or known
                if region is None:
                    continue
                lag = part.interval if end_anchor else 0
                changing = number > 0 and place < 2
                doubtful = changing or "AHEAD" in one.flags or (len(one.versions) > 1 and len(regions) > 1)
                if one.calendar or part.interval > self._lateness:
                    doubtful = one.time in part.unsettled
                    if not doubtful:
                        continue
                self._place(region, one, part, lag, doubtful=doubtful, unknown=one.time < first)

    def _place(
        self, region: str, one: Reading, part: Stretch, lag: int, *, doubtful: bool, unknown: bool
    ) -> None:
        """Add one reading to its quarters. `unknown`: it is from before its meter was known, and of no
        slot."""
        instant = one.time - lag
        slot = None if unknown else part.slot_of(one.time)
        if one.energy_from is not None:
            start, end = instant + one.interval - (one.time - one.energy_from), instant + one.interval
        elif slot is not None:
            start, end = slot - lag, slot - lag + part.interval
        else:
            start, end = instant, instant + 1
        for quarter, share in self._shares(one, start, end):
            if quarter + QUARTER + self._lateness > one.watermark:
                self.energy[region, quarter] += share
            else:
                doubtful = doubtful or len(one.versions) > 1
        doubtful = doubtful or (one.register and "REVISED" in one.flags)
        uncertain = unknown or part.phase is None or one.time in part.unsettled
        if doubtful or uncertain:
            slack = part.interval if doubtful or part.phase is None else 0
            early, late = min(start, instant) - slack, max(end, one.time + 1) + slack
            possible = {(region, quarter) for quarter, _ in shares(0, early, late, QUARTER)}
            if doubtful or len(possible) > 1:
                self.unjudged |= possible

    @staticmethod
    def _shares(one: Reading, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What the values of a reading, one after the other, add to each quarter."""
        before = 0
        for energy in one.versions or (one.energy,):
            yield from shares(energy - before, start, end, QUARTER)
            before = energy
