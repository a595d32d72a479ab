"""Planned outages, read from committed state, as JSON.

Every partition knows all of them, so those of one partition are read, a slice at a time. Where they differ
between partitions is in their beginning, which is never before the watermark at which a partition heard of
them; and a record may not have reached all partitions yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from gridwatch.domain.instants import format_instant
from gridwatch.domain.partition.registry import OUTAGE
from gridwatch.domain.registry.outages import Outage, Piece
from gridwatch.domain.registry.registration import Registration
from gridwatch.tables.registry_rows import OUTAGE as OUTAGE_ROW
from gridwatch.tables.store import Store
from gridwatch.views.state import Record

#: When an outage is, seen from the watermark. CANCELLED: nothing is left of it.
NOW, COMING, ENDED, CANCELLED = "now", "coming", "ended", "cancelled"
PHASES = (NOW, COMING, ENDED, CANCELLED)
#: Outages read at most, and in one slice.
MOST_OUTAGES = 5000
SLICE_ROWS = 500
_OUTAGE = OUTAGE.encode()

Known = list[tuple[str, Outage]]
"""Outages with their ids, in order of these."""


async def read_outages(store: Callable[[], Store], partition: int) -> tuple[Known, bool]:
    """The planned outages that a partition knows, and whether those are all."""
    found: Known = []
    start = _OUTAGE
    while len(found) < MOST_OUTAGES:
        before = len(found)
        for key, row in store().rows_from(partition, start):
            if not key.startswith(_OUTAGE):
                return found, True
            found.append((key[1:].decode(), OUTAGE_ROW.decode(row)))
            start = key + b"\x00"
            if len(found) - before >= SLICE_ROWS:
                break
        else:
            return found, True
        await asyncio.sleep(0)  # batches and heartbeats run on this event loop too
    return found, False


def version_in(store: Store, partition: int, outage_id: str) -> int:
    """The version of an outage that a partition knows; 0 if it knows none."""
    row = store.row(partition, _OUTAGE + outage_id.encode())
    return 0 if row is None else OUTAGE_ROW.decode(row).version


def phase_of(outage: Outage, watermark: int | None) -> str:
    """One of PHASES."""
    if not outage.pieces:
        return CANCELLED
    at = 0 if watermark is None else watermark
    if any(piece.since <= at < piece.until for piece in outage.pieces):
        return NOW
    return COMING if any(piece.since > at for piece in outage.pieces) else ENDED


def describe_outage(outage_id: str, outage: Outage, watermark: int | None) -> Record:
    """An outage as the pages show it: the newest of its pieces, and how many earlier versions left some."""
    newest = outage.pieces[-1] if outage.pieces else None
    return {
        "outage_id": outage_id,
        "version": outage.version,
        "phase": phase_of(outage, watermark),
        **_piece(newest),
        "until": format_instant(newest.until if newest is not None else outage.until),
        "why": outage.why,
        "pieces": [_piece(piece) for piece in outage.pieces],
    }


def _piece(piece: Piece | None) -> Record:
    return {
        "scope": None if piece is None else piece.scope,
        "target": None if piece is None else piece.target,
        "from": None if piece is None else format_instant(piece.since),
        "until": None if piece is None else format_instant(piece.until),
    }


def covering(
    known: Known, meter_id: str, registration: Registration | None, region: str | None, watermark: int | None
) -> list[Record]:
    """The outages, now or to come, that cover a meter, by their beginning.

    Args:
        region: that of the meter's state.
    """
    at = 0 if watermark is None else watermark
    found = []
    for outage_id, outage in known:
        for piece in outage.pieces:
            if piece.until > at and _is_of(piece, meter_id, registration, region, max(piece.since, at)):
                found.append((piece.since, outage_id, outage, piece))
    found.sort(key=lambda one: one[:2])
    return [
        {
            "outage_id": outage_id,
            "version": outage.version,
            "phase": NOW if since <= at else COMING,
            **_piece(piece),
            "why": outage.why,
        }
        for since, outage_id, outage, piece in found
    ]


def _is_of(
    piece: Piece, meter_id: str, registration: Registration | None, region: str | None, time: int
) -> bool:
    """Whether a piece is of what the meter hangs on at `time`."""
    if piece.scope == "meter":
        return piece.target == meter_id
    entry = None if registration is None else registration.entry_at(time)
    if piece.scope == "region":
        return piece.target == (region if entry is None or entry.region is None else entry.region)
    if entry is None:
        return False
    return piece.target == (entry.feeder if piece.scope == "feeder" else entry.transformer)


def merged(parts: Iterable[Iterable[Record]]) -> dict[str, Record]:
    """The outages of several workers by id: the newest version, with the partitions that know it."""
    newest: dict[str, Record] = {}
    for part in parts:
        for one in part:
            known = newest.get(one["outage_id"])
            if known is None or known["version"] < one["version"]:
                newest[one["outage_id"]] = dict(one)
            elif known["version"] == one["version"]:
                known["known_by"] += one["known_by"]
    return newest
