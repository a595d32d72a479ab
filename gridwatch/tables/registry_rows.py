"""Rows of the registry: registrations of meters, planned outages, regions, as plain values by position.

What a registration or an outage waits for comes first, as in a meter's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.registry.entry import Entry
from gridwatch.domain.registry.outages import Outage, Piece
from gridwatch.domain.registry.records import RegionRecord
from gridwatch.domain.registry.registration import Registration
from gridwatch.tables.meter_rows import gap_of, place_of, plain_gap
from gridwatch.tables.row_kind import RowKind

_CALENDAR: Final = Entry._fields.index("calendar")
_HOLIDAYS: Final = RegionRecord._fields.index("holidays")


def _plain_registration(known: Registration) -> tuple[Any, ...]:
    return (
        known.due,
        known.version,
        tuple((since, tuple(entry)) for since, entry in known.entries),
        known.applied,
        known.heard,
        known.resumed,
        known.watch_from,
        None if known.gap is None else plain_gap(known.gap),
        known.place,
        0 if known.place is None else known.joined,
    )


def _registration(plain: Sequence[Any], version: int) -> Registration:
    known = Registration()
    known.due, known.version, entries, known.applied, known.heard = plain[:5]
    known.resumed, known.watch_from, gap, *place = plain[5:]
    if place and place[0] is not None:
        known.place, known.joined = place_of(place[0]), place[1]
    known.entries = tuple((since, _entry(entry)) for since, entry in entries)
    known.gap = None if gap is None else gap_of(gap)
    return known


def _entry(plain: list[Any]) -> Entry:
    if plain[_CALENDAR] is not None:
        plain[_CALENDAR] = Calendar(*plain[_CALENDAR])
    return Entry(*plain)


def _plain_outage(outage: Outage) -> tuple[Any, ...]:
    return outage.due, outage.version, outage.pieces, outage.until, outage.why


def _outage(plain: Sequence[Any], version: int) -> Outage:
    _, known, pieces, until, why = plain
    return Outage(known, tuple(Piece(*piece) for piece in pieces), until, why)


def _plain_region(region: RegionRecord) -> tuple[Any, ...]:
    return tuple(region)


def _region(plain: Sequence[Any], version: int) -> RegionRecord:
    return RegionRecord._make((*plain[:_HOLIDAYS], tuple(plain[_HOLIDAYS]), *plain[_HOLIDAYS + 1 :]))


REGISTRATION: Final = RowKind("registration", 3, _plain_registration, _registration)
OUTAGE: Final = RowKind("outage", 1, _plain_outage, _outage)
REGION: Final = RowKind("region", 1, _plain_region, _region)
