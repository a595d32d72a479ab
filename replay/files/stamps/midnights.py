"""Finds midnights that are written under the date of the day that they end, not of the next one.

Read as they stand, they would be the first reading of their date, a day early. What gives them away is the
order of a file: 00:00 comes behind 23:30 of the same date and before 00:30 of another one, or backwards
between 00:30 of another date and 23:30 of its own. The days themselves may go either way, too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gridwatch.domain.policy import DAY, HOUR
from replay.files.job import BadCell
from replay.files.stamps.local_time import OWN_DATE

#: Midnight in the text of a stamp with an offset.
_MIDNIGHT = re.compile(r"[T ]00[:.]?00([:.]?00([.,]0+)?)?\s*(Z|[+-]\d\d(:?\d\d)?)$", re.IGNORECASE)
_LONGEST_STEP = 6 * HOUR
_REMEDY = (
    "write it as 24:00 or under the next date, or read the file with a profile of your own that has "
    'midnight = "end"'
)


def is_midnight(text: str, time: int, *, offset: bool) -> bool:
    """Whether a stamp is midnight; `time` (µs) is local, or UTC where the text has an `offset`."""
    return bool(_MIDNIGHT.search(text.strip())) if offset else time % DAY == 0


def own_date(text: str) -> BadCell:
    """What to say of such a midnight. The others are like it: to skip one alone leaves the rest wrong."""
    problem = BadCell("timestamp", text, OWN_DATE, _REMEDY)
    problem.skippable = False
    return problem


class _Suspect(NamedTuple):
    """A midnight that came after the last stamp of its date, and the step between the two before it."""

    text: str
    time: int
    step: int

    def told_by(self, time: int) -> bool:
        """Whether the next stamp leaves no doubt: forwards the first of another date, backwards the last."""
        further = time - self.time - self.step
        return further == DAY or (self.step > 0 and further == -DAY)


class Midnights:
    """Watches the stamps of a file, each where it comes first. Times in µs, as the stamps show them."""

    def __init__(self) -> None:
        #: The first two stamps.
        self._first: list[tuple[str, int]] = []
        self._last = self._step = 0
        self._offset = False
        self._suspect: _Suspect | None = None

    def see(self, text: str, time: int, *, offset: bool) -> None:
        """The next stamp. BadCell where it shows that the one before was such a midnight."""
        suspect = self._suspect
        if suspect is not None and suspect.told_by(time):
            raise own_date(suspect.text)
        self._suspect = None
        distance, step = time - self._last, self._step
        behind = 0 < abs(step) <= _LONGEST_STEP and (
            distance == step - DAY or (step < 0 and distance == step + DAY)
        )
        if behind and is_midnight(text, time, offset=offset):
            self._suspect = _Suspect(text, time, step)
        if self._first:
            self._step = distance
        if len(self._first) < 2:
            self._offset = offset
            self._first.append((text, time))
        self._last = time

    def end(self, last: str) -> None:
        """The file has ended with the stamp `last`. BadCell where its only day has such a midnight."""
        if self._suspect is not None and self._suspect.text == last:
            raise own_date(last)
        if len(self._first) < 2 or not -_LONGEST_STEP <= self._step < 0:
            return
        (text, first), (_, second) = self._first
        backwards = second - first == DAY + self._step and self._last == first - self._step
        if backwards and is_midnight(text, first, offset=self._offset):
            raise own_date(text)
