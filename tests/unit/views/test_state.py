"""What the pages say comes from committed rows, in pages that never scan a partition whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter.gaps import OPEN, PARTIAL, Gap
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.state import PartitionState
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import Store
from gridwatch.views import state

MINUTE = 60_000_000
HALF_HOUR = 30 * MINUTE
GRACE = 15 * MINUTE
TEN = 1_704_103_200_000_000  # 2024-01-01T10:00:00Z


class Rows:
    """A store of plain dictionaries that counts the rows that were looked at. Names say of which kind."""

    def __init__(self, meters: Mapping[int, Mapping[str, Any]]) -> None:
        self.looked = 0
        self._rows = {
            partition: {
                PARTITION_KEY: METERS.encode_partition(PartitionState(partition), 1),
                **{name.encode(): METERS.encode(name, meter) for name, meter in known.items()},
            }
            for partition, known in meters.items()
        }

    def row(self, partition: int, key: bytes) -> bytes | None:
        return self._rows[partition].get(key)

    def rows_from(self, partition: int, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self._rows[partition]):
            if key >= start:
                self.looked += 1
                yield key, self._rows[partition][key]


def store(meters: Mapping[int, Mapping[str, Any]]) -> tuple[Store, Rows]:
    kept = Rows(meters)
    return cast(Store, kept), kept


def meter(*gaps: Gap, **changes: Any) -> MeterState:
    made = MeterState(TEN, HALF_HOUR)
    made.gaps = gaps
    made.gap_count = len(gaps)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def gap(slot: int, count: int, kind: str = OPEN, **changes: Any) -> Gap:
    first = TEN + slot * HALF_HOUR
    return Gap(first, first + (count - 1) * HALF_HOUR, HALF_HOUR, first + GRACE, state=kind, **changes)


def test_the_example_of_the_specification_is_shown_as_it_is() -> None:
    here, _ = store({0: {"METER_0001": meter(gap(1, 1, revision=1))}})
    found = state.read_meter(here, 0, "METER_0001")
    assert found is not None
    shown = state.describe_meter_fully("METER_0001", 0, found, GRACE, TEN + HALF_HOUR + GRACE)
    assert shown["last_seen"] == "2024-01-01T10:00:00Z"
    assert shown["expected_next"] == "2024-01-01T10:30:00Z"
    assert (shown["interval_minutes"], shown["gap_count"], shown["late_count"]) == (30, 1, 0)
    (only,) = shown["gaps"]
    assert (only["state"], only["missing_from"], only["missing_to"]) == (
        "OPEN",
        "2024-01-01T10:30:00Z",
        "2024-01-01T10:45:00Z",
    )
    assert only["gap_id"] == "METER_0001@2024-01-01T10:30:00Z"


def test_a_gap_lists_what_is_missing_still() -> None:
    slot = TEN + HALF_HOUR
    partial = gap(1, 4, PARTIAL, missing=(slot, slot + HALF_HOUR, slot + 2 * HALF_HOUR, slot + 4 * HALF_HOUR))
    shown = state.describe_gap("M", 0, partial, GRACE)
    assert shown["missing_ranges"] == [
        ["2024-01-01T10:30:00Z", "2024-01-01T11:00:00Z"],
        ["2024-01-01T11:30:00Z", "2024-01-01T12:30:00Z"],
    ]
    assert (shown["missing_intervals"], shown["filled_intervals"], shown["gap_minutes"]) == (3, 1, 90)


@pytest.mark.parametrize("meter_id", ["METER_9", "\x00partition", "__faust\0offset__", "", "\udcff"])
def test_what_is_no_meter_is_not_found(meter_id: str) -> None:
    here, _ = store({0: {"METER_1": meter()}})
    assert state.read_meter(here, 0, meter_id) is None


IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)


@given(st.sets(IDS), st.text("aé0", max_size=2), st.integers(1, 5), st.integers(1, 4))
def test_pages_one_after_the_other_have_every_meter_of_the_prefix_once_in_order(
    names: set[str], prefix: str, limit: int, partitions: int
) -> None:
    known: dict[int, dict[str, MeterState]] = {number: {} for number in range(partitions)}
    for number, name in enumerate(sorted(names)):
        known[number % partitions][name] = meter()
    here, _ = store(known)
    seen: list[str] = []
    while True:
        page = state.find_meters(here, range(partitions), prefix, seen[-1] if seen else "", limit)
        seen += [one["meter_id"] for one in page]
        if len(page) < limit:
            break
    assert seen == sorted(name for name in names if name.startswith(prefix))


def test_a_page_of_meters_looks_at_no_more_rows_than_it_shows() -> None:
    here, kept = store({0: {f"M{number:05}": meter() for number in range(5000)}})
    page = state.find_meters(here, [0], "M02", "M02100", 10)
    assert [one["meter_id"] for one in page][::9] == ["M02101", "M02110"]
    assert kept.looked <= 12


def test_a_partition_that_is_caught_up_is_empty_since_its_last_record() -> None:
    now = PartitionState(2, watermark=TEN, offset=9, tick=TEN, meters=4, open_gaps=1, end=TEN - 15 * MINUTE)
    now.record_time = now.reading_time = TEN + MINUTE
    shown = state.describe_partition(2, "http://a", now, end=10)
    assert shown == {
        "partition": 2,
        "owner": "http://a",
        "watermark": "2024-01-01T10:00:00Z",
        "committed": 10,
        "end": 10,
        "lag": 0,
        "last_tick": "2024-01-01T10:00:00Z",
        "settled_to": "2024-01-01T09:45:00Z",
        "empty_since": "2024-01-01T10:01:00Z",
        "jump_candidates": 0,
        "open_gaps": 1,
        "meters": 4,
    }


def test_a_partition_with_readings_waiting_is_not_empty() -> None:
    now = PartitionState(2, watermark=TEN, offset=9, record_time=TEN, reading_time=TEN)
    shown = state.describe_partition(2, "http://a", now, end=13)
    assert (shown["lag"], shown["empty_since"]) == (3, None)


def test_what_is_not_known_of_a_partition_is_none_and_never_zero() -> None:
    shown = state.describe_partition(2, None)
    assert {name for name, value in shown.items() if value is not None} == {"partition"}


def test_before_the_first_commit_all_that_the_broker_holds_waits() -> None:
    assert state.describe_partition(0, "http://a", None, end=7)["lag"] == 7
