"""Planned outages: when which meters, transformers, feeders or regions are planned to be without supply.

Every partition knows all of them. An outage holds from its beginning on, at the earliest from the watermark
at which it came, so that what has become missing before stays as it is. A newer version cuts the earlier one
there, and takes its place from there on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from gridwatch.domain.policy import DAY
from gridwatch.domain.registry.records import OutageRecord

MEMORY: Final = 40 * DAY
"""How long an outage is remembered after its end: longer than any grace."""


class Piece(NamedTuple):
    """One scope that is out in [since, until)."""

    since: int
    until: int
    scope: str
    target: str


class Outage(NamedTuple):
    """One planned outage, with the pieces that earlier versions of it left."""

    version: int
    pieces: tuple[Piece, ...]
    until: int
    """The latest end that it ever had."""
    why: str | None

    @property
    def due(self) -> int:
        """When it is forgotten."""
        return self.until + MEMORY


def revised(outage: Outage | None, record: OutageRecord, watermark: int) -> Outage | None:
    """``outage`` after a record of it that came at ``watermark``; None if the record is not newer."""
    if outage is not None and record.version <= outage.version:
        return None
    pieces = (
        []
        if outage is None
        else [piece._replace(until=min(piece.until, watermark)) for piece in outage.pieces]
    )
    if not record.cancelled:
        since = max(record.since, watermark)
        pieces.append(Piece(since, record.until, record.scope, record.target))
    left = tuple(piece for piece in pieces if piece.since < piece.until)
    until = record.until if outage is None else max(record.until, outage.until)
    return Outage(record.version, left, until, record.why)


class Outages:
    """All planned outages of a partition, by what they are of."""

    def __init__(self) -> None:
        self._by_id: dict[str, Outage] = {}
        self._by_target: dict[tuple[str, str], dict[str, tuple[Piece, ...]]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_target)

    def get(self, outage_id: str) -> Outage | None:
        return self._by_id.get(outage_id)

    def put(self, outage_id: str, outage: Outage | None) -> None:
        """Add, replace or remove an outage."""
        for piece in () if (known := self._by_id.pop(outage_id, None)) is None else known.pieces:
            pieces = self._by_target.get((piece.scope, piece.target))
            if pieces is not None:
                pieces.pop(outage_id, None)
                if not pieces:
                    del self._by_target[piece.scope, piece.target]
        if outage is None:
            return
        self._by_id[outage_id] = outage
        for piece in outage.pieces:
            target = self._by_target.setdefault((piece.scope, piece.target), {})
            target[outage_id] = (*target.get(outage_id, ()), piece)

    def until(self, scope: str, target: str, time: int) -> int:
        """The end of the outage that ``time`` lies in; ``time`` itself if it lies in none."""
        known = self._by_target.get((scope, target))
        found = time
        if known is not None:
            for pieces in known.values():
                for piece in pieces:
                    if piece.since <= time < piece.until:
                        found = max(found, piece.until)
        return found

    def any_within(self, start: int, end: int) -> bool:
        """Whether an outage of anything overlaps [start, end)."""
        return any(
            piece.since < end and start < piece.until
            for outage in self._by_id.values()
            for piece in outage.pieces
        )

    def union(self, targets: Iterable[tuple[str, str]], start: int, end: int) -> list[tuple[int, int]]:
        """The times within [start, end) in which one of the targets (scope, name) is out, disjoint."""
        pieces = [
            (max(piece.since, start), min(piece.until, end))
            for target in targets
            for known in self._by_target.get(target, {}).values()
            for piece in known
            if piece.since < end and start < piece.until
        ]
        merged: list[tuple[int, int]] = []
        for since, until in sorted(pieces):
            if merged and since <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
            else:
                merged.append((since, until))
        return merged

    def meters(self) -> list[str]:
        """The meters that have an outage of their own."""
        return sorted(target for scope, target in self._by_target if scope == "meter")
