"""Reads meters, gaps and partitions from committed state, as JSON.

Everything comes from committed rows, never from a batch in progress: a page shows what recovery after a crash
would restore. Nothing here scans all rows: meters are read in key order from where a page begins; other
orders are in `lists/survey.py`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import format_instant, minutes_of
from gridwatch.domain.meter.archive import Archive
from gridwatch.domain.meter.gaps import FILLED, OPEN, RETRACTED, Gap
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import readings_of
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import NEVER, SECOND, grace_of
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import Store

Record = dict[str, Any]


def instant(micros: int | None) -> str | None:
    """RFC 3339, or None."""
    return None if micros is None else format_instant(micros)


# -- one partition


def read_partition(store: Store, partition: int) -> PartitionState | None:
    """The committed state of a partition; None before its first commit."""
    row = store.row(partition, PARTITION_KEY)
    return None if row is None else METERS.decode_partition(row)[0]


def describe_partition(
    partition: int, owner: str | None, state: PartitionState | None = None, end: int | None = None
) -> Record:
    """A partition as the pages show it; unknown values are None.

    Args:
        owner: URL of the worker that owns it, None if unowned.
        state: its committed state, None if another worker owns it or before its first commit.
        end: the log end offset, as this worker last fetched it.
    """
    committed = state.next_offset if state is not None else None
    lag = None if end is None else max(0, end - (committed or 0))
    caught_up = state is not None and lag == 0 and state.reading_time is not None
    return {
        "partition": partition,
        "owner": owner,
        "watermark": instant(state.watermark) if state is not None else None,
        "committed": committed,
        "end": end,
        "lag": lag,
        "last_tick": instant(state.tick) if state is not None else None,
        "settled_to": instant(state.end) if state is not None else None,
        "empty_since": instant(state.reading_time) if state is not None and caught_up else None,
        "jump_candidates": len(state.held) if state is not None else None,
        "open_gaps": state.open_gaps if state is not None else None,
        "meters": state.meters if state is not None else None,
    }


def sums(partitions: list[Record]) -> Record:
    """Meters, open gaps and lag summed over several partitions; unknown values count as 0."""
    return {name: sum(one[name] or 0 for one in partitions) for name in ("meters", "open_gaps", "lag")}


# -- one meter


def read_meter(store: Store, partition: int, meter_id: str) -> MeterState | None:
    """The committed state of a meter, with all its remembered readings; None when there is none."""
    if any(ord(character) < 32 for character in meter_id):
        return None  # no meter id has control characters, but keys of other row kinds do
    try:
        row = store.row(partition, meter_id.encode())
    except UnicodeEncodeError:
        return None
    if row is None:
        return None
    meter = METER.decode(row)

    def block(name: str) -> Any:
        found = store.row(partition, name.encode())
        return None if found is None else METERS.decode(name, found)

    Archive(meter_id, meter, block, {}, -NEVER).join()
    return meter


def describe_meter(meter_id: str, partition: int, meter: MeterState) -> Record:
    """A meter as a list row."""
    return {
        "meter_id": meter_id,
        "partition": partition,
        "last_seen": format_instant(meter.last_seen),
        "expected_next": format_instant(meter.expected_next),
        "interval_minutes": minutes_of(meter.interval),
        "interval_seconds": meter.interval // SECOND,
        "calendar": calendar_name(meter.calendar),
        "gap_count": meter.gap_count,
        "late_count": meter.late_count,
        "open_gaps": sum(gap.state == OPEN for gap in meter.gaps),
    }


def describe_meter_fully(
    meter_id: str, partition: int, meter: MeterState, grace: int, watermark: int | None
) -> Record:
    """A meter with its gaps (latest first) and the readings held in its state. `grace`: the setting, µs."""
    gaps = sorted(meter.gaps, key=lambda gap: gap.first, reverse=True)
    given = None if meter.terms is None else meter.terms.grace
    return {
        **describe_meter(meter_id, partition, meter),
        "region": meter.region,
        "interval_given": meter.given,
        "watermark": instant(watermark),
        "gaps": [
            describe_gap(meter_id, partition, gap, grace_of_slots(gap, grace, given, meter.last_seen))
            for gap in gaps
        ],
        "recent_readings": [
            {"timestamp": format_instant(at), "consumption_kwh": energy} for at, energy in energies_of(meter)
        ],
    }


def energies_of(meter: MeterState) -> list[tuple[int, float]]:
    """The remembered readings: stamp, µs, and energy, kWh."""
    counted = {} if meter.derived is None else dict(readings_of(meter.derived.energies))
    return [(at, counted.get(at, value)) for at, value in readings_of(meter.recent)]


def grace_of_slots(gap: Gap, grace: int, given: int | None, last_seen: int | None) -> int:
    """The grace of the slots of a gap, µs: the one that the registry has `given`, else by the setting; of
    local days and months it begins when the meter usually reports."""
    slots = grace_of(gap.interval, grace) if given is None else given
    if gap.calendar is None or last_seen is None:
        return slots
    return slots + gap.calendar.delay(last_seen, gap.last)


def calendar_name(calendar: Calendar | None) -> str | None:
    """`1d Europe/Berlin`; None for intervals of one length."""
    return None if calendar is None else str(calendar)


def missing_time(gap: Gap) -> int:
    """How long the slots of a gap are that are missing still, µs; local days have 23 to 25 hours."""
    if gap.calendar is None:
        return gap.missing_count * gap.interval
    return sum(end - start for start, end in gap.ranges())


def describe_gap(meter_id: str, partition: int, gap: Gap, grace: int, *, never_heard: bool = False) -> Record:
    """A gap with the field names of gap alerts.

    Args:
        grace: that of its slots, µs.
        never_heard: it is the gap of a meter that has not sent anything yet.
    """
    return {
        "gap_id": f"{meter_id}@{format_instant(gap.first)}",
        "meter_id": meter_id,
        "partition": partition,
        "state": gap.state,
        "revision": gap.revision,
        "missing_from": format_instant(gap.first),
        "missing_to": format_instant(gap.missing_to(grace)),
        "missing_intervals": gap.missing_count,
        "missing_ranges": [[format_instant(start), format_instant(end)] for start, end in gap.ranges()],
        "filled_intervals": gap.filled_count,
        "gap_minutes": minutes_of(missing_time(gap)),
        "interval_minutes": minutes_of(gap.interval),
        "interval_seconds": gap.interval // SECOND,
        "calendar": calendar_name(gap.calendar),
        "planned": gap.planned and gap.state not in (FILLED, RETRACTED),
        "never_heard": never_heard,
        "detected_at": format_instant(gap.detected),
    }


# -- lists


def find_meters(store: Store, partitions: Iterable[int], prefix: str, after: str, limit: int) -> list[Record]:
    """Up to `limit` meters whose id begins with `prefix` and comes after `after`, in order of their id."""
    first = prefix.encode()
    start = max(first, after.encode() + b"\x00") if after else first

    def of(partition: int) -> Iterator[tuple[bytes, int, bytes]]:
        for key, row in store.rows_from(partition, start):
            if not key.startswith(first):
                return
            if METERS.is_state(key):
                yield key, partition, row

    found = heapq.merge(*(of(partition) for partition in partitions))
    return [
        describe_meter(key.decode(), partition, METER.decode(row))
        for key, partition, row in islice(found, limit)
    ]
