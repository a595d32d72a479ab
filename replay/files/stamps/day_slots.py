"""Intervals of a local day by their number, from 1 to 24, 48 or 96; days on which clocks change have others.

Those days are numbered in order (1 to 23 or 25), or by the clock: then the numbers of a skipped hour are
missing and those of a repeated one come twice, or once. Which of these a file does shows when a day of a
meter is whole.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gridwatch.domain.policy import DAY, HOUR, MINUTE
from replay.files.job import BadCell
from replay.files.stamps.local_time import OWN_DATE, ZONE, LocalTime
from replay.files.tally import Tally
from replay.files.values.samples import Sample

#: An interval by its start and end.
_SPAN = re.compile(r"(\d{1,2})(?::([0-5]\d))?\s*[-–]\s*(\d{1,2})(?::([0-5]\d))?")
_NO_ORDER = "numbers of a repeated hour in no order, or more than twice: taken as they come"
_PART = "parts of days of {hours} hours: their numbers were taken in the order of time, not by the clock"
_ENDS = (
    "numbers of ends that follow the clock: {twice} comes twice and {once} once on the day that the clocks "
    "go back; the repeated hour has to come twice. Number the intervals of that day in order, from 1 on"
)
_OTHER_WAY = (
    "a day on which clocks change, in two files that do not follow on each other: how its numbers go, by the "
    "clock or in order, does not show in parts of it"
)
_ONCE = "numbers of a repeated hour that stand once: taken as the first of the two hours"


class _Entry(NamedTuple):
    """A sample of a changing day: its place in the list that waits, and its number from 1 on."""

    place: int
    number: int
    line: int


@dataclass
class _Held:
    """The entries of a day of one meter, and its rows of other days since."""

    entries: list[_Entry] = field(default_factory=list)
    others: int = 0


@dataclass
class _Judged:
    """How the numbers of a day go: by the clock or in order; `once`: the repeated hour stands once."""

    by_clock: bool
    once: bool = False
    backwards: bool = False
    seen: set[int] = field(default_factory=set)


class DaySlots:
    """Finds the time of each numbered interval. Samples of changing days wait in their list."""

    def __init__(self, clocks: LocalTime, tally: Tally, interval: int, first: int) -> None:
        self._clocks = clocks
        self._tally = tally
        self._step = interval * MINUTE
        self._nominal = 1440 // interval
        self._first = first
        self._days: dict[int, tuple[int, int]] = {}
        self._held: dict[str, dict[int, _Held]] = {}
        self._judged: dict[tuple[str, int], _Judged] = {}
        #: The day and number of each meter's last interval.
        self._before: dict[str, tuple[int, int]] = {}
        self.waiting = 0

    def number(self, text: str, ends: bool) -> int:
        """The number of an interval from 1 on, in a cell: a number, or a time of the clock."""
        text = text.strip()
        if (span := _SPAN.fullmatch(text)) is not None:
            return self._spanned(span)
        hours, colon, rest = text.partition(":")
        if colon:
            least = rest.partition(":")[0]
            if not (hours.isdecimal() and least.isdecimal() and int(least) < 60):
                raise BadCell("slot", text, "neither the number of an interval nor a time of the clock")
            number, over = divmod((int(hours) * 60 + int(least)) * MINUTE, self._step)
            if over:
                raise BadCell("slot", text, "a time of the clock between two intervals")
            return number if ends else number + 1
        if not text.isdecimal():
            raise BadCell("slot", text, "neither the number of an interval nor a time of the clock")
        if int(text) < self._first:
            raise BadCell("slot", text, "intervals count from 1; first_slot = 0 in the profile counts from 0")
        return int(text) - self._first + 1

    def _spanned(self, span: re.Match[str]) -> int:
        """The number of an interval that is named by its start and end, such as 00-01 or 00:00-01:00."""
        start, end = ((int(span[at]) * 60 + int(span[at + 1] or 0)) * MINUTE for at in (1, 3))
        number, over = divmod(start, self._step)
        if over or (end - start) % DAY != self._step % DAY or end > DAY:
            raise BadCell(
                "slot", span[0], f"not from one end of an interval of {self._step // MINUTE} min to the other"
            )
        return number + 1

    def take(self, meter: str, day: int, number: int, samples: list[Any], line: int) -> int | None:
        """The time of the next sample of the list; it may wait, and then has the wrong one.

        `day` is local midnight. None for nothing in an hour that was skipped, which is for a sample that does
        not wait; BadCell for a number that the day has not.
        """
        start, slots = self._day(day)
        if number > max(slots, self._nominal):
            raise BadCell("slot", str(number + self._first - 1), f"the day has {slots} intervals")
        if number == 0 and self._before.get(meter) == (day, self._nominal - 1):
            raise BadCell("slot", "0:00", OWN_DATE)
        self._before[meter] = (day, number)
        if meter in self._held:
            self._other_days(meter, day)
        if slots == self._nominal or number == 0:
            return start + (number - 1) * self._step
        judged = self._judged.get((meter, day))
        if judged is not None:
            time = self._time(day, number, judged)
            if time is None:
                raise BadCell("slot", str(number), "an interval that the clocks skipped", ZONE)
            return time
        held = self._held.setdefault(meter, {}).setdefault(day, _Held())
        held.entries.append(_Entry(len(samples), number, line))
        held.others = 0
        self.waiting += 1
        return start

    def _other_days(self, meter: str, day: int) -> None:
        """A row of a meter, maybe of another day than those that wait."""
        for at, held in self._held[meter].items():
            held.others += at != day

    def relieve(self, samples: list[Any]) -> None:
        """Judge the days that their meters have left behind. Corrections of other days are few."""
        left = max(2, self._nominal // 8)
        for meter, days in list(self._held.items()):
            for day in [day for day, held in days.items() if held.others > left]:
                self._judge(meter, day, samples)

    def settle(self, samples: list[Any]) -> None:
        """The file has ended."""
        for meter in list(self._held):
            for day in list(self._held.get(meter, ())):
                self._judge(meter, day, samples)

    def _judge(self, meter: str, day: int, samples: list[Any]) -> None:
        """A changing day of a meter is whole: give its samples their times."""
        entries = self._held[meter].pop(day).entries
        if not self._held[meter]:
            del self._held[meter]
        self.waiting -= len(entries)
        self._refuse_ends(day, entries, samples)
        judged = self._judged[meter, day] = self._judgement(day, [entry.number for entry in entries])
        self._go_on(meter, day, judged, entries, samples)
        problems = []
        for entry in entries:
            sample, samples[entry.place] = samples[entry.place], None
            time = self._time(day, entry.number, judged)
            if time is not None:
                samples[entry.place] = (time, *sample[1:])
            elif Sample._make(sample).value:
                text = str(entry.number + self._first - 1)
                problem = BadCell("slot", text, "energy in an interval that the clocks skipped", ZONE)
                problem.line = entry.line
                problems.append(problem)
            else:
                self._tally.skipped_hours += 1
        numbers = [entry.number for entry in entries]
        certain = self._certain(day, judged, numbers)
        self._tally.numbered[meter, day] = (
            judged.by_clock, certain, min(numbers), max(numbers), set(judged.seen)
        )  # fmt: skip
        if problems:
            raise problems[0]

    def _refuse_ends(self, day: int, entries: list[_Entry], samples: list[Any]) -> None:
        """BadCell for numbers that are ends by the clock: the end before the repeated hour comes twice.

        Read as numbers of intervals, one of its two values would replace the other, and the later ones would
        be an hour late. The samples are dropped.
        """
        _, slots = self._day(day)
        numbers = Counter(entry.number for entry in entries)
        if slots <= self._nominal or max(numbers) > self._nominal:
            return
        two = [n for n in range(self._nominal) if len(self._clocks.instants(day + n * self._step)) > 1]
        first, last = (two[0], two[-1] + 1) if two else (0, 0)
        if numbers[first] > 1 and numbers[last] == 1:
            for entry in entries:
                samples[entry.place] = None
            found, once = str(first + self._first - 1), str(last + self._first - 1)
            problem = BadCell("slot", found, _ENDS.format(twice=found, once=once))
            problem.line = [entry.line for entry in entries if entry.number == first][1]
            raise problem

    def _go_on(
        self, meter: str, day: int, judged: _Judged, entries: list[_Entry], samples: list[Any]
    ) -> None:
        """Number a part of a day as the file before did, and go on in the repeated hour if that ended there.

        BadCell where neither part of the day shows how its numbers go. The samples are dropped.
        """
        numbers = [entry.number for entry in entries]
        before = self._tally.numbered.get((meter, day))
        if before is None:
            return
        by_clock, certain, least, most, seen = before
        if by_clock != judged.by_clock and certain and not self._certain(day, judged, numbers):
            judged.by_clock, judged.once = by_clock, False
        two = self._twofold(day)
        parted = bool(two) and by_clock and least >= two[0] and max(numbers) <= two[-1] and judged.once
        if by_clock == judged.by_clock and not parted:
            if two and by_clock and most <= two[-1] and min(numbers) >= two[0]:
                judged.seen, judged.once = set(seen), False
            return
        for entry in entries:
            samples[entry.place] = None
        last = max(entries, key=lambda entry: entry.number)
        problem = BadCell("slot", str(last.number + self._first - 1), _OTHER_WAY, "put the day into one file")
        problem.line = last.line
        problem.skippable = False
        raise problem

    def _certain(self, day: int, judged: _Judged, numbers: list[int]) -> bool:
        """Whether the numbers show which way they go."""
        _, slots = self._day(day)
        if slots < self._nominal:
            return judged.by_clock or len(set(numbers)) == slots
        return not (judged.by_clock and judged.once)

    def _twofold(self, day: int) -> list[int]:
        """The numbers of the repeated hour by the clock."""
        return [
            number
            for number in range(1, self._nominal + 1)
            if len(self._clocks.instants(day + (number - 1) * self._step)) > 1
        ]

    def _judgement(self, day: int, numbers: list[int]) -> _Judged:
        """How the numbers of a changing day go."""
        _, slots = self._day(day)
        notes = self._tally.notes
        if slots < self._nominal:
            by_clock = max(numbers) > slots
            if not by_clock and len(set(numbers)) < slots:
                notes[_PART.format(hours=f"{slots * self._step / HOUR:g}")] += 1
            return _Judged(by_clock)
        if max(numbers) > self._nominal:
            return _Judged(by_clock=False)
        two = self._twofold(day)
        twice = [number for number, count in Counter(numbers).items() if count > 1 and number in two]
        in_hour = [number for number in numbers if number in twice]
        if not twice:
            self._tally.ambiguous += 1
            notes[_ONCE] += 1
        elif max(Counter(in_hour).values()) > 2 or not _in_order(numbers, in_hour, len(twice)):
            notes[_NO_ORDER] += 1
        return _Judged(by_clock=True, once=not twice, backwards=numbers[0] > numbers[-1])

    def _time(self, day: int, number: int, judged: _Judged) -> int | None:
        """The time of an interval; None where the clocks skipped it."""
        if not judged.by_clock:
            return self._day(day)[0] + (number - 1) * self._step
        times = self._clocks.instants(day + (number - 1) * self._step)
        if not times:
            return None
        again = number in judged.seen
        judged.seen ^= {number}
        return times[-1] if again != judged.backwards and not judged.once else times[0]

    def _day(self, day: int) -> tuple[int, int]:
        """When a local day begins, and how many intervals it has. BadCell where they do not divide it."""
        if day not in self._days:
            start, end = self._clocks.day(day)
            if (end - start) % self._step:
                hours, minutes = (end - start) / HOUR, self._step // MINUTE
                raise BadCell(
                    "slot", "", f"a day of {hours:g} hours, which intervals of {minutes} min do not divide"
                )
            self._days[day] = (start, (end - start) // self._step)
        return self._days[day]


def _in_order(numbers: list[int], in_hour: list[int], twice: int) -> bool:
    """Whether the numbers of a day run one way, those of the repeated hour in pairs or in two passes."""
    others = [number for number in numbers if number not in in_hour]
    return (others == sorted(others) or others == sorted(others, reverse=True)) and in_hour in (
        sorted(in_hour),
        sorted(in_hour, reverse=True),
        in_hour[:twice] * 2,
    )
