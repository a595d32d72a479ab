"""What control records have said so far: every entry of every meter, every outage, kept for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.model.control_judging import Entry, Outage
from tests.model.meters import Gap

EXPECTED = ("installed", "active", "suspended")
WATCHED = ("installed", "active")


@dataclass(eq=False)
class Since:
    """An entry, from when on it holds, and whether its turn has been taken."""

    since: int
    entry: Entry
    taken: bool = False


@dataclass
class Registration:
    meter_id: str
    version: int = 0
    entries: list[Since] = field(default_factory=list)  # ascending
    applied: Entry | None = None
    watch_from: int = 0
    resumed: int = -(1 << 62)  # since when readings are expected again
    heard: bool = False
    gap: Gap | None = None  # the one of a meter never heard, while it is open
    taken_back: list[Gap] = field(default_factory=list)  # such gaps, in this step

    def add(self, entry: Entry, watermark: int) -> None:
        self.version = entry.version
        valid = entry.valid_from
        if valid is None and entry.status == "removed":
            valid = entry.removed_at
        since = watermark if valid is None else max(valid, watermark)
        self.entries = [one for one in self.entries if one.since < since] + [Since(since, entry)]

    def at(self, instant: int) -> Entry | None:
        """The entry with the largest since up to there."""
        holding = [one.entry for one in self.entries if one.since <= instant]
        return holding[-1] if holding else None

    def pending(self) -> list[Since]:
        return [one for one in self.entries if not one.taken]

    def expected(self) -> bool:
        return self.applied is None or self.applied.status in EXPECTED

    def watched(self) -> bool:
        return self.applied is not None and self.applied.status in WATCHED


@dataclass
class Piece:
    since: int
    until: int
    scope: str
    target: str


class Outages:
    """Every piece of every planned outage."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.pieces: dict[str, list[Piece]] = {}

    def add(self, outage: Outage, watermark: int) -> None:
        if outage.version <= self.versions.get(outage.outage_id, 0):
            return
        self.versions[outage.outage_id] = outage.version
        pieces = self.pieces.get(outage.outage_id, [])
        for piece in pieces:
            piece.until = min(piece.until, watermark)
        if not outage.cancelled:
            since = max(outage.since, watermark)
            pieces.append(Piece(since, outage.until, outage.scope, outage.target))
        self.pieces[outage.outage_id] = [piece for piece in pieces if piece.since < piece.until]

    def cover(self, instant: int, places: dict[str, Any]) -> bool:
        """Whether one of them holds at the instant for what lies at these places."""
        return any(
            piece.since <= instant < piece.until and places.get(piece.scope) == piece.target
            for pieces in self.pieces.values()
            for piece in pieces
        )


def places(
    meter_id: str, registration: Registration | None, instant: int, region: str | None
) -> dict[str, Any]:
    """Where a meter is, for the scopes of outages."""
    entry = registration.at(instant) if registration else None
    if entry is None:
        return {"meter": meter_id, "region": region}
    return {
        "meter": meter_id,
        "transformer": entry.transformer,
        "feeder": entry.feeder,
        "region": entry.region if entry.region is not None else region,
    }
