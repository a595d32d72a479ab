"""Which two series of a meter have different steps at one time, as far as their stamps say.

What is found is a suspicion: readings of every second half-hour look like hours. `evidence` looks at the
values. Not suspected is a series whose step changes at some time, since what was before and what is after
have no time in common; nor gaps, whose longer steps lie where the shorter ones have nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gridwatch.domain.policy import DAY, MINUTE
from replay.files.covered import Stretch, Stretches
from replay.files.overlaps.walk import Run, Walk, reach

#: Windows of a meter that are looked at, and stretches that two series have in common.
_MOST_WINDOWS = 8
#: Readings of the finer series in a window, and of the coarser one; one of these at least.
_FINE_READINGS, _COARSE_READINGS = 200, 24
#: Readings in a row from which on a step is no chance.
_SURE = 24
#: How much of its interval must be there in finer readings, where one reading alone is compared.
_WHOLE = 0.9


@dataclass(frozen=True)
class Part:
    """Readings of a meter that come in one step (µs); `place` is their time modulo the step."""

    step: int
    place: int
    times: Stretches
    #: What the rows state as their interval (minutes, 0 nothing), and as their device.
    stated: int
    device: str
    #: Whether the step is known from the readings themselves.
    regular: bool


@dataclass(frozen=True)
class Window:
    """A time at which two parts of a meter seem to overlap. Times in µs.

    Both parts have readings from `first` to `last`; looked at are whole coarse intervals, `start` to `end`.
    """

    meter: str
    fine: Part
    coarse: Part
    start: int
    end: int
    first: int
    last: int
    #: Readings of the coarser part that follow on each other around here.
    in_a_row: int

    @property
    def stated(self) -> bool:
        """Whether the rows themselves say that their intervals are different ones."""
        return _stated_apart(self.fine, self.coarse)

    @property
    def sure(self) -> bool:
        """Whether the coarser part has too many readings to be an irregular one by chance."""
        return self.in_a_row >= _SURE

    @property
    def readings(self) -> int:
        """About how many readings there are."""
        return 2 * ((self.end - self.start) // self.fine.step + 1)


def windows_of(meter: str, series: Iterable[tuple[int, str, Walk]]) -> list[Window]:
    """Where parts of a meter overlap, the longest times first; `series` are intervals, devices and walks."""
    parts = [part for stated, device, walk in series for part in _parts(stated, device, walk)]
    if len(parts) < 2:
        return []
    told = len({part.stated for part in parts}) > 1
    found = [
        window
        for coarse in parts
        for fine in parts
        if coarse is not fine and _comparable(fine, coarse)
        for window in _windows(meter, *_steps(fine, coarse, told=told))
    ]
    found.sort(key=lambda one: (not one.stated, one.first - one.last, one.first))
    return found[:_MOST_WINDOWS]


def _parts(stated: int, device: str, walk: Walk) -> Iterator[Part]:
    one: Walk | None = walk
    while one is not None:
        for (step, place), times in one.regular().items():
            yield Part(step, place, times, stated, device, regular=True)
        for run in one.few or ():
            yield _few(run, stated, device)
        one = one.beside


def _few(run: Run, stated: int, device: str) -> Part:
    """Few readings: a step apart if they are several, else a day long."""
    step = abs(run.step) or DAY
    start = min(run.first, run.last)
    times = Stretches(stretches=[(start, max(run.first, run.last) + reach(step))])
    return Part(step, start % step, times, stated, device, regular=False)


def _comparable(fine: Part, coarse: Part) -> bool:
    """Whether they are of one device, and which is finer is known."""
    if fine.device and coarse.device and fine.device != coarse.device:
        return False
    return fine.regular or _stated_apart(fine, coarse)


def _stated_apart(fine: Part, coarse: Part) -> bool:
    return bool(fine.stated and coarse.stated and fine.stated != coarse.stated)


def _steps(fine: Part, coarse: Part, *, told: bool) -> tuple[Part, Part]:
    """Both with the steps that they are compared in: those that are stated, where these differ."""
    if _stated_apart(fine, coarse):
        return _as_stated(fine), _as_stated(coarse)
    if told and coarse.stated and not coarse.regular:
        return fine, _as_stated(coarse)
    return fine, coarse


def _as_stated(part: Part) -> Part:
    """A part in the steps that its rows state: each reading covers its own interval."""
    step = part.stated * MINUTE
    times = [
        (first, last - reach(part.step) + reach(max(step, part.step) if part.regular else step))
        for first, last in part.times.joined()
    ]
    place = times[0][0] % step
    return Part(step, place, Stretches(stretches=times), part.stated, part.device, regular=part.regular)


def _windows(meter: str, fine: Part, coarse: Part) -> Iterator[Window]:
    step = coarse.step
    if step < 2 * fine.step:
        return
    stretches = coarse.times.joined()
    lot = max(1, min(_COARSE_READINGS, _FINE_READINGS * fine.step // step))
    for first, last in coarse.times.overlaps(fine.times, _MOST_WINDOWS):
        start = first - (first - coarse.place) % step
        own = next(one for one in stretches if one[0] <= first < one[1])
        if _stated_apart(fine, coarse):
            yield Window(meter, fine, coarse, first - step, min(first + lot * step, last), first, last, 0)
        elif not _by_the_other_end(first, last, start, fine, coarse) and (
            coarse.regular or _beside(own, fine, step)
        ):
            end = min(start + lot * step, last + -(last - coarse.place) % step)
            in_a_row = (own[1] - own[0] + step - 1) // step if coarse.regular else 0
            yield Window(meter, fine, coarse, start, end, first, last, in_a_row)


def _by_the_other_end(first: int, last: int, start: int, fine: Part, coarse: Part) -> bool:
    """Whether they only seem to overlap because stamps name the end of an interval, and nobody says so.

    The first of the finer ones then comes one fine step after the last of the coarser ones.
    """
    return first == start + fine.step and last <= start + coarse.step


def _beside(own: Stretch, fine: Part, step: int) -> bool:
    """Whether few readings lie among those of the finer part: in its stretches, or off its stamps."""
    start, end = own
    covered = sum(last - first for first, last in fine.times.overlaps(Stretches(stretches=[own]), 64))
    if covered < _WHOLE * min(reach(step), end - start):
        return False
    among = any(first <= start < last for first, last in fine.times.joined())
    return among or start % fine.step != fine.place
