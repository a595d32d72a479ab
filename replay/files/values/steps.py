"""Power to energy: over the time between two stamps, or over one interval that is checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from gridwatch.domain.policy import DAY, HOUR, MINUTE
from replay.files.job import Job
from replay.files.profile import DAY_MINUTES
from replay.files.rows import Row
from replay.files.values.cells import DECIMALS
from replay.files.values.in_order import InOrder
from replay.files.values.samples import Sample, Stage, minutes

#: How far off its interval a stamp may be.
_NEAR = 0.1
#: Equal steps in a row, other than the interval, that are no gaps.
_ENOUGH = 3


class Clocks(Protocol):
    """The clocks of a zone. Times in µs; local ones are counted as if they were UTC."""

    def local(self, instant: int) -> int:
        """What the clocks show at an instant."""

    def midnight(self, local: int) -> int:
        """The instant at which the local day of a local time begins."""


@dataclass
class _Walk:
    """The newest sample of a meter, the step (µs) to it from the one before, and the steps before that.

    Steps of whole local days are as long as the clocks show, also where a day has 23 or 25 hours.
    """

    last: Sample
    before_last: Sample | None = None
    step: int = 0
    before: int = 0
    judged: int = 0


class VaryingSteps:
    """Each value covers the time up to its stamp (or from it on, by the anchor).

    A step that is longer than those on both sides of it is a gap: the value then covers the shorter one. A
    local day is no longer than another one for having 25 hours, and its value covers all of them.
    """

    def __init__(self, job: Job, clocks: Clocks, after: Stage) -> None:
        self._job = job
        self._after = after
        self._order = InOrder()
        self._ends = job.profile.anchor == "end"
        self._interval = job.profile.step
        self._clocks = clocks
        self._walks: dict[str, _Walk] = {}
        self._steps: Counter[int] = Counter()

    def take(self, sample: Sample, block: list[Row]) -> None:
        """The next value; one without a value ends a step too."""
        for one in self._order.take(sample):
            self._walk(one, block)

    def finish(self, block: list[Row]) -> None:
        """The steps of the last values."""
        for one in self._order.rest():
            self._walk(one, block)
        while self._walks:
            meter, walk = self._walks.popitem()
            if walk.before_last is not None:
                self._judge(walk, 0, block)
            elif self._interval:
                walk.judged = self._interval
                self._send(walk.last, walk.judged, block)
                continue
            else:
                raise walk.last.wrong(
                    meter,
                    "the only value of its meter: how long it covers is unknown; interval = says it",
                    'name the interval in a profile of your own, such as interval = "15m"',
                )
            if not self._ends:
                self._send(walk.last, walk.judged, block)
        if len(self._steps) > 1:
            found = ", ".join(
                f"{step / MINUTE:g} min × {count:,}" for step, count in self._steps.most_common(5)
            )
            self._job.tally.notes[f"{self._job.layout.file}: steps that vary: {found}"] = 1
        self._steps.clear()
        self._after.finish(block)

    def _walk(self, sample: Sample, block: list[Row]) -> None:
        walk = self._walks.get(sample.meter)
        if walk is None:
            self._walks[sample.meter] = _Walk(sample)
            return
        step = self._by_the_clock(walk.last.time, sample.time)
        if walk.before_last is not None:
            self._judge(walk, step, block)
            walk.before = walk.step
        walk.before_last, walk.last, walk.step = walk.last, sample, step

    def _judge(self, walk: _Walk, after: int, block: list[Row]) -> None:
        """Send the value that the newest step belongs to; `after` is the step that follows, 0 at the end."""
        one, first = walk.before_last, not walk.judged
        gap = bool(walk.before) and walk.step > max(walk.before, after)
        walk.judged = (after or walk.before) if gap else walk.step
        between = walk.last.time - one.time if one is not None and not gap else 0
        if one is None or self._ends:
            if first and one is not None:
                self._send(one, walk.judged, block)
            self._send(walk.last, walk.judged, block, between)
        else:
            self._send(one, walk.judged, block, between)

    def _send(self, sample: Sample, step: int, block: list[Row], between: int = 0) -> None:
        """Hand on a value of a step; `between` is the time to the other stamp, 0 where that is unknown."""
        if sample.value is None:
            self._after.take(sample, block)
            return
        self._steps[step] += 1
        length = between or self._length(sample.time, step)
        kwh = round(sample.value * length / HOUR, DECIMALS) if sample.power else sample.value
        start = sample.time - length if self._ends else sample.time
        interval = DAY_MINUTES if step == DAY else minutes(length)
        self._after.take(sample.energy(kwh, start, interval), block)

    def _by_the_clock(self, before: int, time: int) -> int:
        """The time between two stamps; between equal hours of two local days these count 24 hours each."""
        step = time - before
        if step < DAY - 2 * HOUR:
            return step
        shown = self._clocks.local(time) - self._clocks.local(before)
        return step if shown % DAY else shown

    def _length(self, time: int, step: int) -> int:
        """How long a value covers that has no stamp at its other end; days from midnight have their hours."""
        local = self._clocks.local(time)
        if step % DAY or local % DAY:
            return step
        return abs(time - self._clocks.midnight(local - step if self._ends else local + step))


class OneStep:
    """Power over the one interval of the profile. Stamps at other distances are noted, or an error.

    Nearer ones would count energy twice. Farther ones are gaps, unless several in a row are alike: then the
    interval is not the file's.
    """

    def __init__(self, job: Job, after: Stage, *, checked: bool) -> None:
        """`checked`: stamps say how far apart values are, which numbers of intervals do themselves."""
        self._after = after
        self._checked = checked
        self._notes = job.tally.notes
        self._file = job.layout.file
        self._step = job.profile.step
        self._last: dict[str, tuple[int, int, int]] = {}
        self._farther: Counter[int] = Counter()

    def take(self, sample: Sample, block: list[Row]) -> None:
        """The next value; BadCell where its distance from the one before is no interval."""
        if sample.value is not None and not sample.power:
            self._after.take(sample, block)
            return
        if self._checked:
            self._check(sample)
        time, step = sample.time, self._step
        if sample.value is not None:
            kwh = round(sample.value * step / HOUR, DECIMALS)
            sample = sample.energy(kwh, time, minutes(step))
        self._after.take(sample, block)

    def _check(self, sample: Sample) -> None:
        """BadCell where the distance from the value before is no interval."""
        time, step = sample.time, self._step
        before, last, alike = self._last.get(sample.meter, (time, 0, 1))
        distance = time - before
        away = abs(distance)
        if distance * last < 0:
            alike = -(1 << 30)  # rows in no order: their distances say nothing
        alike = alike + 1 if distance == last else min(1, alike)
        self._last[sample.meter] = (time, distance or last, alike)
        if away and (away < step * (1 - _NEAR) or (alike >= _ENOUGH and away > step * (1 + _NEAR))):
            raise sample.wrong(
                str(sample.value),
                f"the stamps are {away / MINUTE:g} min apart and the interval is {step / MINUTE:g} min, so "
                'the energy would be wrong; interval = "stamps" counts power over the time between stamps',
                'give the interval that the file has, or interval = "stamps", in a profile of your own',
            )
        if away > step * (1 + _NEAR):
            self._farther[away] += 1

    def finish(self, block: list[Row]) -> None:
        """Note the distances that were not the interval."""
        for away, count in self._farther.most_common(3):
            self._notes[
                f"{self._file}: values of power {away / MINUTE:g} min apart, each counted over "
                f"{self._step / MINUTE:g} min"
            ] += count
        self._farther.clear()
        self._after.finish(block)
