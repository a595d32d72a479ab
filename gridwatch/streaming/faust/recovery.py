"""Recovery of state from the changelog: its progress, for log and pages, and re-reads of dropped batches.

A partition's share is how much of its changelog is in the local state, by offset. With a local state that is
nearly up to date it starts near 100 %.

A changelog batch that Faust drops would be lost for ever: recovery waits for a last batch that the consumer
has already read, or continues after one in the middle. The store detects the latter, since ranges of offsets
must be contiguous; the former is read again here once nothing has come for `ContinuityPolicy.idle_seconds`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import IllegalStateError

from gridwatch.streaming.faust.continuity import Continuity, ContinuityPolicy, Rereads

logger = logging.getLogger(__name__)

LOG_SECONDS = 2.0


@dataclass(frozen=True)
class Recovered:
    """The progress of one changelog partition: `read` of `end` offsets."""

    topic: str
    partition: int
    read: int
    end: int

    @property
    def remaining(self) -> int:
        """Rows that are still to be read."""
        return max(0, self.end - self.read)

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(1.0, self.read / self.end) if self.end else 1.0


def recovered(app: Any) -> list[Recovered]:
    """Every changelog partition of this worker, in order; empty before the first assignment."""
    recovery = app.tables.recovery
    return [
        # Faust counts from the last offset, not from the end.
        Recovered(tp.topic, tp.partition, recovery.active_offsets[tp] + 1, last + 1)
        for tp, last in sorted(recovery.active_highwaters.items())
        if last is not None
    ]


def progress_words(partitions: list[Recovered]) -> str:
    """Such as `63% read, 370,118 rows to come; partition 3 is at 41%`; empty when recovery is complete.

    With several changelogs, the slowest partition is named with its topic.
    """
    remaining = sum(one.remaining for one in partitions)
    if not remaining:
        return ""
    read, end = sum(min(one.read, one.end) for one in partitions), sum(one.end for one in partitions)
    last = min(partitions, key=lambda one: one.share)
    several = len({one.topic for one in partitions}) > 1
    where = f"{last.topic}[{last.partition}]" if several else f"partition {last.partition}"
    return f"{read / end:.0%} read, {remaining:,} rows to come; {where} is at {last.share:.0%}"


async def log_progress(app: Any) -> None:
    """Log the progress of recoveries, for as long as the application runs."""
    while True:
        await asyncio.sleep(LOG_SECONDS)
        words = progress_words(recovered(app)) if app.in_recovery else ""
        if words:
            logger.info("recovering state from the changelog: %s", words)


class RecoveryWatch:
    """Reads a changelog partition again from its recovered offset when a fetched batch did not arrive."""

    def __init__(self, app: Any, rereads: Rereads, policy: ContinuityPolicy) -> None:
        self._app = app
        self._rereads = rereads
        self._policy = policy
        self._partitions: dict[Any, Continuity] = {}

    async def check(self, now: float) -> None:
        """Call this often during recovery. `now`: monotonic, seconds."""
        recovery, consumer = self._app.tables.recovery, self._app.consumer
        waiting = not self._app.tables.changelog_queue.empty()
        for tp, last in list(recovery.active_highwaters.items()):
            read = recovery.active_offsets.get(tp)
            if last is None or read is None:
                continue
            partition = self._partitions.setdefault(tp, Continuity(self._policy))
            if partition.expected != read + 1 or not partition.begun:
                partition.begin(read + 1, 0)
            if waiting:
                partition.busy()
            elif partition.is_starved(now, last + 1):
                state = consumer.state_of(tp)
                if state is not None and state.has_valid_position and state.position > read + 1:
                    self._rereads.note(tp.topic, tp.partition, read + 1, "changelog")
                    partition.begin(read + 1, 0)
                    with contextlib.suppress(IllegalStateError):  # it was revoked
                        await consumer.seek_wait({tp: read + 1})
