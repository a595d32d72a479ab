"""Registrations of meters and records of regions, read from committed state, as JSON."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Any

from gridwatch.domain.instants import format_instant, minutes_of
from gridwatch.domain.meter.gaps import OPEN
from gridwatch.domain.partition.registry import REGION, REGISTERED
from gridwatch.domain.policy import NEVER, SECOND, Policy
from gridwatch.domain.registry.entry import Entry
from gridwatch.domain.registry.records import RegionRecord
from gridwatch.domain.registry.registration import Registration
from gridwatch.tables.registry_rows import REGION as REGION_ROW
from gridwatch.tables.registry_rows import REGISTRATION
from gridwatch.tables.store import Store
from gridwatch.views.registry.heads import PENDING
from gridwatch.views.state import Record, calendar_name, describe_gap, instant

#: Regions that a page shows at most.
MOST_REGIONS = 200
_REGISTERED, _REGION = REGISTERED.encode(), REGION.encode()


def read_registration(store: Store, partition: int, meter_id: str) -> Registration | None:
    """The committed registration of a meter; None when it has none."""
    try:
        row = store.row(partition, (REGISTERED + meter_id).encode())
    except UnicodeEncodeError:
        return None
    return None if row is None else REGISTRATION.decode(row)


def find_registered(
    store: Store, partitions: Iterable[int], prefix: str, after: str, limit: int
) -> list[Record]:
    """Up to `limit` registered meters whose id begins with `prefix` and comes after `after`, by their id."""
    first = _REGISTERED + prefix.encode()
    start = max(first, _REGISTERED + after.encode() + b"\x00") if after else first

    def of(partition: int) -> Iterator[tuple[bytes, int, bytes]]:
        for key, row in store.rows_from(partition, start):
            if not key.startswith(first):
                return
            yield key, partition, row

    found = heapq.merge(*(of(partition) for partition in partitions))
    return [describe_row(partition, key, row) for key, partition, row in islice(found, limit)]


def describe_row(partition: int, key: bytes, row: bytes) -> Record:
    """A stored registration as a list row."""
    return describe_registration(key.removeprefix(_REGISTERED).decode(), partition, REGISTRATION.decode(row))


def describe_registration(meter_id: str, partition: int, known: Registration) -> Record:
    """A registered meter: what holds now, and what will."""
    entry = known.entry
    awaited = entry is not None and entry.watched and not known.heard
    return {
        "meter_id": meter_id,
        "partition": partition,
        "version": known.version,
        "status": PENDING if entry is None else entry.status,
        "since": format_instant(known.entries[known.applied - 1][0]) if known.applied else None,
        **_terms(entry),
        "heard": known.heard,
        "awaited_since": format_instant(known.watch_from) if awaited and known.watch_from < NEVER else None,
        "never_heard": known.gap is not None and known.gap.state == OPEN,
        "pending": list(_pending(known)),
    }


def describe_silent(
    meter_id: str, partition: int, known: Registration, policy: Policy, watermark: int | None
) -> Record:
    """A registered meter that has no state, with the fields of one that has."""
    entry, gap = known.entry, known.gap
    interval, calendar = (None, None) if entry is None else (entry.interval, entry.calendar)
    gaps = []
    if gap is not None:
        grace = known.grace_of(gap.interval, policy)
        gaps.append(describe_gap(meter_id, partition, gap, grace, never_heard=True))
    return {
        "meter_id": meter_id,
        "partition": partition,
        "last_seen": None,
        "expected_next": None,
        "interval_minutes": None if interval is None else minutes_of(interval),
        "interval_seconds": None if interval is None else interval // SECOND,
        "calendar": calendar_name(calendar),
        "gap_count": len(gaps),
        "late_count": 0,
        "open_gaps": len(gaps),
        "region": None if entry is None else entry.region,
        "interval_given": interval is not None,
        "watermark": instant(watermark),
        "gaps": gaps,
        "recent_readings": [],
    }


def _terms(entry: Entry | None) -> Record:
    """What an entry gives; None where it says nothing."""
    said = entry or Entry("")
    return {
        "region": said.region,
        "feeder": said.feeder,
        "transformer": said.transformer,
        "interval_seconds": None if said.interval is None else said.interval // SECOND,
        "calendar": calendar_name(said.calendar),
        "anchor": said.anchor,
        "grace_seconds": None if said.grace is None else said.grace / SECOND,
        "energy_mode": said.energy_mode,
        "max_kw": said.max_kw,
        "register_digits": said.register_digits,
    }


def _pending(known: Registration) -> Iterator[Record]:
    """The entries that do not hold yet: from when on, and what they change."""
    entries: list[tuple[int, Entry | None]] = [(0, known.entry), *known.entries[known.applied :]]
    for (_, before), (since, entry) in pairwise(entries):
        earlier, later = _said(before), _said(entry)
        changes = {name: value for name, value in later.items() if value != earlier.get(name)}
        yield {"from": format_instant(since), "status": later["status"], "changes": changes}


def _said(entry: Entry | None) -> dict[str, Any]:
    return {"status": None if entry is None else entry.status, **_terms(entry)}


def read_regions(store: Store, partition: int, limit: int = MOST_REGIONS) -> list[Record]:
    """The regions that a partition knows, by name; at most `limit`."""
    found: list[Record] = []
    for key, row in store.rows_from(partition, _REGION):
        if not key.startswith(_REGION) or len(found) >= limit:
            break
        found.append(_describe_region(REGION_ROW.decode(row)))
    return found


def _describe_region(region: RegionRecord) -> Record:
    return {
        "region": region.region,
        "version": region.version,
        "capacity_kw": region.capacity_kw,
        "base_price_per_kwh": region.base_price_per_kwh,
        "currency": region.currency,
        "timezone": region.timezone,
        "holidays": len(region.holidays),
        "valid_from": None if region.valid_from is None else format_instant(region.valid_from),
    }


def latest(regions: Iterable[Record]) -> list[Record]:
    """The newest version of each region, by name."""
    newest: dict[str, Record] = {}
    for one in regions:
        known = newest.get(one["region"])
        if known is None or known["version"] < one["version"]:
            newest[one["region"]] = one
    return [newest[name] for name in sorted(newest)][:MOST_REGIONS]
