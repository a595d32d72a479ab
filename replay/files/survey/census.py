"""What is in files, counted while rows pass by in order of time: for `--dry-run`, in bounded memory.

Kept are some figures a meter, the commonest distances between readings and the commonest places in the hour.
The energy is what stands in the end, of a value that comes twice the last one; what the worker refuses is
counted, and left out of the energy that is accepted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import gcd
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import DAY, HOUR, MINUTE
from replay.files.profile import DAY_MINUTES
from replay.files.rows import Row
from replay.files.spacing import Spacing, calendar_given
from replay.files.stamps.local_time import LocalTime
from replay.files.survey.hints import MeterFigures, Plausibility
from replay.files.survey.refusals import Refusals
from replay.files.survey.survey import Survey

_KINDS = 5_000
_LONGEST_SPAN = 100_000 * DAY
#: A reading this close to its slot lies on the grid, as the worker sees it.
_TOLERANCE = 5 * MINUTE
#: A local day or month is missing so long after its beginning.
_GRACE = 15 * MINUTE
#: An interval counts as common from three distances, and one in so many, on.
_COMMON = 20


@dataclass
class ClockChange:
    """A local day that has not 24 hours. Times in µs, `end` exclusive."""

    date: str
    start: int
    end: int
    readings: int = 0

    @property
    def hours(self) -> float:
        return (self.end - self.start) / HOUR


class Census:
    """Counts; `watch` lets the rows through."""

    def __init__(self, survey: Survey, zone: str, by_time: bool, refusals: Refusals) -> None:
        self.refusals = refusals
        self.negative = self.zero = self.repeated = self.contradicting = 0
        self.micro_kwh = self.accepted_micro_kwh = 0
        self.changes = clock_changes(survey, zone)
        self._by_time = by_time
        self._meters: dict[str, MeterFigures] = {}
        self._distances: Counter[int] = Counter()
        self._places: Counter[int] = Counter()
        self._rows = 0
        #: Readings of local days or months, by calendar; none of them is off the grid.
        self._calendars: Counter[str] = Counter()
        self._spacings: dict[str, Spacing | None] = {}

    def watch(self, blocks: Iterable[list[Row]]) -> Iterator[list[Row]]:
        """The same blocks, counted."""
        for block in blocks:
            self._see(block)
            yield block

    def _see(self, block: list[Row]) -> None:
        meters, distances, places = self._meters, self._distances, self._places
        refused = self.refusals.refused
        self._rows += len(block)
        for row in block:
            time, name, kwh, interval, members = row
            days = self._days_of(members) if interval >= DAY_MINUTES else None
            micro_kwh = round(kwh * 1_000_000)
            accepted = None if refused(row) else micro_kwh
            meter = meters.get(name)
            if meter is None:
                meter = meters[name] = MeterFigures(time, kwh, 0, 0, 0)
                self._count(meter, micro_kwh, accepted)
            elif distance := _distance(days, meter.time, time):
                distances[distance] += 1
                meter.follow(distance)
                meter.stands = meter.accepted = 0
                self._count(meter, micro_kwh, accepted)
            elif kwh == meter.kwh:
                self.repeated += 1
            else:
                self.contradicting += 1
                meter.revised += 1
                self._count(meter, micro_kwh, accepted)
            meter.changed |= kwh != meter.kwh
            meter.time, meter.kwh = time, kwh
            if days is None:
                meter.covers(time, interval)
                places[time % HOUR] += 1
            else:
                self._calendars[days.calendar] += 1
                meter.covers_until(days.after(time), days.days(time))
                meter.behind += time - days.nearest(time, time) > _GRACE
            self.negative += kwh < 0
            self.zero += kwh == 0
        for counter in (distances, places):
            if len(counter) > 2 * _KINDS:
                for kind, _ in counter.most_common()[_KINDS:]:
                    del counter[kind]
        for change in self.changes:
            change.readings += (
                bisect_left(block, (change.end,)) - bisect_left(block, (change.start,))
                if self._by_time
                else sum(change.start <= row[0] < change.end for row in block)
            )

    def _days_of(self, members: str) -> Spacing | None:
        """The calendar that a row with these members gives."""
        if members not in self._spacings:
            if len(self._spacings) >= _KINDS:
                self._spacings.clear()
            self._spacings[members] = calendar_given(members)
        return self._spacings[members]

    @property
    def calendar(self) -> str:
        """The calendar of most readings, such as `1d Europe/Berlin`; empty where their interval is fixed."""
        calendars = self._calendars
        return calendars.most_common(1)[0][0] if 2 * calendars.total() > self._rows else ""

    def _count(self, meter: MeterFigures, micro_kwh: int, accepted: int | None) -> None:
        """A value takes the place of what stood for its time; one that is refused, only in the files."""
        change = micro_kwh - meter.stands
        meter.stands = micro_kwh
        meter.energy += change
        self.micro_kwh += change
        if accepted is not None:
            self.accepted_micro_kwh += accepted - meter.accepted
            meter.accepted = accepted

    @property
    def plausible(self) -> Plausibility:
        """What each meter's figures say."""
        return Plausibility(self._meters)

    @property
    def interval(self) -> int:
        """The commonest distance between two readings of a meter, whole minutes; 0 when there is none."""
        found = self._distances.most_common(1)
        return round(found[0][0] / MINUTE) if found else 0

    @property
    def _grid(self) -> int:
        """The step (µs) on which meters lie that report in different intervals, an hour at most."""
        least = min(max(3, self._distances.total() // _COMMON), max(self._distances.values(), default=0))
        common = (distance for distance, count in self._distances.items() if count >= least)
        return gcd(HOUR, *(round(distance / MINUTE) * MINUTE for distance in common))

    @property
    def off_grid(self) -> int:
        """Readings that lie off the common grid by more than the worker's tolerance."""
        interval = self._grid
        phases: Counter[int] = Counter()
        fixed = self._rows - self._calendars.total()
        for place, count in self._places.items():
            phases[place % interval] += count
        if not phases:
            return 0
        grid = phases.most_common(1)[0][0]
        near = min(interval // 4, _TOLERANCE)
        on = sum(
            count
            for phase, count in phases.items()
            if min((phase - grid) % interval, (grid - phase) % interval) <= near
        )
        return fixed - on

    @property
    def intervals(self) -> list[tuple[float, int]]:
        """The commonest distances (minutes) with how often they occur."""
        return [(distance / MINUTE, count) for distance, count in self._distances.most_common(5)]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        plausible = self.plausible
        return {
            "interval_minutes": self.interval,
            "calendar": self.calendar or None,
            "intervals": [{"minutes": minutes, "count": count} for minutes, count in self.intervals],
            "duplicates": self.repeated,
            "contradicting_duplicates": self.contradicting,
            "off_grid": self.off_grid,
            "negative": self.negative,
            "zero": self.zero,
            "energy_micro_kwh": self.micro_kwh,
            "accepted_micro_kwh": self.accepted_micro_kwh,
            "dead_letters": self.refusals.readings,
            "dead_letter_reasons": dict(self.refusals.reasons),
            "dead_letter_examples": self.refusals.examples,
            "kwh_a_day": plausible.a_day,
            "hints": plausible.hints,
            "clock_changes": [
                {
                    "date": change.date,
                    "hours": change.hours,
                    "first": format_instant(change.start),
                    "readings": change.readings,
                }
                for change in self.changes
            ],
        }


def _distance(days: Spacing | None, before: int, time: int) -> int:
    """How far apart two readings are; of local days or months, in those, each taken for as long as others."""
    if days is None:
        return time - before
    return days.steps(before, time) * days.length or time - before


def clock_changes(survey: Survey, zone: str) -> list[ClockChange]:
    """The local days of a zone, within what was found, that have not 24 hours."""
    if not survey.rows or survey.last - survey.first > _LONGEST_SPAN or zone == "UTC":
        return []
    clocks = LocalTime(zone)
    found = []
    day = (survey.first // DAY - 1) * DAY
    while day <= survey.last + DAY:
        bounds = [clocks.instants(at) for at in (day, day + DAY)]
        if all(bounds) and bounds[1][0] - bounds[0][0] != DAY:
            start, end = bounds[0][0], bounds[1][0]
            if end > survey.first and start <= survey.last:
                found.append(ClockChange(format_instant(day)[:10], start, end))
        day += DAY
    return found
