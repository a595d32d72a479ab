"""Windows, the load of the regions and incidents: the highest revision of each is its row, in any order."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gridwatch.models.aggregate import Aggregate
from gridwatch.models.incident import Incident
from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.topics import (
    AGGREGATES_1M,
    AGGREGATES_15M,
    INCIDENTS,
    REGIONAL_AGGREGATES,
    SMARTMETER,
    VALIDATED,
    Topic,
    flow,
)
from sinks.decoding import decode_records
from sinks.writer import Writer
from tests.integration.test_sink.test_sink_tables import Source, reading, rows

pytestmark = pytest.mark.integration

DAILY = flow("daily")
TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)
TABLES = ("aggregates_1m", "aggregates_15m", "regional_aggregates_15m", "incidents")


def at(minute: int) -> str:
    return f"2024-01-01T10:{minute:02}:00Z"


def window(revision: int, minute: int = 0, meter: str = "M1", length: int = 15, **more: Any) -> Aggregate:
    given = {
        "id": f"{meter}@{at(minute)}/{length}m",
        "meter_id": meter,
        "window_start": at(minute),
        "window_end": at(minute + length),
        "region": "north",
        "reading_count": revision,
        "expected_readings": 4,
        "completeness": revision / 4,
        "energy_kwh_sum": revision / 10,
        "power_kw_avg": 1.5,
        "power_kw_min": 1.25,
        "power_kw_max": 2.0,
        "voltage_avg": 230.125,
        "current_avg": 6.5,
        "power_factor_avg": 0.987654,
        "partition": 3,
        "received_at": at(minute + length + revision),
    } | more
    return Aggregate(revision=revision, **given)


def load(revision: int, minute: int = 0, region: str = "north", **more: Any) -> RegionalAggregate:
    given = {
        "id": f"{region}@{at(minute)}",
        "region": region,
        "window_start": at(minute),
        "window_end": at(minute + 15),
        "state": "UPDATED",
        "complete": True,
        "quality": "OK",
        "meters_active": 12,
        "meters_reporting": 11,
        "completeness": 0.9167,
        "energy_kwh_sum": float(revision),
        "load_kw": 4.363636,
        "power_kw_min": 3.5,
        "power_kw_max": 5.25,
        "capacity_kw": 10.0,
        "load_percentage": 43.6,
        "prorated": False,
        "uncovered": 2,
    } | more
    return RegionalAggregate(revision=revision, **given)


def incident(revision: int, minute: int = 0, **more: Any) -> Incident:
    given = {
        "id": f"feeder:north/F1@{at(minute)}",
        "kind": "feeder",
        "region": "north",
        "target": "F1",
        "state": "OPEN",
        "started_at": at(minute),
        "updated_at": at(minute + revision),
        "ended_at": None,
        "meters_open": revision,
        "meters_active": 5,
        "meters_peak": 4,
        "meters": [f"M{number}" for number in range(revision)],
        "parent_id": None,
    } | more
    return Incident(revision=revision, **given)


LOG: list[tuple[Topic, Any]] = [
    *((AGGREGATES_1M, window(r, n, f"M{n}", length=1)) for n in range(3) for r in (1, 2)),
    *((AGGREGATES_15M, window(r, n, "M1")) for n in (0, 15) for r in (1, 2, 3)),
    *((REGIONAL_AGGREGATES, load(r, 15, region)) for region in ("north", "south") for r in (1, 2, 3)),
    *((INCIDENTS, incident(r, n)) for n in (0, 30) for r in (1, 2)),
    (INCIDENTS, incident(3, state="CLOSED", ended_at=at(9), meters_open=0, meters=[])),
]


def write(writer: Writer, log: list[tuple[Topic, Any]]) -> None:
    """Write records as the sink gets them: as JSON, by topic."""
    by_topic: dict[str, list[Source]] = {}
    for topic, record in log:
        source = Source(topic.name, value=msgspec.json.encode(record))
        by_topic.setdefault(topic.name, []).append(source)
    batches = [decode_records(topic, of_it) for topic, of_it in by_topic.items()]
    assert [letters for _, letters in batches] == [[]] * len(batches)
    assert writer.write([decoded for decoded, _ in batches]) == []


def contents(query: Any) -> dict[str, list[Any]]:
    return {table: query(f"SELECT * FROM {table} ORDER BY {table}::text") for table in TABLES}


def clear(query: Any) -> None:
    query("TRUNCATE " + ", ".join(TABLES))


def test_any_order_any_batches_and_any_repetition_leave_the_highest_revisions(
    writer: Writer, query: Any
) -> None:
    write(writer, LOG)
    undisturbed = contents(query)
    assert {table: query(f"SELECT revision FROM {table} ORDER BY 1") for table in TABLES} == {
        "aggregates_1m": [(2,)] * 3,
        "aggregates_15m": [(3,)] * 2,
        "regional_aggregates_15m": [(3,)] * 2,
        "incidents": [(2,), (3,)],
    }
    for seed in range(20):
        clear(query)
        rng = random.Random(seed)
        left = LOG + rng.choices(LOG, k=15)
        rng.shuffle(left)
        while left:
            size = rng.randint(1, len(left))
            write(writer, left[:size])
            left = left[size:]
        assert contents(query) == undisturbed, f"seed {seed}"


def test_writing_the_same_rows_again_changes_nothing(writer: Writer, query: Any) -> None:
    places = "SELECT ctid::text, xmin::text FROM {} ORDER BY 1"
    write(writer, LOG)
    before = [query(places.format(table)) for table in TABLES]
    write(writer, LOG)
    assert [query(places.format(table)) for table in TABLES] == before


@pytest.mark.parametrize(("topic", "length"), [(AGGREGATES_1M, 1), (AGGREGATES_15M, 15)])
def test_all_fields_of_a_window_arrive(writer: Writer, query: Any, topic: Topic, length: int) -> None:
    unknown: dict[str, Any] = dict.fromkeys(
        ("region", "expected_readings", "completeness", "power_kw_avg", "power_kw_min", "power_kw_max")
    ) | dict.fromkeys(("voltage_avg", "current_avg", "power_factor_avg"))
    write(writer, [(topic, window(3, length=length)), (topic, window(1, 15, "M2", length, **unknown))])
    told = "meter_id, revision, region, reading_count, expected_readings, completeness, energy_kwh_sum"
    means = "power_kw_avg, power_kw_min, power_kw_max, voltage_avg, current_avg, power_factor_avg"
    found = query(
        f"SELECT {told}, {means}, source_partition, id, flow, time, window_end - time, received_at"
        f" FROM {topic.name} ORDER BY time"
    )
    assert found[0][:13] == (
        *("M1", 3, "north", 3, 4, 0.75, 0.3),
        *(1.5, 1.25, 2.0, 230.125, 6.5, 0.987654),
    )
    assert found[0][13:17] == (3, f"M1@{at(0)}/{length}m", "smartmeter", TEN)
    assert found[0][17].total_seconds() == 60 * length
    assert found[0][18] == TEN.replace(minute=length + 3)
    assert found[1][:7] == ("M2", 1, None, 1, None, None, 0.1)
    assert found[1][7:13] == (None,) * 6


def test_all_fields_of_a_region_arrive(writer: Writer, query: Any) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("completeness", "load_kw", "power_kw_min", "power_kw_max", "capacity_kw", "load_percentage")
    )
    more: dict[str, Any] = {"quality": "INSUFFICIENT", "state": "FINAL", "complete": False, "prorated": True}
    write(writer, [(REGIONAL_AGGREGATES, load(7)), (REGIONAL_AGGREGATES, load(8, 15, **nothing, **more))])
    told = "region, revision, state, complete, quality, meters_active, meters_reporting, completeness"
    power = "energy_kwh_sum, load_kw, power_kw_min, power_kw_max, capacity_kw, load_percentage"
    assert query(
        f"SELECT {told}, {power}, prorated, uncovered, id, time = window_start, window_end::text"
        " FROM regional_aggregates_15m ORDER BY time"
    ) == [
        (
            *("north", 7, "UPDATED", True, "OK", 12, 11, 0.9167, 7.0, 4.363636, 3.5, 5.25, 10.0, 43.6),
            *(False, 2, f"north@{at(0)}", True, "2024-01-01 10:15:00+00"),
        ),
        (
            *("north", 8, "FINAL", False, "INSUFFICIENT", 12, 11, None, 8.0, None, None, None, None, None),
            *(True, 2, f"north@{at(15)}", True, "2024-01-01 10:30:00+00"),
        ),
    ]


def test_all_fields_of_an_incident_arrive(writer: Writer, query: Any) -> None:
    meters = ["O'Brien", 'a "b" <i>/c\\', "Zähler €", "tab\t"]
    within = f"storm:north@{at(0)}"
    first = incident(2, target='F\\1\t"', meters=meters, parent_id=within)
    ended = incident(3, 30, state="CLOSED", ended_at=at(40), meters=[], meters_open=0)
    write(writer, [(INCIDENTS, first), (INCIDENTS, ended)])
    told = "kind, region, target, state, revision, meters_open, meters_active, meters_peak, meters, parent_id"
    assert query(
        f"SELECT {told}, time = started_at, updated_at::text, ended_at::text FROM incidents ORDER BY time"
    ) == [
        (
            *("feeder", "north", 'F\\1\t"', "OPEN", 2, 2, 5, 4, meters, within),
            *(True, "2024-01-01 10:02:00+00", None),
        ),
        (
            *("feeder", "north", "F1", "CLOSED", 3, 0, 5, 4, [], None),
            *(True, "2024-01-01 10:33:00+00", "2024-01-01 10:40:00+00"),
        ),
    ]
    assert query("SELECT time FROM incidents WHERE state = 'OPEN' AND meters ? 'Zähler €'") == [(TEN,)]


def test_of_two_flows_the_window_that_was_received_later_stands_in_any_order(
    writer: Writer, query: Any
) -> None:
    """A meter that moved from one flow to the other; the revisions say the opposite of the times."""
    log = [
        (SMARTMETER, window(1, received_at=at(20))),
        (SMARTMETER, window(5, received_at=at(22))),
        (DAILY, window(1, received_at=at(21))),
        (DAILY, window(2, received_at=at(23))),
    ]
    for order in itertools.permutations(log):
        for cut in range(len(order)):
            clear(query)
            for batch in filter(None, (order[:cut], order[cut:])):
                topics = [rows(of.of(AGGREGATES_15M).name, one) for of, one in batch]
                assert writer.write(topics) == []
            assert query("SELECT flow, revision, id FROM aggregates_15m") == [
                ("daily", 2, f"daily/M1@{at(0)}/15m")
            ], (order, cut)


def test_windows_of_each_flow_are_in_one_table_and_regions_exist_once(writer: Writer, query: Any) -> None:
    for of in (SMARTMETER, DAILY):
        write(writer, [(of.of(AGGREGATES_1M), window(1, meter=f"M-{of.name}", length=1))])
        write(writer, [(of.of(AGGREGATES_15M), window(1, meter=f"M-{of.name}"))])
    write(writer, [(REGIONAL_AGGREGATES, load(1)), (INCIDENTS, incident(1))])
    for table in ("aggregates_1m", "aggregates_15m"):
        assert query(f"SELECT flow, meter_id FROM {table} ORDER BY 1") == [
            ("daily", "M-daily"),
            ("smartmeter", "M-smartmeter"),
        ]
    assert query("SELECT id FROM regional_aggregates_15m") == [(f"north@{at(0)}",)]
    assert query("SELECT id FROM incidents") == [(f"feeder:north/F1@{at(0)}",)]


def test_a_refused_row_leaves_the_others_of_every_topic(writer: Writer, query: Any) -> None:
    bad = window(1, meter="M2", region="nul \0")
    refused = writer.write(
        [
            rows(AGGREGATES_15M.name, window(1), bad, window(1, meter="M3")),
            rows(VALIDATED.name, reading(1)),
            rows(REGIONAL_AGGREGATES.name, load(1)),
        ]
    )
    assert [(one.source.topic, one.source.offset) for one in refused] == [(AGGREGATES_15M.name, 1)]
    assert query("SELECT meter_id FROM aggregates_15m ORDER BY 1") == [("M1",), ("M3",)]
    assert query("SELECT count(*) FROM regional_aggregates_15m") == [(1,)]


def test_a_window_whose_times_are_words_is_a_dead_letter_and_not_a_row(writer: Writer, query: Any) -> None:
    [refused] = writer.write([rows(AGGREGATES_1M.name, window(1, length=1, window_end="now"))])
    assert refused.source.topic == AGGREGATES_1M.name
    assert query("SELECT count(*) FROM aggregates_1m") == [(0,)]
