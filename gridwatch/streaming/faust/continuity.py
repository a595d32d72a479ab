"""Whether what comes of a partition joins on to what came before it, and what to do when it does not.

Faust can drop a fetched batch in many places without anybody reading it again: `getmany` breaks off when flow
stops or the generation changes; a partition is no longer among the active ones when its fetch returns; a
callback is cancelled when flow is suspended; queues are cleared when flow resumes. By then the consumer's
position has moved on. So nothing is believed that does not join on:

    a fetch begins where the last one ended     it joins: taken
    it was made before the last seek            stale: the seek reads it again, so it is dropped
    it begins before that                       the log was cut back or made anew: taken, the owner decides
    it begins after that                        an offset gap. If the log's start has passed it (retention),
                                                it is real and passed over; otherwise the partition is read
                                                again from where it stood, and nothing after it is done
    nothing comes, and there is more to read    after `idle_seconds` the same: a dropped last batch has no
                                                successor that would give it away

Ranges of offsets (`fetching.py`) make this exact: offsets without records are inside a range. Every re-read
is counted by cause, and the first one of a partition is warned of.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gridwatch.streaming.faust.batches import RecordBatch

logger = logging.getLogger(__name__)

#: Why a partition is read again, with the meaning of each.
CAUSES: Final = {
    "gap": "a batch began after the offset that was expected",
    "idle": "nothing came of a partition that has more to read",
    "asleep": "a partition was not among those that are fetched",
    "changelog": "a batch of the changelog did not arrive during recovery",
}


@dataclass(frozen=True)
class ContinuityPolicy:
    """How long a partition with something to read may be idle, seconds."""

    idle_seconds: float = 2.0


class Verdict(Enum):
    """What a batch is to a partition."""

    JOINS = "joins"
    STALE = "stale"
    GAP = "gap"


class Continuity:
    """Where one partition stands. `expected` is the offset after everything that was taken.

    A partition is *begun* by a seek: before that, and after `end`, whatever comes is stale.
    """

    def __init__(self, policy: ContinuityPolicy) -> None:
        self._policy = policy
        self.expected = 0
        self.seeks = -1
        self._idle_since: float | None = None

    @property
    def begun(self) -> bool:
        """Whether the partition is read now."""
        return self.seeks >= 0

    def begin(self, offset: int, seeks: int) -> None:
        """It has been sought to an offset, as the seek of that number."""
        self.expected, self.seeks = offset, seeks
        self._idle_since = None

    def end(self) -> None:
        """It is not read any more."""
        self.seeks = -1
        self._idle_since = None

    def judge(self, batch: RecordBatch) -> Verdict:
        """What a batch is to the partition. Changes nothing."""
        if batch.seeks != self.seeks:
            return Verdict.STALE
        return Verdict.GAP if batch.start > self.expected else Verdict.JOINS

    def take(self, batch: RecordBatch) -> None:
        """The batch is on its way to being worked."""
        self.expected = batch.end
        self._idle_since = None

    def stand_at(self, offset: int) -> None:
        """The owner's own position, when nothing waits: what was taken beyond it was given up."""
        self.expected = offset

    def busy(self) -> None:
        """Something of the partition waits or is worked."""
        self._idle_since = None

    def is_starved(self, now: float, end: int | None) -> bool:
        """Whether nothing has come for too long although there is more to read, up to `end`; None: unknown.

        To be asked again and again while the partition is idle; `now` in seconds of one monotonic clock.
        """
        if not self.begun or end is None or end <= self.expected:
            self._idle_since = None
            return False
        if self._idle_since is None:
            self._idle_since = now
        return now - self._idle_since >= self._policy.idle_seconds


class Rereads:
    """Every re-read of a process: counted by cause, warned of once a partition."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(CAUSES, 0))
        self._warned: set[tuple[str, int]] = set()

    def note(self, topic: str, partition: int, offset: int, cause: str) -> None:
        """A partition is read again from an offset, for one of CAUSES."""
        self.counts[cause] += 1
        first = (topic, partition) not in self._warned
        self._warned.add((topic, partition))
        logger.log(
            logging.WARNING if first else logging.INFO,
            "%s[%d]: %s; reading again from offset %d",
            *(topic, partition, CAUSES[cause], offset),
        )
