"""Whether the values in a window say that two series of different steps count the same energy.

Rows that state intervals of different lengths are believed: a shorter one within a longer one counts twice.
Where only the distances of stamps tell, the coarser series may be the finer one with gaps, or corrections of
some of its values. Its values say which: as energy of long intervals they are about the sums of the finer
ones, as energy of short ones about as large as those at the same times.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

from gridwatch.domain.policy import MINUTE
from replay.files.overlaps.pairs import Window
from replay.files.overlaps.walk import reach
from replay.files.rows import Row
from replay.files.versions import Marked

#: How near a value is to a sum that it equals: of a series whose step is known, and of few readings.
_NEAR, _EQUAL = 0.02, 0.005
#: How many times the finer step a coarser one is, so that no single value equals its sum by chance.
_FAR = 8
#: How many finer readings make an interval whole: a local day may lack an hour.
_WHOLE = 0.9
#: How much larger than the finer ones coarser values are at least: where many follow on each other, and
#: where a few do, which corrections may do by chance. Those are nearer to the sums than to single values.
_LARGER, _MUCH_LARGER = 1.5, 2.0
#: Readings too few to show their step say so only where they are several and their values are far from single
#: ones: at least half of so many.
_SEVERAL, _MANY = 2, 24


class Seen(NamedTuple):
    """A reading in a window: time (µs), kWh, stated interval (minutes), the number of its file."""

    time: int
    kwh: float
    stated: int
    file: int


class Proof(NamedTuple):
    """One reading of each series that count the same energy."""

    coarse: Seen
    fine: Seen


class Evidence:
    """The readings of one window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._stated = {window.fine.stated, window.coarse.stated}
        self._devices = {window.fine.device, window.coarse.device}
        self._seen: list[Seen] = []

    def see(self, row: Row, file: int) -> None:
        """A reading of the meter; those of other series and times are passed over."""
        time, _, kwh, interval, members = row
        if self.window.start <= time < self.window.end and interval in self._stated:
            device = members.device if isinstance(members, Marked) else ""
            if device in self._devices:
                self._seen.append(Seen(time, abs(kwh), interval, file))

    @property
    def proof(self) -> Proof | None:
        """What counts twice; None where nothing does."""
        return self._by_statement() if self.window.stated else self._by_values()

    def _by_statement(self) -> Proof | None:
        fine, coarse = self.window.fine, self.window.coarse
        short = sorted(one for one in self._seen if one.stated == fine.stated)
        for one in sorted(one for one in self._seen if one.stated == coarse.stated):
            end = one.time + reach(coarse.stated * MINUTE)
            for other in short:
                if one.time <= other.time and other.time + fine.step <= end:
                    return Proof(one, other)
        return None

    def _by_values(self) -> Proof | None:
        step, place = self.window.coarse.step, self.window.coarse.place
        #: At the stamps of the coarser series the largest value is its own, the least the finer one's.
        at_stamps: dict[int, list[Seen]] = {}
        between: dict[int, Seen] = {}
        for one in self._seen:
            if (one.time - place) % step:
                between[one.time] = one
            else:
                at_stamps.setdefault(one.time, []).append(one)
        coarse = {time: max(some, key=lambda one: one.kwh) for time, some in at_stamps.items()}
        same = {
            time: min(some, key=lambda one: one.kwh)
            for time, some in at_stamps.items()
            if len(some) > 1 and self.window.first <= time < self.window.last
        }
        fine = same | between
        if not (coarse and between):
            return None
        equal = self._sums(coarse, fine, same)
        if not (equal or self._larger(coarse, fine, same)):
            return None
        one = min(coarse.values())
        others = sorted(other for other in fine.values() if one.time <= other.time)
        return Proof(one, others[0] if others else max(fine.values()))

    def _sums(self, coarse: dict[int, Seen], fine: dict[int, Seen], same: dict[int, Seen]) -> bool:
        """Whether the coarser values are the sums of the finer ones in their intervals: half of them where
        the step is known, else all of them, and two where a single one may be it by chance."""
        step, times, regular = self.window.coarse.step, sorted(fine), self.window.coarse.regular
        near = _NEAR if regular else _EQUAL
        whole = equal = 0
        for time, one in coarse.items():
            inside = [fine[at].kwh for at in times if time <= at < time + step]
            if len(inside) < _WHOLE * step / self.window.fine.step:
                continue
            whole += 1
            total = sum(inside)
            at_stamp = same[time].kwh if time in same else 0.0
            equal += abs(one.kwh - total) <= near * total and one.kwh > (1 + _NEAR) * at_stamp
        if regular:
            return whole > 0 and 2 * equal >= whole
        return equal == whole >= (1 if step >= _FAR * self.window.fine.step else 2)

    def _larger(self, coarse: dict[int, Seen], fine: dict[int, Seen], same: dict[int, Seen]) -> bool:
        """Whether the coarser values are too large to be some of the finer ones."""
        if not self.window.coarse.regular and len(coarse) < _SEVERAL:
            return False
        usual = sum(one.kwh for one in fine.values()) / len(fine)
        if same:
            usual = max(usual, sum(one.kwh for one in same.values()) / len(same))
        return usual > 0 and sum(one.kwh for one in coarse.values()) / len(coarse) > usual * self._least(fine)

    def _least(self, fine: dict[int, Seen]) -> float:
        """How many times as large as the finer values the coarser ones are at least."""
        step, finer, place = self.window.coarse.step, self.window.fine.step, self.window.coarse.place
        ratio = step / finer
        if not self.window.coarse.regular:
            least = ratio / 2 if ratio >= _MANY else inf
        elif self.window.sure:
            least = min(_LARGER, sqrt(ratio))
        else:
            least = max(_MUCH_LARGER, sqrt(ratio))
        after = min((time - place) % step for time in fine)
        if after >= finer:
            # The finer ones may fill gaps of a series whose step is shorter than it looks.
            least = max(least, sqrt(after * step) / finer)
        return least
