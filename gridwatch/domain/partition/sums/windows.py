"""The windows of consumption of a partition: which ones a reading is in, or changes after their end."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.consumption.aggregate import has_spans, may_have_content, takes_part
from gridwatch.domain.consumption.due import DueWindows
from gridwatch.domain.consumption.ended import Ended, EndedWindows
from gridwatch.domain.meter.intervals import lag_of, longest_lag
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Usage
from gridwatch.domain.partition.sums.contribution import Applied
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import NEVER
from gridwatch.domain.reading import INTERVAL_CHANGED, OFF_GRID

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
        if meter.usage is not None:
            meter.usage.shortest_until = meter.usage.longest_until = -NEVER

    # -- readings

    def mark(self, meter_id: str, meter: MeterState, usage: Usage, covered: int, lag: int) -> None:
        """Note that a clean reading, the first one in a window, is in its windows. It covers the time from
        ``covered`` on."""
        crossed = self._bench.partition.crossed or 0
        longest, interval = self.longest, meter.interval
        for at, length in enumerate(self._lengths):
            if interval > length:
                continue
            end = self._current[at]
            if not end - length <= covered < end:
                end = self._current[at] = covered - covered % length + length
                if end > crossed:
                    self._names[at] = self.due.names(end, length)
            if end <= crossed:  # its covered time lies before its stamp
                self._change_late(meter_id, meter, covered, lag, end, length)
                continue
            if length != longest:
                self._names[at].append(meter_id)
                usage.shortest_until = end
            elif usage.longest_until != end:
                self._names[at].append(meter_id)
                usage.longest_until = end
                if interval > self._lengths[0] or at == 0:
                    usage.shortest_until = end

    def _change_late(  # noqa: PLR0917 - what is known of the reading
        self, meter_id: str, meter: MeterState, covered: int, lag: int, end: int, length: int
    ) -> None:
        """A clean reading in a window that has ended: those before it decide whether that was emitted."""
        if end <= self._bench.partition.over(self._policy.allowed_lateness):
            return
        archive = self._bench.archive(meter_id, meter)
        start = end - length
        was_there = archive.seen_within(start, covered + lag) or has_spans(meter, start, end)
        self._change(meter_id, start, length, was_there=was_there)

    def note(self, applied: Applied, meter: MeterState, span: tuple[int, int] | None) -> None:
        """Note a reading that was applied. ``span``: the time that its energy is of, if that is over a gap.
        The span is not among those of the meter yet."""
        part, policy, time = self._bench.partition, self._policy, applied.time
        crossed, lag = part.crossed, lag_of(meter, self._policy)
        if crossed is None:
            return
        over = part.over(policy.allowed_lateness)
        archive = self._bench.archive(applied.meter_id, meter)
        reach = longest_lag(meter, policy)
        if lag or applied.flags & (INTERVAL_CHANGED | OFF_GRID):  # its grid may be another one, or known
            self.change(applied.meter_id, meter)
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
                was_there = revised or may_have_content(meter, archive, start, end, time, reach)
                self._change(applied.meter_id, start, length, was_there=was_there)

    def _change(self, meter_id: str, start: int, length: int, *, was_there: bool) -> None:
        self.ended.change(meter_id, start, length, 1 if was_there else 0)
        self.keep(meter_id)

    def keep(self, meter_id: str) -> None:
        """Make the windows of a meter that changed after their end part of the outcome."""
        self._bench.keep(ENDED + meter_id, self.ended.of(meter_id))
