"""Which of two instants a row means, in the hour that the clocks repeat.

Judged for each meter and series by itself, from the order of its own rows: files hold the hour twice in a
row, reading by reading (02:00, 02:00, 02:30, 02:30), forwards or backwards in time, or half of it in
another file.

The row before the hour says in which direction the rows run; the first pass through the hour is the one
next to that row. A meter whose rows begin in the hour waits for the row after it, and its rows are judged
from there backwards. Where there is neither, the order within the hour and what other files have of it
decide.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

from gridwatch.domain.policy import DAY, HOUR
from replay.files.job import BadCell, Selection
from replay.files.tally import Tally

#: How far before the hour the row before it may be, without a doubt of the order.
_NEAR = 6 * HOUR
#: Meters whose hour is remembered for the files that follow.
_REMEMBERED = 200_000
_APART = (
    "rows of a repeated hour that lie apart in a file: taken in their order; sorted by time they are certain"
)
_ODD = "stamps of a repeated hour of which some come twice in a row and others once: taken as they come"
_BEYOND = (
    "stamps of a repeated hour that came more than twice for a meter: taken in turn, from the first again"
)


class _Run:
    """One meter's way through a repeated hour; `direction` is 1 forwards in time, -1 backwards."""

    def __init__(self, direction: int, near: int) -> None:
        self.near = near
        self._direction = direction
        self._seen: Counter[int] = Counter()
        self._before: int | None = None
        self._value: object = None
        self._pass = 0
        self._pairs = self._second_pass = False
        #: Rows beyond the second of one name.
        self.beyond = 0
        #: Whether the meter's rows had come to the hour before.
        self.again = False
        #: The last instant of the hour that a row named.
        self.latest = 0

    @property
    def once(self) -> bool:
        """Whether only one pass through the hour was seen."""
        return not (self._pairs or self._second_pass)

    @property
    def odd(self) -> bool:
        """Whether some stamps came in pairs and others alone."""
        return self._pairs and 1 in self._seen.values()

    def instant(self, earlier: int, later: int, value: object = None) -> int:
        again = value is not None and value == self._value and self._before == earlier
        self._value = value
        if again and not self._pairs and len(self._seen) > 1:
            return self._pass  # the row before once more: in pairs the first stamp would have come twice
        self._pass = self._pass_of(earlier, later)
        return self._pass

    def _pass_of(self, earlier: int, later: int) -> int:
        self.latest = max(self.latest, later)
        first, second = (earlier, later) if self._direction > 0 else (later, earlier)
        before, self._before = self._before, earlier
        count = self._seen[earlier]
        if count >= 2:
            self.beyond += 1
            self._seen.clear()
            self._second_pass = self._pairs = False
            count = 0
        self._seen[earlier] += 1
        if count:
            if before == earlier:
                self._pairs = True
            else:
                self._second_pass = True
            return second
        if before is not None and not self._pairs and (earlier - before) * self._direction < 0:
            self._second_pass = True
        return second if self._second_pass and not self._pairs else first

    def knows(self, earlier: int, later: int, time: int) -> None:
        """A row whose instant the file itself says."""
        if self._before == earlier:
            self._pairs = True
        else:
            self._second_pass = time == (later if self._direction > 0 else earlier)
        self._before = earlier
        self._seen[earlier] = max(self._seen[earlier], 2 if self._second_pass else 1)


class _Waiting(NamedTuple):
    """Rows of one line that wait: their place in the block, and what is known of the line."""

    at: int
    rows: int
    earlier: int
    later: int
    value: object


class RepeatedHours:
    """Tells the rows of one file apart. Rows that wait stand in their block with the earlier instant.

    `block` is the list that the caller appends rows to; it must stay the same list while `waiting` is not 0.
    """

    def __init__(self, tally: Tally, selection: Selection, *, ends: bool = False) -> None:
        """`ends`: stamps name the end of an interval."""
        self._tally = tally
        self._start = selection.start if selection.start is not None else -(1 << 63)
        self._end = selection.end if selection.end is not None else 1 << 63
        self._last: dict[str, int] = {}
        self._runs: dict[str, _Run] = {}
        self._held: dict[str, list[_Waiting]] = {}
        self._ends = ends
        #: The hour that each meter's rows came to last.
        self._entered: dict[str, int] = {}
        #: Of meters whose last row was the first one after the hour: its time and value.
        self._behind: dict[str, tuple[int, float | None]] = {}
        self.waiting = 0

    def saw(self, meter: str, time: int, block: list[Any], value: float | None = None) -> None:
        """A row of the meter whose time is certain. BadCell where it stands twice, by another clock."""
        self._last[meter] = time
        if self._behind:
            before = self._behind.pop(meter, (time, value))
            if before[0] == time and before[1] != value:
                raise _by_label()
        run = self._runs.pop(meter, None) if self._runs else None
        if self._held and meter in self._held:
            run = self._judge(meter, self._held.pop(meter), block, time)
        if run is not None:
            self._ended(run)
            if self._ends and run.once and 0 < time - run.latest <= HOUR:
                self._behind[meter] = (time, value)

    def _ended(self, run: _Run) -> None:
        if run.odd:
            self._tally.notes[_ODD] += 1

    def saw_many(self, times: list[int], meters: list[str | None]) -> None:
        """Rows whose times are certain; nothing is waiting."""
        self._last.update(zip(meters, times, strict=True))  # type: ignore[arg-type]  # None is no meter's name
        for meter in self._runs.keys() & set(meters):
            self._ended(self._runs.pop(meter))

    def instant(
        self, meter: str, earlier: int, later: int, block: list[Any], *, value: object = None, rows: int = 1
    ) -> int:
        """The instant of a row; it waits if that is not known yet, and is the next of `rows` in the block.

        BadCell where the hour comes again after its end, as it does by another clock.
        """
        if self._behind and self._behind.pop(meter, None) is not None:
            raise _by_label()
        if meter in self._held:
            return self._hold(meter, _Waiting(len(block), rows, earlier, later, value))
        run = self._runs.get(meter)
        if run is None or abs(run.near - earlier) > DAY:
            last = self._last.get(meter)
            if last is None:
                return self._hold(meter, _Waiting(len(block), rows, earlier, later, value))
            run = self._runs[meter] = _Run(1 if last < earlier else -1, earlier)
            run.again = self._enter(meter, earlier, doubtful=abs(last - earlier) > _NEAR)
        time = self._run(run, earlier, later, value)
        taken = self._tally.repeated_hours.get(meter, ())
        if run.again and (earlier in taken) != (later in taken):
            time = later if earlier in taken else earlier
        self._remember(meter, time)
        return time

    def knows(self, meter: str, earlier: int, later: int, time: int, block: list[Any]) -> None:
        """A row in the hour whose instant the file itself says, by its end."""
        run = self._runs.get(meter)
        held = self._held.pop(meter, None)
        if held is not None:
            direction = -1 if held[-1].earlier > earlier else 1
            back = _Run(-direction, earlier)
            back.knows(earlier, later, time)
            self._place(meter, held, [self._run(back, *one[2:]) for one in reversed(held)][::-1], block)
            run = self._runs[meter] = _Run(direction, earlier)
        elif run is None or abs(run.near - earlier) > DAY:
            last = self._last.get(meter, earlier - 1)
            run = self._runs[meter] = _Run(1 if last < earlier else -1, earlier)
            self._enter(meter, earlier)
        run.knows(earlier, later, time)
        self._remember(meter, time)

    def settle(self, block: list[Any]) -> None:
        """Judge what waits by what is known: the file has ended, or too many rows wait."""
        while self._runs:
            self._ended(self._runs.popitem()[1])
        held, self._held = self._held, {}
        for meter, rows in held.items():
            self._judge(meter, rows, block, None)

    def _enter(self, meter: str, earlier: int, *, doubtful: bool = False) -> bool:
        """A meter's rows come to the hour. Whether they did so before, so that their order says less."""
        again = abs(self._entered.get(meter, -DAY) - earlier) <= DAY
        if doubtful or again:
            self._tally.notes[_APART] += 1
        self._entered[meter] = earlier
        return again

    def _hold(self, meter: str, line: _Waiting) -> int:
        if meter not in self._held:
            self._enter(meter, line.earlier)
        self._held.setdefault(meter, []).append(line)
        self.waiting += line.rows
        return line.earlier

    def _judge(self, meter: str, held: list[_Waiting], block: list[Any], after: int | None) -> _Run | None:
        run = None
        if after is None:
            times = self._alone(meter, held)
        else:
            run = _Run(1 if after < held[0].earlier else -1, after)
            times = [self._run(run, *one[2:]) for one in reversed(held)][::-1]
        self._place(meter, held, times, block)
        return run

    def _place(self, meter: str, held: list[_Waiting], times: list[int], block: list[Any]) -> None:
        """Give rows that waited their times."""
        for (at, rows, *_), time in zip(held, times, strict=True):
            self._remember(meter, time)
            for place in range(at, at + rows):
                block[place] = (time, *block[place][1:])
            self.waiting -= rows
        if not self.waiting:
            kept = [row for row in block if self._start <= row[0] < self._end]
            self._tally.left_out += len(block) - len(kept)
            block[:] = kept

    def _alone(self, meter: str, held: list[_Waiting]) -> list[int]:
        """The instants of rows of which nothing but themselves is known."""
        stamps = [one.earlier for one in held]
        rises = sum((other > one) - (other < one) for one, other in pairwise(stamps))
        run = _Run(-1 if rises < 0 else 1, stamps[0])
        times = [self._run(run, *one[2:]) for one in held]
        taken = self._tally.repeated_hours.get(meter, set())
        if len(set(stamps)) == len(stamps) and taken:
            # Another file had the hour once: this is the other one.
            return [one.later if one.earlier in taken else one.earlier for one in held]
        return times

    def _run(self, run: _Run, earlier: int, later: int, value: object) -> int:
        beyond = run.beyond
        time = run.instant(earlier, later, value)
        if run.beyond > beyond:
            self._tally.notes[_BEYOND] += 1
        return time

    def _remember(self, meter: str, time: int) -> None:
        hours = self._tally.repeated_hours
        taken = hours.get(meter)
        if taken is None:
            if len(hours) >= _REMEMBERED:
                hours.clear()
            taken = hours[meter] = set()
        elif taken and abs(next(iter(taken)) - time) > DAY:
            taken.clear()
        taken.add(time)


def _by_label() -> BadCell:
    return BadCell(
        "timestamp",
        "the repeated hour",
        "its end stands twice, so that stamps do not go by the clock but count on from the start of their "
        "interval: name the column as slot, too (slot = the column of the hour, or of the stamp)",
    )
