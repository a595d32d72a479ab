"""How far the recovery of state from the changelog has come: said in the log, asked by the pages.

A partition's share is how much of its changelog is in the local state, by offset. With a local state that
is nearly up to date it begins near the whole.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

SAY_SECONDS = 2.0


@dataclass(frozen=True)
class Recovered:
    """How far one changelog partition is read: up to `read` of `end` offsets."""

    partition: int
    read: int
    end: int

    @property
    def remaining(self) -> int:
        """Rows that are still to come."""
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
        Recovered(tp.partition, recovery.active_offsets[tp] + 1, last + 1)
        for tp, last in sorted(recovery.active_highwaters.items())
        if last is not None
    ]


def progress_words(partitions: list[Recovered]) -> str:
    """Such as `63% read, 370,118 rows to come; partition 3 is at 41%`; empty when nothing is to come."""
    remaining = sum(one.remaining for one in partitions)
    if not remaining:
        return ""
    read, end = sum(min(one.read, one.end) for one in partitions), sum(one.end for one in partitions)
    last = min(partitions, key=lambda one: one.share)
    return (
        f"{read / end:.0%} read, {remaining:,} rows to come; "
        f"partition {last.partition} is at {last.share:.0%}"
    )


async def say_progress(app: Any) -> None:
    """Say in the log how far recovery is, for as long as the application runs."""
    while True:
        await asyncio.sleep(SAY_SECONDS)
        words = progress_words(recovered(app)) if app.in_recovery else ""
        if words:
            logger.info("recovering state from the changelog: %s", words)
