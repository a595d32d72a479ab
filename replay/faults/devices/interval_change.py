"""`interval-change`: a meter reports at another interval for a while, and may or may not say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from replay.faults.base import options
from replay.faults.base.chance import SECOND, Chance
from replay.faults.base.episodic import DAY, Episodic
from replay.faults.base.fault import Strike
from replay.faults.base.given import giving
from replay.faults.base.options import option
from replay.faults.base.sending import Sending
from replay.files.rows import Row

_MINUTE = 60 * SECOND


@dataclass(frozen=True)
class IntervalChange(Episodic):
    """In the meter's episodes the interval is `to` instead of `before`, the one in the file; one of them a
    multiple of the other.

    A longer one leaves out readings, and those that stay say the energy of the whole interval; a shorter one
    has readings in between, the energy in equal parts. With `announce` all readings of the meter say their
    interval, in and between the episodes; else it is to be learned.
    """

    every: int = option(30 * DAY, options.duration)
    length: tuple[int, int] = option((5 * DAY, 10 * DAY), options.span)
    before: int = option(30 * _MINUTE, options.interval)
    to: int = option(60 * _MINUTE, options.interval)
    announce: bool = option(False, options.truth)

    def check(self) -> None:
        super().check()
        if self.to == self.before or max(self.to, self.before) % min(self.to, self.before):
            raise ValueError("to: a multiple or a part of before, and not the same")

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            if episodes.at(reading.meter, reading.time):
                return self._changed(reading)
            if self.announce:
                reading.row = _saying(reading.row, self.before)
            return ()

        return strike

    def _changed(self, reading: Sending) -> Sequence[Sending]:
        if reading.time % self.to >= self.before and self.to > self.before:
            reading.withhold(self.kind)
            return ()
        kwh = reading.row[2] * self.to / self.before
        reading.set_value(round(kwh, 6), self.kind)
        if self.announce:
            reading.row = _saying(reading.row, self.to)
        return [self._later(reading, after) for after in range(self.to, self.before, self.to)]

    @staticmethod
    def _later(reading: Sending, after: int) -> Sending:
        time, meter, kwh, given, more = reading.row
        return replace(reading, time=reading.time + after, row=(time + after, meter, kwh, given, more))


def _saying(row: Row, interval: int) -> Row:
    return *row[:3], *giving(interval, row[4])
