"""Texts of stamps to instants, each read once."""

from __future__ import annotations

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, MINUTE, SECOND
from replay.files.job import BadCell
from replay.files.layout import unwrapped
from replay.files.stamps.local_time import (
    INSTANT,
    TOP_OF_A_STAMP,
    ZONE,
    LocalTime,
    SkippedHour,
    is_hour_24,
    read_stamp,
)
from replay.files.stamps.midnights import Midnights, is_midnight
from replay.files.stamps.unread import not_a_time
from replay.files.tally import Tally

#: The least interval whose last minute is taken for its end.
_QUARTER = 15 * MINUTE
_CACHED_TEXTS = 200_000
_LAST = "stamps at the last minute or second of their interval, such as 00:59: taken as its end"


class Stamps(dict[str, int]):
    """Text of a stamp → µs; files repeat each stamp for every meter.

    Of two instants the earlier; `folds` has the later one for it. `shift` (µs) is taken off each stamp: the
    interval, where stamps name its end; whole days are taken off by the calendar, whether they have 23, 24 or
    25 hours. Stamps with and without offset in one file are refused.
    """

    def __init__(
        self,
        zone: str,
        tally: Tally,
        forms: tuple[str, ...] = (),
        shift: int = 0,
        *,
        by_label: bool = False,
        midnight_ends: bool = False,
        of_days: bool = False,
    ) -> None:
        """`by_label`: a stamp is taken off its shift as it is written, before the clocks are asked.

        So ends are named where every local day has as many stamps. `midnight_ends`: 00:00 is the end of its
        date, as 24:00 is. `of_days`: midnight is where the local day begins, also where the clocks skip it or
        show it twice.
        """
        super().__init__()
        self.folds: dict[int, int] = {}
        self.clocks = LocalTime(zone)
        self._tally = tally
        self._forms = forms
        self._shift = shift
        self._by_label = by_label
        self._midnight_ends = midnight_ends
        self._of_days = of_days
        self._midnights = Midnights()
        self._by_calendar = shift > 0 and shift % DAY == 0
        self._twofold: dict[str, tuple[int, int] | None] = {}
        #: Whether stamps have an offset; None before the first one.
        self.offsets: bool | None = None

    def __missing__(self, text: str) -> int:
        stamp = text.strip()
        try:
            if self._forms:
                found, zone = read_stamp(stamp, self._forms)
            else:
                rest = stamp[TOP_OF_A_STAMP:]
                offset = any(mark in rest for mark in "Zz+-")
                try:
                    found, zone = parse_instant(stamp)[0], INSTANT if offset else ""
                except ValueError:
                    found, zone = read_stamp(unwrapped(stamp), ())
            found = self._end_of_day(stamp, found, zone)
            times = self._instants(found, zone)
        except (ValueError, OverflowError) as problem:
            if isinstance(problem, BadCell):
                raise type(problem)("timestamp", text, problem.reason, problem.remedy) from problem
            raise not_a_time(text, problem) from problem
        has_offset = bool(zone)
        if self.offsets is None:
            self.offsets = has_offset
        elif self.offsets != has_offset:
            has, before = ("an offset", "none") if has_offset else ("no offset", "one")
            raise BadCell(
                "timestamp",
                text,
                f"mixed zones: the stamp has {has}, those before it had {before}",
                "write all stamps with an offset, or none, or replay the two kinds as files of their own",
            )
        self._midnights.see(text, found, offset=zone == INSTANT)
        time = times[0] - self._shift
        if len(times) > 1:
            self._tally.ambiguous += 1
            self.folds[time] = times[1] - self._shift
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = time
        return time

    def check_end(self, last: str) -> None:
        """The file has ended, with the stamp `last`. BadCell where midnights stand under the wrong date."""
        self._midnights.end(last)

    def _end_of_day(self, stamp: str, found: int, zone: str) -> int:
        """A time found in a stamp; a day later where that is midnight, and ends the day of its date."""
        if self._midnight_ends and is_midnight(stamp, found, offset=zone == INSTANT):
            return found if is_hour_24(stamp) else found + DAY
        return found

    def end(self, text: str) -> int:
        """The instant of a stamp that ends an interval; it may name where the clocks begin to skip."""
        try:
            return self[text]
        except SkippedHour:
            local = read_stamp(unwrapped(text.strip()), self._forms)[0]
            times = self.clocks.instants(local - 1)
            if not times:
                raise
            return times[-1] + 1

    def twofold(self, text: str) -> tuple[int, int] | None:
        """The two instants of a stamp that may mean either; None for any other text. Nothing is counted."""
        if text not in self._twofold:
            if len(self._twofold) >= _CACHED_TEXTS:
                self._twofold.clear()
            self._twofold[text] = self._two_of(text)
        return self._twofold[text]

    def _two_of(self, text: str) -> tuple[int, int] | None:
        try:
            found, zone = read_stamp(unwrapped(text.strip()), self._forms)
            found = self._end_of_day(text.strip(), found, zone)
            times = () if zone else self._instants(found, zone)
        except (ValueError, OverflowError):
            return None
        return (times[0] - self._shift, times[1] - self._shift) if len(times) > 1 else None

    def _instants(self, found: int, zone: str) -> tuple[int, ...]:
        """The instants of a time in a zone, of which a local time may have two; BadCell where it has none.

        The last minute or second of an interval stands for its end, and is called what its start is.
        """
        rest = self._rest(found, zone) if self._shift >= _QUARTER else 0
        if rest:
            self._tally.notes[_LAST] += 1
        if self._by_calendar or self._by_label:
            found, rest = found + rest, 0
        times = self._instant(found) if zone == INSTANT else self._local(found, zone)
        return tuple(time + rest for time in times) if rest else times

    def _rest(self, found: int, zone: str) -> int:
        label = self.clocks.local(found) if zone == INSTANT else found
        return next((rest for rest in (MINUTE, SECOND) if (label + rest) % self._shift == 0), 0)

    def _instant(self, time: int) -> tuple[int, ...]:
        """A time with its offset; that of a midnight of the zone ends a local day."""
        if self._by_calendar and (local := self.clocks.local(time)) % DAY == 0:
            return self._ends_days(local)
        return (time,)

    def _ends_days(self, local: int) -> tuple[int, ...]:
        """The end of days that `_shift` leads back from to when they began."""
        start = local - self._shift
        return self._by_start(local) if start % DAY else (self.clocks.midnight(start) + self._shift,)

    def _by_start(self, local: int) -> tuple[int, ...]:
        """When intervals end whose start is called `_shift` before a local time."""
        return tuple(start + self._shift for start in self.clocks.instants(local - self._shift))

    def _local(self, local: int, zone: str) -> tuple[int, ...]:
        """The instants of a local time, of which `zone` may name one; BadCell where there is none."""
        if self._by_calendar and (times := self._ends_days(local)):
            return times
        if self._by_label:
            times = self._by_start(local)
            if not times:
                raise self.clocks.skipped(local - self._shift)
            return times
        if self._of_days and not zone and local % DAY == 0:
            return (self.clocks.midnight(local),)
        times = self.clocks.instants(local)
        if not times and self._shift:
            # The end of an interval by its start: 02:00 where the clocks jump from 02:00 to 03:00.
            times = self._by_start(local)
        if not times:
            raise self.clocks.skipped(local)
        if zone:
            named = tuple(time for time in times if self.clocks.name_at(time).upper() == zone)
            if not named:
                raise BadCell(
                    "timestamp",
                    zone,
                    f"not a time: {self.clocks.name} does not call itself {zone} then",
                    ZONE,
                )
            return named
        return times
