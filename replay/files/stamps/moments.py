"""When a line's value was: stamps in one cell or several, from one stamp until another."""

from __future__ import annotations

import re

from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND
from replay.files.job import BadCell, Job
from replay.files.layout import unwrapped
from replay.files.profile import DAY_MINUTES, RFC_3339, has_hour
from replay.files.reading.spreadsheets import XLSX, dates_of_sheet
from replay.files.spacing import minutes_between
from replay.files.stamps.local_time import LocalTime, read_stamp
from replay.files.stamps.midnights import own_date
from replay.files.stamps.stamps import Stamps
from replay.files.values.samples import minutes

#: Intervals whose last minute or second may be written as their end.
_WHOLE = {minutes * MINUTE for minutes in (15, 30, 60, DAY_MINUTES)}
_CLOCK, _MIDNIGHT = re.compile(r"\d{1,2}:\d\d(:\d\d)?"), re.compile(r"0?0:00(:00)?")
_CACHED_TEXTS = 200_000
_NO_HOUR = 'has an hour: name the column of the time too, such as timestamp = ["Date", "Time"]'


class Moment:
    """The time of a line: `later` is its other instant where two may be meant, `interval` minutes or 0.

    `meant` is the one of the two that the line itself says; it is no more than `likely` where its end may be
    that of the other one, too.
    """

    __slots__ = ("interval", "later", "likely", "meant", "time")

    def __init__(
        self,
        time: int,
        later: int | None = None,
        interval: int = 0,
        meant: int | None = None,
        *,
        likely: bool = False,
    ) -> None:
        self.time = time
        self.later = later
        self.interval = interval
        self.meant = meant
        self.likely = likely


class Moments:
    """Reads the times of a file's lines."""

    def __init__(self, job: Job) -> None:
        profile, layout = job.profile, job.layout
        one = (layout.columns["timestamp"],)
        self._from = layout.parts.get("timestamp", one)
        until = layout.columns.get("until", -1)
        self._until = layout.parts.get("until", (until,) if until >= 0 else ())
        self._one_date = len(self._until) > 1 and self._until[:-1] == self._from[:-1]
        #: Whether ends in the repeated hour are known to be what the clocks show.
        self._by_clock = False
        self._sheet = XLSX in layout.notes
        self._span = profile.span
        #: The zone whose days are intervals of their own, wherever they have 23 or 25 hours.
        self._zone = job.zone_of_days
        self._forms = profile.stamps
        spans = bool(self._span or self._until)
        shift = 0 if spans else profile.shift
        self._shift = 0 if _later(job) else shift
        self._stamps = Stamps(
            profile.zone or job.zone,
            job.tally,
            profile.stamps,
            self._shift,
            by_label=profile.dst == "split",
            midnight_ends=profile.midnight == "end",
            of_days=job.of_days,
        )
        self._by_day = 0 < profile.interval < DAY_MINUTES and not all(map(has_hour, profile.stamps))
        self._timed = tuple(form for form in profile.stamps if has_hour(form))
        #: Of each meter whose stamps name ends: its last time, and whether that followed the one before.
        self._before: dict[str, tuple[int, bool]] = {}
        self._dates: dict[str, bool] = {}
        #: The last date without an hour of each meter, and whether any stamp had an hour.
        self._last: dict[str, str] = {}
        self._some_hour = False
        #: The stamp of the line that was read last.
        self._latest = ""
        #: The time between two stamps that mean one instant each, as it was last.
        self._usual = 0
        #: The last column that is needed.
        self.needed = max(*self._from, *self._until, 0)

    @property
    def clocks(self) -> LocalTime:
        """The clocks of the file's zone."""
        return self._stamps.clocks

    @property
    def certain(self) -> bool:
        """Whether stamps say their offset."""
        return bool(self._stamps.offsets)

    def check(self) -> None:
        """BadCell where stamps of the whole file are not as they seemed.

        That is where none had an hour, though intervals are shorter than a day, and for midnights that stand
        under the wrong date.
        """
        self._stamps.check_end(self._latest)
        if self._last and not self._some_hour:
            raise BadCell("timestamp", next(iter(self._last.values())), f"no stamp of the file {_NO_HOUR}")

    def read(self, cells: list[str], meter: str) -> Moment:
        """The moment of a line. BadCell where there is none."""
        text = self._joined(cells, self._from)
        end = self._joined(cells, self._until) if self._until else ""
        if self._span:
            text, end = self._parted(text)
        if self._by_day:
            self._see_hour(text, meter)
        time = self._stamps[text]
        self._latest = text
        later = self._stamps.folds.get(time)
        if 0 < self._shift < DAY:
            self._see_midnight(time, text, meter)
        return self._between(time, later, end, text) if end else Moment(time, later)

    def twofold(self, cells: list[str]) -> tuple[int, int] | None:
        """The two instants of a line whose stamp may mean either, and that says no end."""
        if self._span or self._until or self._stamps.offsets:
            return None
        return self._stamps.twofold(self._joined(cells, self._from))

    def _see_hour(self, text: str, meter: str) -> None:
        """Dates without an hour are midnights, once a meter and day; else a column of times was forgotten."""
        dated = self._dates.get(text)
        if dated is None:
            try:
                read_stamp(text.strip(), self._timed or (RFC_3339,))
                dated = False
            except ValueError:
                dated = True
            if len(self._dates) > _CACHED_TEXTS:
                self._dates.clear()
            self._dates[text] = dated
        if not dated:
            self._some_hour = True
        elif self._last.get(meter) == text:
            raise BadCell("timestamp", text, f"a second value for a date, and no stamp like it {_NO_HOUR}")
        if dated:
            self._last[meter] = text

    def _see_midnight(self, time: int, text: str, meter: str) -> None:
        """BadCell for the end of a day that stands under the date of that day, not of the next one."""
        before, followed = self._before.get(meter, (time, False))
        self._before[meter] = (time, time - before == self._shift)
        if followed and DAY - 3 * HOUR < before - time < DAY + 2 * HOUR:
            last, ended = self._stamps.clocks.local(before), self._stamps.clocks.local(time) + self._shift
            if ended % DAY == 0 and last + 2 * self._shift == ended + DAY:
                raise own_date(text)

    def _between(self, time: int, later: int | None, end: str, text: str) -> Moment:
        """From one stamp until another; the shortest way there tells repeated hours apart.

        The last row of each pass ends where the hour ends, for people who count on from a row's start.
        """
        until = self._end(time, end, text)
        starts = [time] if later is None else [time, later]
        ends = {until, self._stamps.folds.get(until, until)}
        spans = [(stop - start, start) for start in starts for stop in ends if stop > start]
        if not spans:
            raise BadCell("timestamp", end.strip(), "the end of an interval lies before its start")
        least = min(spans)[0]
        if any(span == self._usual for span, _ in spans):
            least = self._usual
        elif len(spans) == 1:
            self._usual = least
        meant = {start for span, start in spans if span == least}
        if later is None or len(meant) > 1:
            day = minutes_between(self._zone, time, time + _whole(least)) if self._zone else 0
            return Moment(time, later, day or minutes(_whole(least)))
        # An end that is called the same in both passes goes by the clock, and so do all of the file.
        self._by_clock |= len(ends) > 1
        likely = not self._by_clock
        return Moment(time, later, minutes(_whole(least)), meant.pop(), likely=likely)

    def _parted(self, text: str) -> tuple[str, str]:
        """The two stamps of a cell. The words between them may stand within a stamp, too."""
        text = text.replace("\xa0", " ")
        at = text.find(self._span)
        while at > 0:
            try:
                read_stamp(unwrapped(text[:at].strip()), self._forms)
            except ValueError:
                at = text.find(self._span, at + 1)
                continue
            return text[:at], text[at + len(self._span) :]
        raise BadCell("timestamp", text, f"not two stamps with {self._span!r} between them")

    def _end(self, start: int, end: str, text: str) -> int:
        """The end of an interval; where it is only a time, that of the same day or of the next midnight."""
        try:
            until = self._stamps.end(end)
            date, _, clock = end.strip().rpartition(" ")
            if until > start or not (self._one_date and _MIDNIGHT.fullmatch(clock)):
                return until
        except BadCell:
            date, blank, _ = text.strip().rpartition(" ")
            clock = end.strip()
            if not blank or not _CLOCK.fullmatch(clock):
                raise
            until = self._stamps.end(f"{date} {clock}")
            if until > start or not _MIDNIGHT.fullmatch(clock):
                return until
        return self._stamps[f"{date} 24:00{':00' * (clock.count(':') > 1)}"]

    def _joined(self, cells: list[str], places: tuple[int, ...]) -> str:
        if len(places) == 1:
            return cells[places[0]]
        texts = [cells[at].strip() for at in places]
        return " ".join(dates_of_sheet(texts) if self._sheet else texts)


def _whole(span: int) -> int:
    """How long an interval is (µs) whose end is written as its last minute or second, such as 00:59."""
    return next((whole for more in (MINUTE, SECOND) if (whole := span + more) in _WHOLE), span)


def _later(job: Job) -> bool:
    """Whether the step that an end-anchored stamp ends is found out later."""
    return job.profile.steps == "stamps" or job.profile.difference
