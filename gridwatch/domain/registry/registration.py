"""What the registry says of one meter, and from when on.

Its *entries* hold one after the other: each from its ``valid_from`` on, at the earliest from the watermark at
which it came. An entry takes over (its *turn*) in the step in which the watermark reaches its beginning,
before any slot is settled there. A newer record takes the place of those that would begin later.

An entry may give the interval, the grace, the region; those of readings and settings stand back then. Status
decides what is expected:

- ``installed``, ``active``: readings. One that was never heard for ``never_heard_after`` is a gap of its own
  (``NEVER_HEARD``), counted from its installation; it does not grow, and ends with the first reading.
- ``suspended``: none; its missing slots are planned ones.
- ``removed``, ``planned``: none at all. An OPEN gap is retracted; nothing becomes missing.

The registration outlives the state of its meter. Entries that no slot and no late reading can ask for any
more are dropped.
"""

from __future__ import annotations

from typing import Final

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.meter.grid import first_from, shift, tolerance_of
from gridwatch.domain.meter.intervals import register
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.terms import Terms
from gridwatch.domain.meter.usage import Place
from gridwatch.domain.policy import NEVER, Policy, grace_of
from gridwatch.domain.registry.entry import Entry, entry_of
from gridwatch.domain.registry.fields import LONGEST
from gridwatch.domain.registry.records import PLANNED, REMOVED, SUSPENDED, MeterRecord

MAX_ENTRIES: Final = 16
HEARD: Final = "heard for the first time"
NEVER_HEARD: Final = "NEVER_HEARD"
"""Reasons of gaps."""
_ENDED: Final = {REMOVED: "REMOVED", PLANNED: "NOT_INSTALLED"}


class Registration:
    """What is known of one meter."""

    __slots__ = (
        "applied",
        "due",
        "entries",
        "gap",
        "heard",
        "joined",
        "place",
        "resumed",
        "version",
        "watch_from",
    )

    def __init__(self) -> None:
        self.version = 0
        self.entries: tuple[tuple[int, Entry], ...] = ()
        """Each with the instant from which on it holds, ascending."""
        self.applied = 0
        """How many of them have taken over."""
        self.heard = False
        """Whether it had a reading since it was last put under watch."""
        self.resumed = -NEVER
        """When it was expected again; slots before that pass."""
        self.watch_from = NEVER
        """Since when a reading is awaited."""
        self.gap: Gap | None = None
        """The OPEN gap of a meter that was never heard."""
        self.place: Place | None = None
        self.joined = 0
        """Where it counts as long as it has no state, and from when on."""
        self.due = NEVER
        """When there is something to do while the meter has no state."""

    @property
    def entry(self) -> Entry | None:
        """The entry that holds now."""
        return self.entries[self.applied - 1][1] if self.applied else None

    @property
    def was_suspended(self) -> bool:
        """Whether it was or will be suspended, as far as is known."""
        return any(entry.status == SUSPENDED for _, entry in self.entries)

    def entry_at(self, time: int) -> Entry | None:
        """The entry that holds at ``time``, as far as is known."""
        return next((entry for since, entry in reversed(self.entries) if since <= time), None)

    def next_after(self, time: int) -> int:
        """When the first entry after ``time`` begins."""
        return min((since for since, _ in self.entries if since > time), default=NEVER)

    def suspended_until(self, time: int) -> int:
        """The end of the suspension that ``time`` lies in; ``time`` itself if it lies in none."""
        entries = self.entries
        for place in range(len(entries) - 1, -1, -1):
            if entries[place][0] <= time:
                if entries[place][1].status != SUSPENDED:
                    return time
                return entries[place + 1][0] if place + 1 < len(entries) else NEVER
        return time

    def stand_in(self, policy: Policy) -> MeterState:
        """A state for a meter that has none: what its gap is reported with."""
        interval, calendar, first = self._grid(policy)
        meter = MeterState(first, interval, calendar=calendar)
        meter.last_seen = self.watch_from
        self._set_terms(meter, NEVER)
        return meter

    def add(self, record: MeterRecord, watermark: int) -> bool:
        """Take a record that came at ``watermark``. Whether it was newer."""
        if record.version <= self.version:
            return False
        self.version = record.version
        since = record.valid_from
        if since is None and record.status == REMOVED:
            since = record.removed_at
        since = watermark if since is None else max(since, watermark)
        applied = self.applied
        before = [known for at, known in enumerate(self.entries) if at < applied or known[0] < since]
        before.append((since, entry_of(record)))
        dropped = max(0, len(before) - MAX_ENTRIES)
        self.entries, self.applied = tuple(before[dropped:]), max(0, applied - dropped)
        return True

    def take_turns(self, meter: MeterState | None, changes: GapChanges) -> int | None:
        """Let the entries take over whose time has come. ``meter``: its state, if it has one. Returns since
        when the last of them holds."""
        last: int | None = None
        while self.applied < len(self.entries) and self.entries[self.applied][0] <= changes.watermark:
            before = self.entry
            since, entry = self.entries[self.applied]
            last = since
            self.applied += 1
            if before is None or before.expected:
                if not entry.expected:
                    self._end_gap(meter, _ENDED[entry.status], changes)
            elif entry.expected:
                self.resumed = since
            if entry.watched and (before is None or not before.watched):
                self.heard = meter is not None
                self.watch_from = since if entry.watch is None else entry.watch
            if meter is not None:
                if entry.interval is not None:
                    register(meter, since, entry.interval, entry.calendar, changes)
                elif before is not None and before.interval is not None:
                    meter.given = False
                if entry.region is not None:
                    meter.region = entry.region
        return last

    def _end_gap(self, meter: MeterState | None, reason: str, changes: GapChanges) -> None:
        gap = self.gap if meter is None else meter.open_gap
        if gap is None:
            return
        changes.touch(gap, reason)
        gap.retract()
        self.gap = None
        if meter is not None:
            meter.drop_retracted()

    def await_reading(self, changes: GapChanges, end: int) -> None:
        """Open the gap of a meter that has no state and was never heard, if it is time. ``end``: slots after
        it do not become missing."""
        entry, policy = self.entry, changes.policy
        if entry is None or not self._is_awaited() or min(changes.watermark, end) < self._unheard_due(policy):
            return
        interval, calendar, first = self._grid(policy)
        stop = first_from(self.watch_from + policy.never_heard_after, first, interval, calendar)
        last = max(first, shift(stop, -1, interval, calendar))
        planned = changes.is_planned(first, last, interval, calendar)
        gap = Gap(first, last, interval, changes.watermark, calendar=calendar, planned=planned)
        changes.touch(gap, NEVER_HEARD)
        changes.count_missing(gap.missing_count)
        self.gap = gap

    def create(self, time: int, interval: int, calendar: Calendar | None, given: bool) -> MeterState:
        """A state of the meter, whose first reading is of ``time``; with this interval if the registry gives
        none."""
        entry = self.entry
        if entry is not None and entry.interval is not None:
            return MeterState(time, entry.interval, True, entry.calendar)
        return MeterState(time, interval, given, calendar)

    def hear(self, meter: MeterState, time: int, changes: GapChanges) -> None:
        """Note the first reading, of ``time``, of the meter whose state was just created."""
        gap, self.gap, self.heard = self.gap, None, True
        if gap is not None:
            changes.touch(gap, HEARD)
            gap.truncate(time - tolerance_of(gap.interval))
            if gap.missing:
                meter.add_gaps([gap])

    def refresh(self, meter: MeterState | None, policy: Policy) -> None:
        """After a change: recompute deadlines and terms."""
        pending = self.entries[self.applied][0] if self.applied < len(self.entries) else NEVER
        if meter is None:
            self.due = min(pending, self._unheard_due(policy)) if self._is_awaited() else pending
            return
        self.due = NEVER
        self._set_terms(meter, pending)

    def _set_terms(self, meter: MeterState, turn: int) -> None:
        entry = self.entry
        if entry is None:
            meter.terms = Terms(turn=turn)
            return
        if entry.region is not None:
            meter.region = entry.region
        meter.terms = Terms(
            entry.expected,
            self.resumed,
            entry.interval is not None,
            entry.grace,
            entry.region,
            entry.energy_mode,
            entry.max_kw,
            entry.register_digits,
            turn,
            entry.anchor,
            entry.timezone,
        )

    def tidy(self, watermark: int, policy: Policy) -> None:
        """After all slots due were judged: drop the entries before those that can still be asked for. A slot
        of the longest interval is judged within the longest grace, and again as long as its gap is
        remembered."""
        bound = watermark - policy.allowed_lateness - policy.gap_memory - 2 * LONGEST
        first = 0
        while first + 1 < self.applied and self.entries[first + 1][0] <= bound:
            first += 1
        self.entries, self.applied = self.entries[first:], self.applied - first

    def _is_awaited(self) -> bool:
        entry = self.entry
        return entry is not None and entry.watched and not self.heard and self.gap is None

    def _grid(self, policy: Policy) -> tuple[int, Calendar | None, int]:
        """Interval and calendar of a meter without a state, and its first slot under watch."""
        if (entry := self.entry) is None or entry.interval is None:
            return policy.default_interval, None, self.watch_from
        first = first_from(self.watch_from, self.watch_from, entry.interval, entry.calendar)
        return entry.interval, entry.calendar, first

    def grace_of(self, interval: int, policy: Policy) -> int:
        """The grace of its slots of this ``interval``."""
        entry = self.entry
        return grace_of(interval, policy.grace) if entry is None or entry.grace is None else entry.grace

    def _unheard_due(self, policy: Policy) -> int:
        """When a meter that is awaited counts as never heard: after the time for that, and not before its
        second slot could be missing."""
        interval, calendar, first = self._grid(policy)
        second = shift(first, 1, interval, calendar) + self.grace_of(interval, policy)
        return max(self.watch_from + policy.never_heard_after, second)
