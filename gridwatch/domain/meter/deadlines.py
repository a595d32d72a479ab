"""The timer index: which meter is due next, without a scan of all meters.

It holds about one entry a meter and is lazy: when a meter's deadline moves later, its entry stays where it
is. An entry that fires too early is re-registered at the meter's current deadline. So the invariant is only:
**a meter has an entry at or before its deadline**. A deadline that moves earlier needs a new entry (``add``).

Entries far ahead lie unsorted in buckets of a minute. When the watermark reaches a bucket, its entries are
looked up once, and those really due within it go to a small heap, from which they come in the order of
(deadline, meter_id). Nothing in here is stored: the index is rebuilt from the deadlines of all meters.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

from gridwatch.domain.policy import MINUTE, NEVER

BUCKET: Final = MINUTE


class Deadlines:
    """The index of one partition. ``due_of`` returns a meter's current deadline, None if it was dropped."""

    __slots__ = ("_buckets", "_due_of", "_near", "_near_bucket", "_starts")

    def __init__(self, due_of: Callable[[str], int | None]) -> None:
        self._due_of = due_of
        self._near: list[tuple[int, str]] = []
        self._near_bucket = -NEVER
        """Entries of buckets up to this one are in the heap."""
        self._buckets: dict[int, list[str]] = {}
        self._starts: list[int] = []
        """The buckets that have entries, as a heap."""

    def add(self, due: int, meter_id: str) -> None:
        """Register a deadline of ``meter_id``."""
        bucket = due // BUCKET
        if bucket <= self._near_bucket:
            heappush(self._near, (due, meter_id))
            return
        entries = self._buckets.get(bucket)
        if entries is None:
            self._buckets[bucket] = [meter_id]
            heappush(self._starts, bucket)
        else:
            entries.append(meter_id)

    def earliest(self) -> int:
        """A lower bound of all deadlines: no meter is due before this instant."""
        bucket = self._starts[0] * BUCKET if self._starts else NEVER
        near = self._near[0][0] if self._near else NEVER
        return near if near < bucket else bucket

    def pop(self, watermark: int) -> str | None:
        """Remove and return the meter that is due first; None if none is due at ``watermark``."""
        reached = watermark // BUCKET
        while self._starts and self._starts[0] <= reached:
            self._open(heappop(self._starts))
        # Entries re-registered below go to the heap up to here.
        self._near_bucket = max(self._near_bucket, reached)
        near, due_of = self._near, self._due_of
        while near and near[0][0] <= watermark:
            entry, meter_id = heappop(near)
            due = due_of(meter_id)
            if due == entry:
                return meter_id
            # A meter that is due earlier has another entry, which came first.
            if due is not None and due > entry:
                self.add(due, meter_id)
        return None

    def _open(self, bucket: int) -> None:
        """Move a bucket's entries into the heap, or to the bucket of their current deadline."""
        self._near_bucket = bucket
        near, buckets, due_of = self._near, self._buckets, self._due_of
        for meter_id in dict.fromkeys(buckets.pop(bucket)):
            due = due_of(meter_id)
            if due is None:
                continue
            later = due // BUCKET
            if later <= bucket:
                near.append((due, meter_id))
                continue
            entries = buckets.get(later)
            if entries is None:
                buckets[later] = [meter_id]
                heappush(self._starts, later)
            else:
                entries.append(meter_id)
        heapify(near)
