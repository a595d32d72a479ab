"""The sums of the regions in one source partition, and the meters that count there.

A reading contributes to its region as it comes, in log order: energy over the time that it covers, time where
it filled a slot. A revision contributes the difference to what it replaces. How much time is expected follows
from the meters that count (``place``), as a step function of event time; a slot that was filled though nobody
expected it is expected on top.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Place, Usage
from gridwatch.domain.partials.group import QUARTER, Group
from gridwatch.domain.partials.place import place_of
from gridwatch.domain.partials.quarter import Quarter
from gridwatch.domain.partition.sums.contribution import Contribution
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import MINUTE
from gridwatch.domain.registry.registration import Registration

SUMS: Final = "\x07"
"""Begins the name of the sums of a region and quarter."""
GROUP: Final = "\x08"
"""Begins the name of a group of meters."""
SILENT: Final = "\x0b"
"""Before a meter id: the name of its open gap, of a meter that counts."""
_BETWEEN: Final = "\x1f"


class Silent(NamedTuple):
    """A meter with an open gap that is not planned."""

    place: Place
    since: int
    """The minute in which its gap was detected."""


def group_name(place: Place) -> str:
    """The name of a group's state."""
    parts = (place.region, place.feeder or "", place.transformer or "", "1" if place.covered else "0")
    return GROUP + _BETWEEN.join(parts)


def sums_name(region: str, start: int) -> str:
    """The name of the state of a region and quarter."""
    return f"{SUMS}{start}{SUMS}{region}"


class Regions:
    """The regions of one source partition; all of it is held in memory."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._policy = bench.policy
        self.quarters: dict[str, dict[int, Quarter]] = {}
        """By region and start."""
        self.groups: dict[str, dict[Place, Group]] = {}
        """By region and place."""
        self.silent: dict[str, Silent] = {}
        """By meter."""
        self.silent_at: dict[Place, dict[str, int]] = {}
        """The same by place: since when."""
        self._touched: list[Quarter] = []
        """Sums that changed in this call."""

    def load(self, name: str) -> None:
        """Load a stored state."""
        state: Any = self._bench.state(name)
        if name.startswith(SUMS):
            quarter: Quarter = state
            self.quarters.setdefault(quarter.region, {})[quarter.start] = quarter
        elif name.startswith(GROUP):
            group: Group = state
            self.groups.setdefault(group.place.region, {})[group.place] = group
        else:
            silent: Silent = state
            self._note_silent(name[1:], silent)

    def flush(self) -> None:
        """At the end of a call: make the sums that changed part of the outcome."""
        for quarter in self._touched:
            quarter.waits = False
            if self.quarters.get(quarter.region, {}).get(quarter.start) is quarter:  # else it was dropped
                self._bench.keep(sums_name(quarter.region, quarter.start), quarter)
        self._touched.clear()

    # -- sums

    @property
    def over(self) -> int:
        """Quarters that end at or before this instant can change no more."""
        return self._bench.partition.over(self._policy.allowed_lateness)

    def touch(self, region: str, start: int) -> Quarter:
        """The sums of a region and quarter, noted as changed."""
        known = self.quarters.get(region)
        if known is None:
            known = self.quarters[region] = {}
        quarter = known.get(start)
        if quarter is None:
            quarter = known[start] = Quarter(region, start)
        quarter.changed = True
        if not quarter.waits:
            quarter.waits = True
            self._touched.append(quarter)
        return quarter

    @property
    def oldest(self) -> int:
        """The number of the first quarter that a slot may still reach into."""
        return self.over // QUARTER - 1

    def add_clean(self, region: str, usage: Usage, energy: int, covered: int, interval: int) -> None:
        """Add a clean reading: of the slot after the one before it. No quarter of it can be dropped yet."""
        start = covered - covered % QUARTER
        known = self.quarters.get(region)
        quarter = None if known is None else known.get(start)
        if quarter is None or not quarter.waits:
            quarter = self.touch(region, start)
        else:
            quarter.changed = True
        last = covered + interval
        if last <= start + QUARTER:
            minute = (covered - start) // MINUTE
            if interval == QUARTER:
                quarter.flat += energy
            elif last <= start + (minute + 1) * MINUTE:
                quarter.minutes[minute] += energy
            else:
                quarter.place(energy, covered, last)
            quarter.received += interval
            if usage.place is None:
                quarter.extra += interval
            number = start // QUARTER
            if number != usage.reported_last:
                quarter.reporting += usage.report(number, self.oldest)
            return
        for at in range(start, last, QUARTER):
            quarter = self.touch(region, at)
            quarter.place(energy, covered, last)
            self._receive(quarter, usage, covered, last, expected=usage.place is not None)

    def contribute(self, of: Contribution) -> None:
        """Add what another reading contributes."""
        region, (first, last) = of.region, of.covered
        if region is None:
            return
        if first == last:
            start = first - first % QUARTER
            if start + QUARTER > self.over:
                self.touch(region, start).place_at(of.energy, first)
            return
        begin = max(first, self.over)
        for start in range(begin - begin % QUARTER, last, QUARTER):
            if start + QUARTER > self.over:
                self.touch(region, start).place(of.energy, first, last)
        if of.slot is None:
            return
        first, last = of.slot
        for start in range(first - first % QUARTER, last, QUARTER):
            if start + QUARTER > self.over:
                quarter = self.touch(region, start)
                self._receive(quarter, of.usage, first, last, expected=of.usage.place is not None)

    def _receive(self, quarter: Quarter, usage: Usage, first: int, last: int, *, expected: bool) -> None:
        """Count what lies in a quarter of a slot that was filled, which covers [first, last)."""
        part = min(last, quarter.end) - max(first, quarter.start)
        quarter.received += part
        if not expected:
            quarter.extra += part
        quarter.reporting += usage.report(quarter.start // QUARTER, self.oldest)
        quarter.prorated += last - first > QUARTER

    # -- meters

    def move(  # noqa: PLR0917 - where it counted, and what decides where it does
        self,
        meter_id: str,
        meter: MeterState | None,
        registration: Registration | None,
        before: Place | None,
        joined: int,
        at: int,
    ) -> tuple[Place | None, int]:
        """Let a meter count where it belongs now, from the instant ``at`` on. ``before``: where it counted,
        from ``joined`` on; it does not leave earlier. Returns where it counts, and from when on."""
        now = place_of(meter, registration, self._policy)
        if now == before:
            return before, joined
        if before is not None:
            at = max(at, joined)
            self._step(before, at, -1)
        if now is not None:
            self._step(now, at, 1)
        silent = self.silent.get(meter_id)
        if silent is not None:
            self._set_silent(meter_id, None if now is None or not now.covered else silent._replace(place=now))
        return now, at

    def _step(self, place: Place, at: int, joined: int) -> None:
        group = self.group(place)
        crossed = self._bench.partition.crossed
        group.step(at, joined, self.over)
        self.change(group)
        if crossed is None:
            return
        start = max(at, self.over + 1)
        for quarter in range(start - start % QUARTER, crossed - QUARTER + 1, QUARTER):
            if quarter + QUARTER > self.over:
                self.touch(place.region, quarter)

    def group(self, place: Place) -> Group:
        """The group of a place."""
        known = self.groups.setdefault(place.region, {})
        group = known.get(place)
        if group is None:
            group = known[place] = Group(place)
        return group

    def change(self, group: Group) -> None:
        """Note that a group is to be said again."""
        group.changed = True
        self.keep(group)

    def keep(self, group: Group) -> None:
        """Make a group part of the outcome."""
        self._bench.keep(group_name(group.place), group)

    def watch(self, meter_id: str, place: Place | None, gap: Gap | None) -> None:
        """Note whether a meter that counts at ``place`` is silent, by its OPEN gap."""
        now = None
        if gap is not None and not gap.planned and place is not None and place.covered:
            now = Silent(place, gap.detected - gap.detected % MINUTE)
        if now != self.silent.get(meter_id):
            self._set_silent(meter_id, now)

    def _set_silent(self, meter_id: str, now: Silent | None) -> None:
        before = self.silent.pop(meter_id, None)
        if before is not None:
            self.silent_at[before.place].pop(meter_id)
            self.change(self.group(before.place))
        if now is not None:
            self._note_silent(meter_id, now)
            self.change(self.group(now.place))
        self._bench.keep(SILENT + meter_id, now)

    def _note_silent(self, meter_id: str, silent: Silent) -> None:
        self.silent[meter_id] = silent
        self.silent_at.setdefault(silent.place, {})[meter_id] = silent.since
