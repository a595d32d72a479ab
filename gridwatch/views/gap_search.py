"""Gaps across all meters: open ones first, then the ended ones that are remembered.

The order is by kind, partition and meter id, so a page can begin where the one before it ended; nothing is
held between requests. A page looks for a limited time only: with millions of meters it may come back with
what it found so far and where to look further. Each partition is searched by the worker that owns it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gridwatch.durations import micros
from gridwatch.settings import Settings
from gridwatch.streaming.pipeline import Pipeline
from gridwatch.views import state
from gridwatch.views.queries import Problem
from gridwatch.views.state import Record, Scan
from gridwatch.views.watch import Watch

KINDS = {"all": ("open", "ended"), "open": ("open",), "ended": ("ended",)}
#: How long one page looks, seconds.
PATIENCE = 1.5


@dataclass(frozen=True)
class Place:
    """Where a search stands: after `meter` in this kind and partition."""

    kind: str
    partition: int
    meter: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.partition}:{self.meter}"


def place(name: str, value: str) -> Place:
    """Read a place as a link carries it; Problem 400 for anything else."""
    kind, _, rest = value.partition(":")
    number, found, meter = rest.partition(":")
    numeric = number.isascii() and number.isdigit() and len(number) < 10
    if kind not in KINDS["all"] or not found or not numeric:
        raise Problem(400, f"{name}: {value!r} is not a place that a page of gaps ended at")
    return Place(kind, int(number), meter)


class GapSearch:
    """Searches partitions here and elsewhere."""

    def __init__(self, settings: Settings, pipeline: Pipeline, watch: Watch) -> None:
        self._partitions = settings.partitions
        self._grace = micros(settings.grace)
        self._pipeline = pipeline
        self._watch = watch

    async def page(
        self, kinds: tuple[str, ...], after: Place | None, limit: int, open_gaps: dict[int, Any]
    ) -> tuple[list[Record], Place | None, list[str]]:
        """Gaps from a place on, the place to look further from (None at the end), and what could not be had.

        Args:
            open_gaps: partition → how many of its gaps are open, None where that is not known.
        """
        until = time.monotonic() + PATIENCE
        gaps: list[Record] = []
        incomplete: list[str] = []
        for here in self._places(kinds, after, open_gaps):
            meter: str | None = here.meter
            while meter is not None:
                if len(gaps) >= limit or time.monotonic() > until:
                    return gaps, Place(here.kind, here.partition, meter), incomplete
                try:
                    scan = await self._scan(Place(here.kind, here.partition, meter), limit - len(gaps))
                except Problem as problem:
                    incomplete += [reason for reason in problem.reasons if reason not in incomplete]
                    break
                gaps += scan.gaps
                meter = scan.reached
        return gaps, None, incomplete

    def _places(self, kinds: tuple[str, ...], after: Place | None, open_gaps: dict[int, Any]) -> list[Place]:
        """Every kind and partition to look at, in order, beginning at `after`."""
        order = [(kind, partition) for kind in kinds for partition in range(self._partitions)]
        if after is not None:
            if (after.kind, after.partition) not in order:
                raise Problem(400, f"after: {str(after)!r} is not a place in these gaps")
            order = order[order.index((after.kind, after.partition)) :]
        places = [Place(kind, partition, "") for kind, partition in order]
        if after is not None:
            places[0] = after
        return [one for one in places if one.kind != "open" or open_gaps.get(one.partition) != 0]

    async def _scan(self, start: Place, limit: int) -> Scan:
        owner = self._watch.cluster.owner_elsewhere(start.partition, asked=False)
        if owner is None:
            return await self.step(start, limit)
        query = urlencode({"state": start.kind, "after": start.meter, "limit": limit})
        answer = await self._watch.ask_json(owner, f"/gaps/{start.partition}/?{query}")
        return Scan(answer["gaps"], answer["reached"])

    async def step(self, start: Place, limit: int) -> Scan:
        """One step of the search in a partition of ours; Problem 503 if it is not ours any more."""
        await asyncio.sleep(0)  # batches and heartbeats share this loop
        self._watch.require_settled()
        if start.partition not in self._watch.cluster.mine():
            raise Problem(503, f"partition {start.partition} is not this worker's")
        return state.scan_gaps(
            self._pipeline.store,
            start.partition,
            opened=start.kind == "open",
            after=start.meter,
            limit=limit,
            grace=self._grace,
        )
