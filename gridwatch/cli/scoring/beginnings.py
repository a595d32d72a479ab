"""Which windows of a meter begin an anomaly, by docs/anomalies.md. Pure.

This is a second implementation of the definition, which shares nothing with the worker's, and tells only
what begins: with the first six kinds every window that would begin one. Power in mW, voltage in mV,
frequency in mHz, power factor in millionths, times in µs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gridwatch.cli.scoring.usual import Days, Usage, Usual
from gridwatch.domain.policy import DAY, HOUR

_LEAST_BASE = 50_000
_LOW_FACTOR = 800_000
_FLAT, _SHIFTED, _RETURNED = 24, 8, 2
_ZERO = DAY
_LEARNED = 7 * DAY


class Judged(NamedTuple):
    """A window or slot that is judged. `sure`: it is stored with the values that it was judged with."""

    start: int
    length: int
    power: int
    voltage: int | None = None
    frequency: int | None = None
    power_factor: int | None = None
    sure: bool = True


class Nominal(NamedTuple):
    """The voltage (mV) and frequency (mHz) that there should be."""

    voltage: int
    frequency: int


class Beginning(NamedTuple):
    """A window with which an anomaly begins. `sure`: so are all windows that it begins by."""

    kind: str
    start: int
    end: int
    sure: bool


class _Run:
    """Windows in a row that have something in common."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.what: int | None = None
        self.windows: list[Judged] = []
        self.offsets: list[int] = []
        #: It has begun an anomaly, and can begin no other.
        self.told = False

    def add(self, what: int, window: Judged, offset: int = 0) -> None:
        if what != self.what:
            self.clear()
            self.what = what
        if not self.told:
            self.windows.append(window)
            self.offsets.append(offset)

    @property
    def length(self) -> int:
        return sum(window.length for window in self.windows)

    @property
    def sure(self) -> bool:
        return all(window.sure for window in self.windows)


class _Shift(NamedTuple):
    """A change of level that is open: the level before it, and the start of its first window."""

    before: int
    start: int


class Judge:
    """Judges the windows of one meter in order of time."""

    def __init__(self, days: Days, nominal: Nominal) -> None:
        self._days = days
        self._nominal = nominal
        self._last: Judged | None = None
        self._forget()

    def _forget(self) -> None:
        self._usage = Usage()
        self._flat, self._zero, self._side = _Run(), _Run(), _Run()
        self._level = 0
        self._shift: _Shift | None = None
        self._returned = 0

    def beginnings(self, windows: Iterable[Judged]) -> Iterator[Beginning]:
        """What begins with windows that are in the order in which they were emitted."""
        for window in windows:
            if self._last is None or window.start > self._last.start:
                yield from self._judge(window)
                self._last = window

    def _judge(self, window: Judged) -> Iterator[Beginning]:
        self._prepare(window)
        start, length, power = window[:3]
        bucket = self._days.bucket(start, length)
        raw = self._usage.raw(bucket, length)
        level = self._nearest(window, raw)
        base = None if raw is None else Usual(raw.mean + level, raw.deviation)
        for kind in self._single(window, base):
            yield Beginning(kind, start, start + length, window.sure)
        yield from self._runs(window)
        yield from self._shifts(window, raw, base)
        self._usage.learn(bucket, power - level)

    def _prepare(self, window: Judged) -> None:
        """What ends before a window, by the time that has passed."""
        last = self._last
        if last is None:
            return
        if (last.length <= HOUR) != (window.length <= HOUR):
            self._forget()
        elif window.start - last.start > max(DAY, 3 * window.length):
            for run in (self._flat, self._zero, self._side):
                run.clear()
            self._shift = None
        if self._shift is not None and window.start >= self._shift.start + _LEARNED:
            self._shift = None

    def _nearest(self, window: Judged, raw: Usual | None) -> int:
        """The level that a window is judged by: while a shift is open the nearer one, at a tie the new."""
        if self._shift is None or raw is None:
            return self._level
        old, new = (abs(window.power - raw.mean - level) for level in (self._shift.before, self._level))
        return self._shift.before if old < new else self._level

    def _single(self, window: Judged, base: Usual | None) -> Iterator[str]:
        """The kinds that a window begins by itself."""
        power, nominal = window.power, self._nominal
        if base is not None and base.mean >= _LEAST_BASE:
            if power - base.mean > base.mean:
                yield "SPIKE"
            if 2 * power < base.mean:
                yield "DROP"
        if power < 0 and (base is None or base.mean >= 0):
            yield "REVERSE_FLOW"
        if window.voltage is not None and 10 * abs(window.voltage - nominal.voltage) > nominal.voltage:
            yield "VOLTAGE"
        if (
            window.frequency is not None
            and 100 * abs(window.frequency - nominal.frequency) > nominal.frequency
        ):
            yield "FREQUENCY"
        if window.power_factor is not None and abs(window.power_factor) < _LOW_FACTOR:
            yield "LOW_POWER_FACTOR"

    def _runs(self, window: Judged) -> Iterator[Beginning]:
        for run, kind, fits in (
            (self._flat, "FLATLINE", window.power != 0),
            (self._zero, "ZERO_RUN", window.power == 0),
        ):
            if not fits:
                run.clear()
                continue
            run.add(window.power, window)
            whole = len(run.windows) >= _FLAT if run is self._flat else run.length >= _ZERO
            if whole and not run.told:
                run.told = True
                yield Beginning(kind, window.start, window.start + window.length, run.sure)

    def _shifts(self, window: Judged, raw: Usual | None, base: Usual | None) -> Iterator[Beginning]:
        run, power = self._side, window.power
        if raw is None or base is None or abs(power - base.mean) < base.clear:
            run.clear()
        else:
            run.add(1 if power > base.mean else -1, window, power - raw.mean)
        if len(run.windows) == _SHIFTED:
            yield Beginning("LEVEL_SHIFT", window.start, window.start + window.length, run.sure)
            if self._shift is None:
                self._shift, self._returned = _Shift(self._level, run.windows[0].start), 0
            self._level = sum(run.offsets) // _SHIFTED
            run.clear()
        elif self._shift is not None and raw is not None:
            off = abs(power - raw.mean - self._shift.before)
            self._returned = self._returned + 1 if 2 * off <= raw.clear else 0
            if self._returned == _RETURNED:
                self._level, self._shift = self._shift.before, None
                run.clear()
