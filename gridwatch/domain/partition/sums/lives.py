"""The anomalies of the meters of a partition: states by meter, of those that have some.

Those are open ones, and closed ones as long as a late reading can take them back. All are held in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from gridwatch.domain.anomalies.anomaly import CLOSED, KINDS, LEVEL_SHIFT, RETRACTED, SILENT
from gridwatch.domain.anomalies.habit import Habit
from gridwatch.domain.anomalies.life import Life
from gridwatch.domain.anomalies.window import silence_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import NEVER

LIVES: Final = "\x0e"
"""Before a meter id: the name of its anomalies."""
_WEIGHT: Final = 400


class Lives:
    """The anomalies of one partition."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._of: dict[str, tuple[Life, ...]] = {}
        """By meter."""
        self._due: list[tuple[int, str]] = []
        """A heap. Each of the meters has an entry at or before the instant at which there is something to do
        for it."""

    def load(self, meter_id: str) -> None:
        """Load the stored ones of a meter."""
        self._of[meter_id] = self._bench.state(LIVES + meter_id)
        heappush(self._due, (-NEVER, meter_id))

    def of(self, meter_id: str) -> tuple[Life, ...]:
        """Those of a meter."""
        return self._of.get(meter_id, ())

    def emit(self, meter_id: str, meter: MeterState, changed: Iterable[Life], received: int) -> None:
        """Emit those of a meter that have a new revision, in order; some may be new."""
        bench, known = self._bench, self.of(meter_id)
        for life in changed:
            bench.outputs.append(life.output(meter_id, meter.region, bench.partition.partition, received))
            bench.weight += _WEIGHT
            if life not in known:
                known = (*known, life)
        self._set(meter_id, tuple(life for life in known if life.state != RETRACTED))
        self.note_due(meter_id, meter)

    def _set(self, meter_id: str, lives: tuple[Life, ...]) -> None:
        if lives:
            self._of[meter_id] = lives
        else:
            self._of.pop(meter_id, None)
        self.keep(meter_id)

    def keep(self, meter_id: str) -> None:
        """Make the anomalies of a meter part of the outcome."""
        self._bench.keep(LIVES + meter_id, self._of.get(meter_id))

    # -- time

    def note_due(self, meter_id: str, meter: MeterState) -> None:
        """Note when there is something to do next for a meter."""
        if meter_id in self._of and meter.habit is not None:
            heappush(self._due, (self._due_of(meter_id, meter.habit), meter_id))

    def _due_of(self, meter_id: str, habit: Habit) -> int:
        return min(self._end_of(life, habit) for life in self._of[meter_id])

    def _end_of(self, life: Life, habit: Habit) -> int:
        """When an open one is closed by silence, or another can be forgotten."""
        if life.is_open:
            return habit.newest + habit.length + silence_of(habit.length)
        return life.detected + self._bench.policy.allowed_lateness + 1

    def cross(self, reached: int) -> None:
        """As time has crossed a minute: close those of silent meters, forget those that cannot change."""
        while self._due and self._due[0][0] <= reached:
            noted, meter_id = heappop(self._due)
            meter = self._bench.find(meter_id)
            if meter_id not in self._of or meter is None or meter.habit is None:
                continue
            due = self._due_of(meter_id, meter.habit)
            if due > noted:
                heappush(self._due, (due, meter_id))
                continue
            habit, lives = meter.habit, self._of[meter_id]
            over = [life for life in lives if self._end_of(life, habit) <= due]
            silent = self._silenced(over, habit)
            self._bench.mark(meter_id, meter)
            self._set(meter_id, tuple(life for life in lives if life in silent or life not in over))
            self.emit(meter_id, meter, silent, self._bench.partition.record_time or 0)

    def _silenced(self, lives: Iterable[Life], habit: Habit) -> list[Life]:
        """Close the open ones among some of a meter, in order of their kinds."""
        silent = sorted((life for life in lives if life.is_open), key=lambda life: KINDS.index(life.kind))
        for life in silent:
            life.end(CLOSED, SILENT, habit.newest + habit.length)
            if life.kind == LEVEL_SHIFT:
                habit.earlier = None
        return silent

    def drop(self, meter_id: str, meter: MeterState) -> None:
        """Before the state of a meter is dropped: close what is open, and forget all."""
        lives = self.of(meter_id)
        if not lives or meter.habit is None:
            return
        silent = self._silenced(lives, meter.habit)
        self.emit(meter_id, meter, silent, self._bench.partition.record_time or 0)
        self._set(meter_id, ())
