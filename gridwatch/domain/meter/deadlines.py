"""Deadlines: the index that says which meter is due next, so that nothing ever scans all meters.

It holds about one entry a meter and is lazy: a meter that reports moves its deadline on, and its entry is
left where it is. Found too early, the entry is put where the meter's deadline really is. So the rule is
only: **a meter has an entry at or before its deadline**. A deadline that moved back needs a new one
(``add``).

Entries far off lie in buckets of a minute, unsorted: a reference each. A bucket that the watermark
reaches is opened: its entries are looked up once, and those that are really due within it go to a small
heap, from which they come in the order of (deadline, meter_id). Nothing in here is stored: it is rebuilt
from the deadlines of all meters.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

from gridwatch.domain.policy import MINUTE, NEVER

BUCKET: Final = MINUTE


class Deadlines:
    """The index of one partition. ``due_of`` gives a meter's deadline now, None if the meter is gone."""

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
        """``meter_id`` is due at ``due``."""
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
        """No meter is due before this instant."""
        bucket = self._starts[0] * BUCKET if self._starts else NEVER
        near = self._near[0][0] if self._near else NEVER
        return near if near < bucket else bucket

    def pop(self, watermark: int) -> str | None:
        """The meter that is due first, if that is at or before ``watermark``; its entry is gone with that."""
        reached = watermark // BUCKET
        while self._starts and self._starts[0] <= reached:
            self._open(heappop(self._starts))
        # What is put back below belongs to the heap up to here.
        self._near_bucket = max(self._near_bucket, reached)
        near, due_of = self._near, self._due_of
        while near and near[0][0] <= watermark:
            entry, meter_id = heappop(near)
            due = due_of(meter_id)
            if due == entry:
                return meter_id
            # One that is due earlier has another entry, where it is found first.
            if due is not None and due > entry:
                self.add(due, meter_id)
        return None

    def _open(self, bucket: int) -> None:
        """Take a bucket's entries out: into the heap, or to the bucket where they belong by now."""
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
