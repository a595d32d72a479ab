"""Detects a source whose records are mostly invalid.

An invalid reading becomes a dead letter, and the others are processed. But when everything becomes a dead
letter, a producer sends another format, another unit or another topic's records, and operators should not
have to find that in a table. So the dead letters of each partition are limited: in a row, and as a share of
the last readings. Beyond either limit the service is not ready, with the reason. It keeps writing dead
letters and loses nothing; once valid readings come it is ready again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gridwatch.settings import Settings

_EXAMPLE_CHARACTERS = 200


@dataclass(frozen=True)
class DeadLetterPolicy:
    """`run` dead letters in a row are too many, and so is a share of `ratio` among `window` readings.

    0 switches one of the two off.
    """

    run: int = 100
    ratio: float = 0.5
    window: int = 1000

    @classmethod
    def of(cls, settings: Settings) -> DeadLetterPolicy:
        """The policy of the settings."""
        return cls(settings.dead_letter_run, settings.dead_letter_ratio, settings.dead_letter_window)


class DeadLetterLimit:
    """The recent readings of one partition, valid or not."""

    def __init__(self, policy: DeadLetterPolicy) -> None:
        self._policy = policy
        #: Dead letters since the last valid reading.
        self.run = 0
        self._lately: deque[tuple[int, int]] = deque()
        self._good = self._bad = 0
        self._example = ""

    def observe(self, good: int, bad: int, run: int = 0, example: str = "") -> None:
        """Count readings that were processed together.

        run: how many of the bad ones came after the last good one. example: reasons and message of the last
        one.
        """
        self.run = run if good else self.run + bad
        self._lately.append((good, bad))
        self._good += good
        self._bad += bad
        while self._good + self._bad - sum(self._lately[0]) >= self._policy.window:
            old_good, old_bad = self._lately.popleft()
            self._good -= old_good
            self._bad -= old_bad
        if bad:
            self._example = example[:_EXAMPLE_CHARACTERS]

    def problem(self) -> str:
        """Which limit is exceeded; empty if none is."""
        policy, count = self._policy, self._good + self._bad
        if policy.run and self.run >= policy.run:
            found = f"the last {self.run} readings are all dead letters"
        elif policy.ratio and count >= policy.window and self._bad >= policy.ratio * count:
            found = f"{self._bad} of the last {count} readings are dead letters"
        else:
            return ""
        return f"{found}, the last one: {self._example}" if self._example else found


def run_at_end(offsets: Iterable[int], bad: Collection[int]) -> int:
    """How many records at the end of `offsets` (in log order) are bad."""
    run = 0
    for offset in offsets:
        run = run + 1 if offset in bad else 0
    return run
