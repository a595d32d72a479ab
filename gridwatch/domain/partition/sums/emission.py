"""When windows of consumption are emitted.

A window is emitted in the first step whose watermark has reached its end (revision 1), and with its next
revision when the watermark crosses a minute after one of its readings changed. It is dropped at its end +
allowed lateness: then no reading can be in it any more. What is left of a meter whose state is dropped comes
right before that. Windows are judged (``anomalies``) as they are emitted.

Emission may be interrupted by the budget of a commit. ``crossing`` of the partition then has the last window
that was emitted, by end, length and meter; those that were changed after their end come first, and are known
by their own rows.
"""

from __future__ import annotations

from typing import Final

from gridwatch.domain.consumption.aggregate import aggregate, sums_of, takes_part
from gridwatch.domain.consumption.sums import Sums
from gridwatch.domain.meter.changes import Plan
from gridwatch.domain.meter.intervals import lag_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.sums.anomalies import Anomalies
from gridwatch.domain.partition.sums.windows import Windows
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import NEVER

_WEIGHT: Final = 400
"""About the bytes of an emitted window."""
_LOOK_WEIGHT: Final = 8


class Emission:
    """Emits the windows of one partition."""

    def __init__(self, bench: Workbench, windows: Windows, anomalies: Anomalies | None) -> None:
        self._bench = bench
        self._anomalies = anomalies
        self._judged = 0 if anomalies is None else anomalies.longest
        """The length of the windows that are judged."""
        self._policy = bench.policy
        self._windows = windows
        self._rest: list[str] = []
        """The meters of an interrupted window, with that window."""
        self._interrupted = (0, 0)

    def cross(self, reached: int) -> bool:
        """Emit the windows that changed, and those that ended at or before ``reached``. False if the budget
        ran out before the last one."""
        bench, part = self._bench, self._bench.partition
        for end, length, meter_id in self._windows.ended.in_order():
            if 0 < bench.budget <= bench.weight:
                return False
            meter = bench.find(meter_id)
            if meter is not None:
                self._revise(meter_id, meter, end - length, length)
        while True:
            if not self._rest:
                end, length = self._windows.due.earliest()
                if end > reached:
                    break
                self._rest, self._interrupted = self._windows.due.pop(), (end, length)
                self._rest.reverse()
            end, length = self._interrupted
            plans = bench.registry.has_outages_within(end - length, end)
            while self._rest:
                if 0 < bench.budget <= bench.weight:
                    return False
                self._pass(self._rest.pop(), end, length, plans=plans)
        part.crossing = (reached, NEVER, "")  # all of them
        for meter_id in self._windows.ended.drop(reached - self._policy.allowed_lateness):
            self._windows.keep(meter_id)
        return True

    def _pass(self, meter_id: str, end: int, length: int, *, plans: bool) -> None:
        """Emit a window that has ended, unless that was done before a restart; note the next one."""
        bench, part, cursor = self._bench, self._bench.partition, (end, length, meter_id)
        is_due = part.crossing is None or cursor > part.crossing
        if is_due:
            part.crossing = cursor
        meter = bench.find(meter_id)
        if meter is None or not takes_part(meter, length, self._policy):
            return
        if is_due:
            bench.weight += _LOOK_WEIGHT
            sums = self._windows.sums(meter_id, meter, end - length, length)
            if sums is not None:
                self._emit(meter_id, meter, sums, 1, plans=plans)
        self._follow(meter_id, meter, end, length)

    def _follow(self, meter_id: str, meter: MeterState, end: int, length: int) -> None:
        """After a window: note the next one of its meter that has something in it, if it is not noted yet."""
        usage, lag = meter.use(), lag_of(meter, self._policy)
        last = meter.last_seen - lag
        if last < end and not usage.spans:
            return
        noted = usage.longest_until if length == self._windows.longest else usage.shortest_until
        if noted != end + length or last >= noted:  # else the next window is the last one, and is noted
            self._mark_next(meter_id, meter, end, length, lag)

    def _mark_next(self, meter_id: str, meter: MeterState, end: int, length: int, lag: int) -> None:
        """Note the next window, ending after ``end``, that has something in it."""
        time = self._bench.archive(meter_id, meter).first_from(end + lag)
        following = [] if time is None else [time - lag]
        if meter.usage is not None:
            following += [max(first, end) for _, first, last, _ in meter.usage.spans if last > end]
        if following:
            covered = min(following)
            self._windows.due.add(covered - covered % length + length, length, meter_id)

    def _revise(self, meter_id: str, meter: MeterState, start: int, length: int) -> None:
        known = self._windows.ended.of(meter_id)
        if known is None:
            return
        revision = known[start, length][0]
        plans = self._bench.registry.has_outages_within(start, start + length)
        sums = self._computed(meter_id, meter, start, length)
        if sums is not None:
            revision += 1
            self._emit(meter_id, meter, sums, revision, plans=plans)
        self._windows.ended.emitted(meter_id, start, length, revision)
        self._windows.keep(meter_id)

    def _computed(self, meter_id: str, meter: MeterState, start: int, length: int) -> Sums | None:
        if not takes_part(meter, length, self._policy):
            return None
        self._bench.weight += _LOOK_WEIGHT
        return sums_of(meter, self._bench.archive(meter_id, meter), start, length, self._policy)

    def _emit(self, meter_id: str, meter: MeterState, sums: Sums, revision: int, *, plans: bool) -> None:
        bench, part = self._bench, self._bench.partition
        plan = self._plan(meter_id, meter, plans=plans)
        window = aggregate(
            meter_id, meter, sums, revision, self._policy, plan, part.partition, part.record_time or 0
        )
        bench.outputs.append(window)
        bench.weight += _WEIGHT
        if self._anomalies is not None and sums.length == self._judged:
            self._anomalies.window(meter_id, meter, window)

    def _plan(self, meter_id: str, meter: MeterState, *, plans: bool) -> Plan | None:
        """When the meter is planned not to deliver, if that may be."""
        registry = self._bench.registry
        registration = registry.registration(meter_id, meter) if meter.terms is not None else None
        if not plans and (registration is None or not registration.was_suspended):
            return None
        return registry.plan(meter_id, meter, registration)

    def finish(self, meter_id: str, meter: MeterState, reached: int) -> None:
        """Emit what is left of a meter that is dropped: the windows that ended at or before ``reached``."""
        known = self._windows.ended.of(meter_id)
        if known is not None:
            for start, length in sorted(known, key=lambda window: (window[0] + window[1], window[1])):
                if known[start, length][1]:
                    self._revise(meter_id, meter, start, length)
        self._windows.forget(meter_id)
        for end, length in self._left(meter, reached):
            sums = self._computed(meter_id, meter, end - length, length)
            if sums is not None:
                self._emit(meter_id, meter, sums, 1, plans=True)

    def _left(self, meter: MeterState, reached: int) -> list[tuple[int, int]]:
        """Windows of a meter that are not emitted yet: end and length, in order."""
        crossed = self._bench.partition.crossed
        if crossed is None:
            return []
        lag = lag_of(meter, self._policy)
        last = meter.last_seen - lag + 1
        if meter.usage is not None:
            last = max([last, *(until for _, _, until, _ in meter.usage.spans)])
        return sorted(
            (end, length)
            for length in self._policy.windows
            for end in range(crossed - crossed % length + length, min(reached, last + length) + 1, length)
        )
