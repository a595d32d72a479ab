"""What rows say of intervals that whole minutes cannot name: local days and months, and seconds."""

from __future__ import annotations

from collections.abc import Callable

from gridwatch.domain.policy import DAY
from replay.files.job import Job
from replay.files.profile import MONTH_MINUTES
from replay.files.rows import Row
from replay.files.spacing import DAILY, MONTH, MONTHLY, UNIT_OF, Spacing, giving
from replay.files.values.cells import given
from replay.files.versions import Marked, preceded


def restating(job: Job) -> Callable[[Row], Row] | None:
    """What makes a row say its interval so that the worker has all of it; None where rows do already."""
    if zone := job.zone_of_days:
        return _ByCalendar(job, zone).restated
    seconds = job.profile.seconds
    return _Seconds(seconds).restated if seconds else None


class _ByCalendar:
    """Days of 1440 minutes are those of the zone; and so are months, which a stamp may name the end of."""

    def __init__(self, job: Job, zone: str) -> None:
        self._zone = zone
        self._ends = job.profile.anchor == "end" and job.profile.interval == MONTH_MINUTES
        self._ends = self._ends and not job.profile.difference
        self._month = Spacing(MONTH, MONTHLY, zone)
        #: Where stamps alone show that values are of days, these may begin at any hour.
        self._any_hour = bool(job.profile.interval)
        self._day = Spacing(DAY, DAILY, zone)

    def restated(self, row: Row) -> Row:
        """The row with `1d` or `1mo` and the zone in the place of the minutes."""
        time, meter, kwh, minutes, members = row
        unit = UNIT_OF.get(minutes)
        if unit is None or not (self._any_hour or self._day.at(time) == time):
            return row
        if self._ends and minutes == MONTH_MINUTES:
            time = self._month.at(time - 1)
        said = giving(unit, self._zone)
        return time, meter, kwh, minutes, _replaced(members, given(minutes), said)


class _Seconds:
    """Intervals that are no whole minutes."""

    def __init__(self, seconds: int) -> None:
        self._said = f',"interval_seconds":{seconds}'

    def restated(self, row: Row) -> Row:
        """The row with its seconds, unless it gives an interval of its own."""
        if row[3] or "interval_seconds" in row[4]:
            return row
        return *row[:4], preceded(row[4], self._said)


def _replaced(members: str, old: str, new: str) -> str:
    said = members.replace(old, new, 1)
    return Marked(said, members.version, members.device) if isinstance(members, Marked) else said
