"""Detects batches that were dropped between fetch and queue, by their offsets.

Faust can drop a fetched batch in many places without reading it again: `getmany` stops when flow is suspended
or the generation changes; a partition may be inactive when its fetch returns; a callback is cancelled when
flow is suspended; queues are cleared when flow resumes. By then the consumer's position has advanced. So only
contiguous batches are accepted:

    it starts where the last one ended          contiguous: accepted
    it was fetched before the last seek         stale: dropped, since the seek reads it again
    it starts before the expected offset        the log was truncated or created again: accepted, its owner
                                                decides
    it starts after the expected offset         an offset gap. If the log starts after it (retention), the gap
                                                is real and skipped; otherwise the partition is read again
                                                from the expected offset, and nothing after it is processed
    no batch comes, but there is more to read   after `idle_seconds` as for a gap: a dropped last batch has no
                                                successor that would reveal it

Ranges of offsets (`fetching.py`) make this exact: offsets without records are inside a range. Every re-read
is counted by cause, and the first one of a partition is logged as a warning.
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


class BatchOrder(Enum):
    """How a batch relates to the expected offset of its partition."""

    CONTIGUOUS = "contiguous"
    STALE = "stale"
    GAP = "gap"


class Continuity:
    """The expected offset of one partition: the one after all accepted batches.

    A seek begins the partition: before that, and after `end`, every batch is stale.
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
        """The partition was sought to an offset, as the seek of that number."""
        self.expected, self.seeks = offset, seeks
        self._idle_since = None

    def end(self) -> None:
        """The partition is not read any more."""
        self.seeks = -1
        self._idle_since = None

    def classify(self, batch: RecordBatch) -> BatchOrder:
        """How a batch relates to the expected offset. Changes nothing."""
        if batch.seeks != self.seeks:
            return BatchOrder.STALE
        return BatchOrder.GAP if batch.start > self.expected else BatchOrder.CONTIGUOUS

    def accept(self, batch: RecordBatch) -> None:
        """Accept a batch: the next one is expected at its end."""
        self.expected = batch.end
        self._idle_since = None

    def reset_to(self, offset: int) -> None:
        """Expect the owner's own position again, when nothing is queued: batches accepted beyond it were
        dropped."""
        self.expected = offset

    def busy(self) -> None:
        """The partition is not idle: a batch is queued or being processed."""
        self._idle_since = None

    def is_starved(self, now: float, end: int | None) -> bool:
        """Whether no batch has come for too long although there is more to read, up to `end`; None: unknown.

        Call it repeatedly while the partition is idle; `now`: monotonic, seconds.
        """
        if not self.begun or end is None or end <= self.expected:
            self._idle_since = None
            return False
        if self._idle_since is None:
            self._idle_since = now
        return now - self._idle_since >= self._policy.idle_seconds


class Rereads:
    """The re-reads of a process: counted by cause, with one warning a partition."""

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
