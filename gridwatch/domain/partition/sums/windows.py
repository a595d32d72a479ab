"""The windows of consumption of a partition: which ones a reading is in, or changes after their end."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.consumption.aggregate import has_spans, sums_of, takes_part
from gridwatch.domain.consumption.due import DueWindows
from gridwatch.domain.consumption.ended import Ended, EndedWindows
from gridwatch.domain.consumption.running import Running, is_frequent
from gridwatch.domain.consumption.sums import Sums, micro_wh
from gridwatch.domain.meter.intervals import lag_of, longest_lag
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Usage, unpacked_values
from gridwatch.domain.partition.sums.contribution import Applied
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import NEVER
from gridwatch.domain.reading import FIRST, INTERVAL_CHANGED, OFF_GRID

ENDED: Final = "\x06"
"""Before a meter id: the name of its windows that changed after their end."""


class Windows:
    """The windows of one partition."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._policy = bench.policy
        self._lengths = bench.policy.windows
        self.longest = bench.policy.windows[-1] if bench.policy.windows else 0
        self.due = DueWindows()
        self.ended = EndedWindows()
        self.running: dict[str, Running] = {}
        """By meter."""
        self._current = [0] * len(self._lengths)
        """End of the window of each length that the last clean reading was in."""
        self._names: list[list[str]] = [[] for _ in self._lengths]

    # -- after a recovery

    def load_ended(self, meter_id: str) -> None:
        """Load the windows of a meter that changed after their end."""
        ended: Ended = self._bench.state(ENDED + meter_id)
        self.ended.load(meter_id, ended)

    def expect(self, meter_id: str, last_seen: int) -> None:
        """Note that a meter may have something in windows that have not ended, until it was seen last. Energy
        over a gap reaches one interval further."""
        crossed = self._bench.partition.crossed
        if crossed is None:
            return
        until = last_seen + max(self.longest, self._policy.default_interval)
        for length in self._lengths:
            start = crossed - crossed % length
            if until > start:
                self.due.add(start + length, length, meter_id)

    def change(self, meter_id: str, meter: MeterState) -> None:
        """After a change of a meter's interval, or of what its readings cover: its windows may be others."""
        self.expect(meter_id, meter.last_seen)
        running = self.running.get(meter_id)
        if running is not None:
            running.reset()
        if meter.usage is not None:
            meter.usage.shortest_until = meter.usage.longest_until = -NEVER

    def note_lag(self, meter_id: str, meter: MeterState, *, first: bool = False) -> int:
        """Note and return how long before its stamp the time begins that a reading covers. ``first``: it is
        the first one of its meter."""
        lag = lag_of(meter, self._policy)
        if lag != (0 if meter.usage is None else meter.usage.lag):
            usage = meter.use()
            usage.lag = lag
            if not first:
                usage.lag_since = self._bench.partition.crossed or 0
                self.change(meter_id, meter)
        return lag

    # -- readings

    def mark(self, meter_id: str, meter: MeterState, usage: Usage, covered: int, lag: int) -> None:
        """Note that a clean reading, the first one in a window, is in its windows. It covers the time from
        ``covered`` on."""
        crossed = self._bench.partition.crossed or 0
        longest, interval = self.longest, meter.interval
        finest = self._finest(interval) if is_frequent(interval, longest) else 0
        for at, length in enumerate(self._lengths):
            if interval > length:
                continue
            end = self._current[at]
            if not end - length <= covered < end:
                end = self._current[at] = covered - covered % length + length
                if end > crossed:
                    self._names[at] = self.due.names(end, length)
            if end <= crossed:  # its covered time lies before its stamp
                self._change_late(meter_id, meter, covered + lag, end, length)
                continue
            if length == finest:
                self._begin(meter_id, end - length, length, interval)
            if length != longest:
                self._names[at].append(meter_id)
                usage.shortest_until = end
            elif usage.longest_until != end:
                self._names[at].append(meter_id)
                usage.longest_until = end
                if interval > self._lengths[0] or at == 0:
                    usage.shortest_until = end

    def _finest(self, interval: int) -> int:
        """The shortest length of windows that a meter of this interval takes part in."""
        return self._lengths[0] if interval <= self._lengths[0] else self.longest

    def _begin(self, meter_id: str, start: int, length: int, interval: int) -> None:
        running = self.running.get(meter_id)
        if running is None:
            running = self.running[meter_id] = Running()
        running.begin(start, length, interval)

    def _change_late(self, meter_id: str, meter: MeterState, time: int, end: int, length: int) -> None:
        """A clean reading in a window that has ended: those before it decide whether that was emitted."""
        if end > self._bench.partition.over(self._policy.allowed_lateness):
            was_there = self._was_there(meter_id, meter, end - length, end, time)
            self._change(meter_id, end - length, length, was_there=was_there)

    def note(self, applied: Applied, meter: MeterState, span: tuple[int, int] | None) -> None:
        """Note a reading that was applied. ``span``: the time that its energy is of, if that is over a gap.
        The span is not among those of the meter yet."""
        part, policy, time = self._bench.partition, self._policy, applied.time
        crossed = part.crossed
        if crossed is None:
            return
        over = part.over(policy.allowed_lateness)
        lag = self.note_lag(applied.meter_id, meter, first=bool(applied.flags & FIRST))
        if lag or applied.flags & (INTERVAL_CHANGED | OFF_GRID):  # its grid may be another one, or known
            self.change(applied.meter_id, meter)
        self._sum(applied, meter, time - lag, span)
        for length in self._lengths:
            if not takes_part(meter, length, policy):
                continue
            own = time - lag - (time - lag) % length
            starts = {own}
            if span is not None:
                first = max(span[0], over)
                starts |= set(range(first - first % length, span[1], length))
            for start in sorted(starts):
                end = start + length
                if end <= over:
                    continue
                if end > crossed:
                    self.due.add(end, length, applied.meter_id)
                    continue
                revised = applied.is_revision and start == own
                was_there = revised or self._was_there(applied.meter_id, meter, start, end, time)
                self._change(applied.meter_id, start, length, was_there=was_there)

    def _was_there(self, meter_id: str, meter: MeterState, start: int, end: int, time: int) -> bool:
        """Whether a window that has ended was emitted: whether a reading of another stamp than ``time``, or
        energy over a gap, is in it. What was emitted before the lag of its meter changed may have had others:
        then this is true for more windows than it should be."""
        low, high, usage = start, end, meter.usage
        if usage is not None:
            low, high = start + usage.lag, end + usage.lag
            if end <= usage.lag_since:
                low, high = start, end + longest_lag(meter, self._policy)
        archive = self._bench.archive(meter_id, meter)
        if archive.seen_within(low, min(time, high)) or archive.seen_within(max(time + 1, low), high):
            return True
        return has_spans(meter, start, end)

    def _sum(self, applied: Applied, meter: MeterState, covered: int, span: tuple[int, int] | None) -> None:
        """Add a reading that was applied to the sums of its open window, or drop what it makes wrong."""
        running = self.running.get(applied.meter_id)
        if running is None:
            if applied.flags & FIRST and is_frequent(meter.interval, self.longest):
                self.running[applied.meter_id] = Running(covered)
            return
        if span is not None:
            running.reset()
        elif applied.is_revision:
            running.drop(covered)
        else:
            running.add_other(covered, micro_wh(applied.energy), unpacked_values(applied.measures))

    def _change(self, meter_id: str, start: int, length: int, *, was_there: bool) -> None:
        running = self.running.get(meter_id)
        if running is not None:
            running.spoil(start)
        self.ended.change(meter_id, start, length, 1 if was_there else 0)
        self.keep(meter_id)

    def sums(self, meter_id: str, meter: MeterState, start: int, length: int) -> Sums | None:
        """The sums of a window that is emitted for the first time; None if nothing is in it."""
        running, sums = self.running.get(meter_id), None
        if running is not None:
            sums = running.take(start) if length == self._finest(meter.interval) else running.whole(start)
        if sums is None or has_spans(meter, start, start + length):
            sums = sums_of(meter, self._bench.archive(meter_id, meter), start, length, self._policy)
        if running is not None and sums is not None and length != self.longest:
            running.fold(sums, self.longest)
        return sums

    def forget(self, meter_id: str) -> None:
        """Forget what ended, and what is open, of a meter that is dropped."""
        self.running.pop(meter_id, None)
        if self.ended.of(meter_id) is not None:
            self.ended.forget(meter_id)
            self.keep(meter_id)

    def keep(self, meter_id: str) -> None:
        """Make the windows of a meter that changed after their end part of the outcome."""
        self._bench.keep(ENDED + meter_id, self.ended.of(meter_id))
