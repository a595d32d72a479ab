"""When a feed is wrong as a whole, and not only some of what it brings.

A reading that cannot be read is a dead letter, and the rest goes on. But where everything becomes a dead
letter, a producer sends another format, another unit or another topic's records, and nobody should have to
find that out from a table. So the dead letters of each partition are judged: by how many there are in a row,
and by their share of the last so many readings. Beyond either limit the service is not ready and says why. It
goes on writing letters, and loses nothing; once good readings come again it is ready again.
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
        """The one that the settings have."""
        return cls(settings.dead_letter_run, settings.dead_letter_ratio, settings.dead_letter_window)


class DeadLetterLimit:
    """What has come of one partition lately."""

    def __init__(self, policy: DeadLetterPolicy) -> None:
        self._policy = policy
        #: Dead letters since the last good reading.
        self.run = 0
        self._lately: deque[tuple[int, int]] = deque()
        self._good = self._bad = 0
        self._example = ""

    def observe(self, good: int, bad: int, run: int = 0, example: str = "") -> None:
        """Take note of readings that were worked together.

        run: how many of the bad ones came after the last good one. example: the last dead letter, in words.
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
        """Why the feed is wrong as a whole; empty while it is not."""
        policy, judged = self._policy, self._good + self._bad
        if policy.run and self.run >= policy.run:
            found = f"the last {self.run} readings are all dead letters"
        elif policy.ratio and judged >= policy.window and self._bad >= policy.ratio * judged:
            found = f"{self._bad} of the last {judged} readings are dead letters"
        else:
            return ""
        return f"{found}, the last one: {self._example}" if self._example else found


def run_at_end(offsets: Iterable[int], bad: Collection[int]) -> int:
    """How many records at the end of `offsets` (in log order) are bad ones."""
    run = 0
    for offset in offsets:
        run = run + 1 if offset in bad else 0
    return run
