"""The specification's example, word for word, through a real worker and into a real database.

One worker for all of it; each example has a partition of its own, because the watermark is a partition's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.topics import GAP_ALERTS, VALIDATED
from tests.processes import Site, query
from tests.records import decoded, meters_of, read, reading, tick

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("example")
    with new_database(postgres.url) as database, Site(kafka.bootstrap, folder, database=database) as site:
        yield site


@pytest.fixture(scope="module")
def worker(site: Site) -> Service:
    return site.worker().start().wait_until_ready()


def at(clock: str) -> str:
    return f"2024-01-01T{clock if clock.count(':') == 2 else clock + ':00'}Z"


def gaps(site: Site, meter_id: str) -> list[tuple[Any, ...]]:
    """(first slot, end, state, missing slots, ranges) of each alert of the meter, in order."""
    return [
        (
            alert["missing_from"][11:16],
            alert["missing_to"][11:16],
            alert["state"],
            alert["missing_intervals"],
            [[start[11:16], end[11:16]] for start, end in alert["missing_ranges"]],
        )
        for alert in decoded(read(site.bootstrap, GAP_ALERTS.name))
        if alert["meter_id"] == meter_id
    ]


def validated(site: Site, meter_id: str) -> list[tuple[Any, ...]]:
    """(time, status, delay, flags) of each accepted reading of the meter."""
    return [
        (record["timestamp"][11:16], record["status"], record["delay_seconds"], record["flags"])
        for record in decoded(read(site.bootstrap, VALIDATED.name))
        if record["meter_id"] == meter_id
    ]


def test_a_reading_at_ten_is_ok_and_expected_again_at_half_past(site: Site, worker: Service) -> None:
    meter = meters_of(0, 1)[0]
    site.produce([reading(meter, at("10:00"), 2.5)])
    site.wait_processed()
    assert validated(site, meter) == [("10:00", "OK", 0, ["FIRST"])]
    page = worker.page(f"/meters/{meter}/")
    state = page.get("state", page)
    assert state["last_seen"] == at("10:00")
    assert state["expected_next"] == at("10:30")
    assert state["interval_minutes"] == 30
    assert (state["gap_count"], state["late_count"]) == (0, 0)


def test_nothing_is_missing_before_ten_forty_five_and_then_a_gap_is_open(site: Site, worker: Service) -> None:
    meter = meters_of(1, 1)[0]
    site.produce([reading(meter, at("10:00")), tick(at("10:44:59"), 1)])
    site.wait_processed()
    assert gaps(site, meter) == []
    site.produce([tick(at("10:45"), 1)])
    site.wait_processed()
    assert gaps(site, meter) == [("10:30", "10:45", "OPEN", 1, [["10:30", "11:00"]])]
    assert worker.page(f"/meters/{meter}/").get("gap_count", 1) == 1


def test_a_late_reading_just_before_the_deadline_cancels_it(site: Site, worker: Service) -> None:
    meter = meters_of(2, 1)[0]
    site.produce([reading(meter, at("10:00")), tick(at("10:44:59"), 2), reading(meter, at("10:30"))])
    site.produce([tick(at("11:14:59"), 2)])
    site.wait_processed()
    assert validated(site, meter) == [("10:00", "OK", 0, ["FIRST"]), ("10:30", "LATE", 899, [])]
    assert gaps(site, meter) == []


def test_two_hours_of_silence_are_one_closed_gap_of_three_slots(site: Site, worker: Service) -> None:
    meter = meters_of(3, 1)[0]
    site.produce([reading(meter, at("10:00")), reading(meter, at("12:00"))])
    site.wait_processed()
    assert gaps(site, meter) == [("10:30", "12:00", "CLOSED", 3, [["10:30", "12:00"]])]


def test_what_the_worker_says_reaches_the_database(site: Site, worker: Service) -> None:
    meter = meters_of(4, 1)[0]
    site.produce([reading(meter, at("10:00"), 2.5, region="north"), tick(at("10:45"), 4)])
    site.produce([reading(meter, at("09:00")), reading(meter, at("10:30"), 1.5), reading(meter, "soon")])
    sink = site.sink().start().wait_until_ready()
    site.wait_processed()
    site.wait_stored()
    sink.stop()
    assert site.database is not None
    assert query(
        site.database,
        "SELECT to_char(time, 'HH24:MI'), consumption_kwh, status, flags, region FROM validated_readings "
        f"WHERE meter_id = '{meter}' ORDER BY time",
    ) == [("10:00", 2.5, "OK", ["FIRST"], "north"), ("10:30", 1.5, "LATE", [], None)]
    assert query(
        site.database,
        "SELECT to_char(missing_from, 'HH24:MI'), to_char(missing_to, 'HH24:MI'), state, revision, "
        f"missing_intervals, filled_intervals FROM gap_alerts WHERE meter_id = '{meter}'",
    ) == [("10:30", "11:00", "FILLED", 2, 0, 1)]
    assert query(
        site.database,
        f"SELECT to_char(time, 'HH24:MI'), delay_seconds FROM late_events WHERE meter_id = '{meter}'",
    ) == [("09:00", 6300)]
    assert query(site.database, f"SELECT reasons, meter_id FROM dead_letters WHERE raw LIKE '%{meter}%'") == [
        (["BAD_TIMESTAMP"], meter)
    ]
