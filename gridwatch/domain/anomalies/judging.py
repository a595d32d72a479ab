"""One window judged: it begins, changes and ends anomalies of its meter, then the meter's habit learns it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gridwatch.domain.anomalies.anomaly import (
    CLOSED,
    FLATLINE,
    KINDS,
    LEARNED,
    LEVEL_SHIFT,
    RETURNED,
    ZERO_RUN,
)
from gridwatch.domain.anomalies.days import is_by_hour
from gridwatch.domain.anomalies.habit import LEAST_DEVIATION, Buckets, Habit
from gridwatch.domain.anomalies.kinds import (
    LOW,
    MEDIUM,
    SURE,
    UNSURE,
    Finding,
    Nominal,
    find,
    is_large,
    is_near,
)
from gridwatch.domain.anomalies.life import Life
from gridwatch.domain.anomalies.window import Judged
from gridwatch.domain.policy import DAY

_SINGLE: Final = KINDS[: KINDS.index(FLATLINE)]
"""The kinds that a window alone begins."""
_FLAT: Final = 24
_SHIFTED: Final = 8
"""Windows in a row that make a ``FLATLINE``, a ``LEVEL_SHIFT``."""
_KEPT: Final = 7 * DAY
"""After so long a level is the usual one."""


class Verdict:
    """Judges one window of one meter. ``lives``: its anomalies."""

    __slots__ = ("_base", "_habit", "_level", "_lives", "_nominal", "_power", "_raw", "_sure", "_window")

    def __init__(  # noqa: PLR0917 - all that it depends on
        self,
        window: Judged,
        power: int,
        habit: Habit,
        buckets: Callable[[], Buckets],
        lives: Sequence[Life],
        nominal: Nominal,
    ) -> None:
        """``power``: that of the window."""
        self._window = window
        self._power = power
        self._habit = habit
        self._lives = {life.kind: life for life in lives if life.is_open}
        self._nominal = nominal
        self._raw = raw = habit.baseline(buckets, by_hour=is_by_hour(window.length))
        self._level = habit.level
        self._base: int | None = None
        self._sure = False
        if raw is not None:
            earlier = habit.earlier
            if earlier is not None and abs(power - raw[0] - earlier) < abs(power - raw[0] - self._level):
                self._level = earlier
            self._base = raw[0] + self._level
            self._sure = abs(power - self._base) >= max(3 * raw[1], LEAST_DEVIATION)

    def judge(self) -> list[Life]:
        """The anomalies that have a new revision, in order."""
        window, habit = self._window, self._habit
        changed = self._single_kinds()
        habit.run(window.start, window.length, self._power)
        if self._lives or habit.run_span >= DAY or habit.run_count == _FLAT:
            changed += self._run_kinds()
        changed += self._shift()
        habit.learn(self._power - self._level)
        return changed

    def _single_kinds(self) -> list[Life]:
        window, base = self._window, self._base
        found = find(window, base, SURE if self._sure else UNSURE, self._nominal)
        if not found and not self._lives:
            return []
        changed = []
        for kind in _SINGLE:
            life, one = self._lives.get(kind), found.get(kind)
            if life is None:
                if one is not None:
                    changed.append(Life(kind, window.start, window.length, window, one))
            elif one is not None:
                if life.rise(one):
                    changed.append(life)
            elif life.approach(window, is_near(kind, window, base, self._nominal)):
                changed.append(life)
        return changed

    def _run_kinds(self) -> list[Life]:
        habit, power = self._habit, self._power
        changed = []
        life = self._lives.get(FLATLINE)
        if life is not None:
            if life.approach(self._window, power != life.first_value):
                changed.append(life)
        elif habit.run_count == _FLAT and power:
            changed.append(self._begin_run(FLATLINE, Finding(power, self._base, MEDIUM, is_large(power))))
        life = self._lives.get(ZERO_RUN)
        if life is not None:
            if life.approach(self._window, power != 0):
                changed.append(life)
        elif not power and habit.run_span - self._window.length < DAY <= habit.run_span:
            mean = habit.run_mean
            certain = mean is not None and mean >= LEAST_DEVIATION
            changed.append(
                self._begin_run(ZERO_RUN, Finding(power, mean, MEDIUM, SURE if certain else UNSURE))
            )
        return changed

    def _begin_run(self, kind: str, found: Finding) -> Life:
        habit, window = self._habit, self._window
        return Life(kind, habit.run_from, habit.run_length, window, found)

    def _shift(self) -> list[Life]:
        window, habit, raw, base = self._window, self._habit, self._raw, self._base
        life = self._lives.get(LEVEL_SHIFT)
        changed = []
        if life is not None and self._ends_shift(life):
            changed.append(life)
            life = None
        if raw is None or base is None or not self._sure or (changed and changed[0].reason == RETURNED):
            habit.sides = 0
            return changed
        habit.side(window.start, window.length, self._power - raw[0], 1 if self._power > base else -1)
        if abs(habit.sides) < _SHIFTED:
            return changed
        found = Finding(self._power, base, LOW, SURE)
        if life is None:
            life = Life(LEVEL_SHIFT, habit.side_from, habit.side_length, window, found)
            habit.earlier = habit.level
        else:
            life.change(found)
        habit.level = habit.side_sum // _SHIFTED
        habit.sides = 0
        return [*changed, life]

    def _ends_shift(self, life: Life) -> bool:
        window, habit, raw = self._window, self._habit, self._raw
        near: bool | None = None
        if raw is not None and habit.earlier is not None:
            off = abs(self._power - raw[0] - habit.earlier)
            near = 2 * off <= max(3 * raw[1], LEAST_DEVIATION)
        if life.approach(window, near):
            habit.level, habit.earlier = habit.earlier or 0, None
            return True
        if window.start - life.start >= _KEPT:
            life.end(CLOSED, LEARNED, window.start)
            habit.earlier = None
            return True
        return False
