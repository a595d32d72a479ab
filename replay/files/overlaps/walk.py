"""The regular runs of one series: from when to when its readings come in which step.

Rows are taken as they lie, across files. A run goes on while the next reading is one step later (or earlier,
where a file runs backwards). Four readings make a run *regular*: its step is known. What breaks a run:

- The same time once more. It belongs to a second series beside this one (its `beside`): days among hours that
  are sorted by time, or corrections.
- One reading that does not fit, after which the run goes on. It belongs to the second series, too: sums of
  days between the hours.
- Anything else begins another run: a gap, another step, a file that begins before the last one ended.

Shorter runs are *few* readings, which say little by themselves. Those of a series that has many of them are
forgotten: it is irregular, and no step of it means anything.
"""

from __future__ import annotations

from typing import NamedTuple

from gridwatch.domain.policy import DAY, HOUR
from replay.files.covered import Stretches
from replay.files.spacing import MONTH

#: Readings from which on a run is regular.
REGULAR = 4
#: What is kept of a series at most: short runs, steps, and stretches of one step.
_MOST_FEW, _MOST_STEPS, _MOST_STRETCHES = 32, 64, 64
#: Series beside each other.
_DEEPEST = 3
#: Steps that are compared with what is expected at once, more where they go on.
_LOT = 64
_SHORTEST_MONTH = 28 * DAY


class Run(NamedTuple):
    """Readings from `first` to `last`, a step apart (µs, below 0 backwards, 0 of one reading)."""

    first: int
    last: int
    step: int

    @property
    def readings(self) -> int:
        return (self.last - self.first) // self.step + 1 if self.step else 1


def reach(step: int) -> int:
    """How long a reading of a step (µs) covers at least: a local day may have 23 hours, a month 28 days."""
    least = _SHORTEST_MONTH if step == MONTH else step
    return least - HOUR if step >= DAY else step


class Walk:
    """One series; times in µs. `step` is 0 as long as it is not known."""

    __slots__ = ("_depth", "_first", "_found", "_old", "beside", "few", "last", "step")

    def __init__(self, depth: int = 0) -> None:
        """`depth` says how many series there are that this one is beside."""
        self._depth = depth
        self.step = 0
        self.last: int | None = None
        self._first = 0
        #: The run that was broken last, which may go on after one reading that does not fit.
        self._old: Run | None = None
        #: The regular runs, by step and place in it. None as long as there was no break: most have none.
        self._found: dict[tuple[int, int], Stretches] | None = None
        #: Short runs, None where they were too many.
        self.few: list[Run] | None = []
        self.beside: Walk | None = None

    def take(self, times: list[int]) -> None:
        """The next readings, as they lie."""
        at, count, size = 0, len(times), _LOT
        while at < count:
            step, last = self.step, self.last
            if step and last is not None:
                lot = times[at : at + size]
                if lot == list(range(last + step, last + step * (len(lot) + 1), step)):
                    self.last = lot[-1]
                    at += len(lot)
                    size *= 2
                    continue
                size = _LOT
                while times[at] == last + step:
                    last += step
                    at += 1
                self.last = last
            self._turn(times[at])
            at += 1

    def regular(self) -> dict[tuple[int, int], Stretches]:
        """The times of the regular runs by step (µs, above 0) and place in it; the walk is over."""
        if self.last is not None:
            self._keep(self._old)
            self._keep(Run(self._first, self.last, self.step))
            self._old = self.last = None
        return self._found or {}

    def _turn(self, time: int) -> None:
        """A reading that is not one step after the last one."""
        last, step, old = self.last, self.step, self._old
        if last is None:
            self._first = self.last = time
        elif time == last:
            self._aside(time)
        elif not step:
            if old and time == old.last + old.step and time - last != last - old.last:
                self._aside(last)
                self._resume(old, time)
            else:
                self.step, self.last = time - last, time
        elif (
            old
            and last - self._first == step  # two readings
            and last == old.last + old.step
            and time == last + old.step
        ):
            self._aside(self._first)
            self._resume(old, time)
        else:
            self._keep(old)
            self._old = run = Run(self._first, last, step)
            if run.readings < REGULAR:
                self._keep(run)
                self._old = None
            self._first = self.last = time
            self.step = 0

    def _resume(self, old: Run, time: int) -> None:
        self._first, self.last, self.step, self._old = old.first, time, old.step, None

    def _aside(self, time: int) -> None:
        if self.beside is None:
            if self._depth == _DEEPEST:
                return
            self.beside = Walk(self._depth + 1)
        self.beside.take([time])

    def _keep(self, run: Run | None) -> None:
        if run is None:
            return
        if run.readings < REGULAR:
            if self.few is not None:
                self.few.append(run)
                if len(self.few) > _MOST_FEW:
                    self.few = None
            return
        step, start, end = abs(run.step), min(run.first, run.last), max(run.first, run.last)
        found = self._found = self._found or {}
        stretches = found.get((step, start % step))
        if stretches is None:
            if len(found) >= _MOST_STEPS:
                return
            stretches = found[step, start % step] = Stretches(most=_MOST_STRETCHES)
        stretches.add(start, end - start + reach(step))
