"""Meters that deliver live and meters that deliver once a day: two flows, two workers, one sink.

The daily meters' readings come 6 to 30 h after their time. Beside live ones they would all be too late; in a
flow of their own none is, and what is missing is found.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gridwatch.deployment.catching_up import wait_for_worker
from gridwatch.deployment.databases import new_database
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.settings import load_settings
from gridwatch.topics import SMARTMETER, flow
from sinks import tables
from tests.processes import Site, gridwatch, query
from tests.records import Raw, decoded, produce, read, reading

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DAILY = flow("daily")
START = parse_instant("2024-03-04T00:00:00Z")[0]
DAYS = 5
#: As `docs/flows.md` has them.
OF_DAILY = {
    "flow": DAILY.name,
    "max_out_of_orderness": "30h",
    "allowed_lateness": "36h",
    "grace": "36h",
    "max_watermark_jump": "3d",
    "idle_delay": "30h",
    "gap_memory": "7d",
    "metrics_window": "1h",
}
LIVE_METERS = [f"LIVE_{number:02}" for number in range(12)]
DAILY_METERS = [f"DAILY_{number:02}" for number in range(12)]
SILENT_LIVE, SILENT_DAILY = LIVE_METERS[3], DAILY_METERS[5]
#: Not sent, and found: slots in the middle, long before the end.
LIVE_GAP = range(20, 23)
DAILY_GAP = range(40, 44)
#: How often the flows take turns.
PARTS = 8
LIVE_END = START + DAYS * DAY


def live() -> list[Raw]:
    """Ten minutes of 10 s meters, when the last daily readings come."""
    first = LIVE_END - 10 * MINUTE
    return [
        reading(meter, format_instant(first + slot * 10 * SECOND), interval_seconds=10)
        for slot in range(60)
        for meter in LIVE_METERS
        if not (meter == SILENT_LIVE and slot in LIVE_GAP)
    ]


def daily() -> list[Raw]:
    """Half-hours in the order in which they are delivered, each 6 to 30 h after its time."""
    drawn = random.Random(18)
    delivered = sorted(
        (time + drawn.randrange(6 * HOUR, 30 * HOUR), meter, time)
        for meter in DAILY_METERS
        for slot in range(DAYS * 48)
        if not (meter == SILENT_DAILY and slot in DAILY_GAP)
        for time in [START + slot * 30 * MINUTE]
    )
    return [reading(meter, format_instant(time), kwh=0.25) for _, meter, time in delivered]


def share(readings: Sequence[Raw], part: int) -> Sequence[Raw]:
    """One of the equal parts of some readings, in order."""
    size = -(-len(readings) // PARTS)
    return readings[part * size : (part + 1) * size]


@dataclass
class Run:
    """Both workers and the sink, once everything is in the database."""

    site: Site
    live: Service
    daily: Service
    sink: Service
    url: str

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return query(self.url, statement)


@pytest.fixture(scope="module")
def run(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("flows")
    with (
        new_database(postgres.url) as url,
        # One folder of state for both workers.
        Site(
            kafka.bootstrap, folder, database=url, flows="smartmeter,daily", datadir=folder / "state"
        ) as site,
    ):
        services = site.worker("live"), site.worker("daily", **OF_DAILY), site.sink()
        services[1].start().wait_until_ready()  # it finds no data folder
        for service in services:
            service.start()
        for service in services:
            service.wait_until_ready()
        # Side by side, so that a watermark that is shared would be seen.
        of_live, of_daily = live(), daily()
        for part in range(PARTS):
            for topic, readings in ((SMARTMETER.raw.name, of_live), (DAILY.raw.name, of_daily)):
                produce(kafka.bootstrap, share(readings, part), topic)
        for service, of in ((services[0], SMARTMETER), (services[1], DAILY)):
            wait_for_worker(load_settings(broker=kafka.bootstrap, app_id=site.app_id, flow=of.name), service)
        site.wait_stored()
        yield Run(site, *services, url)


def watermarks(worker: Service) -> list[int]:
    found = worker.page("/partitions/")["partitions"]
    return [parse_instant(one["watermark"])[0] for one in found if one["watermark"] is not None]


def test_neither_flow_sees_the_watermark_of_the_other(run: Run) -> None:
    assert run.live.page("/partitions/")["topic"] == "smartmeter_raw"
    assert run.daily.page("/partitions/")["topic"] == "daily_raw"
    assert run.live.page("/")["flow"] == "smartmeter"
    assert run.daily.page("/")["flow"] == "daily"
    of_live, of_daily = watermarks(run.live), watermarks(run.daily)
    assert of_live
    assert of_daily
    assert min(of_live) >= LIVE_END - 1 * MINUTE
    assert max(of_daily) <= LIVE_END - 30 * HOUR


def test_no_reading_that_comes_a_day_later_is_too_late_in_its_own_flow(run: Run) -> None:
    assert run.rows("SELECT count(*) FROM late_events") == [(0,)]
    assert run.rows(
        "SELECT flow, status, count(*), count(DISTINCT meter_id) FROM validated_readings"
        " GROUP BY 1, 2 ORDER BY 1"
    ) == [
        ("daily", "OK", len(daily()), len(DAILY_METERS)),
        ("smartmeter", "OK", len(live()), len(LIVE_METERS)),
    ]


def test_what_is_missing_is_found_in_both(run: Run) -> None:
    found = run.rows(
        "SELECT flow, meter_id, missing_intervals, interval_seconds, state FROM gap_alerts ORDER BY 1"
    )
    assert found == [
        ("daily", SILENT_DAILY, len(DAILY_GAP), 1800, "CLOSED"),
        ("smartmeter", SILENT_LIVE, len(LIVE_GAP), 10, "CLOSED"),
    ]


def test_every_row_of_the_other_flow_says_so_and_ids_are_unique(run: Run) -> None:
    both = [("daily",), ("smartmeter",)]
    for table in ("validated_readings", "gap_alerts", "metrics"):
        assert run.rows(f"SELECT DISTINCT flow FROM {table} ORDER BY 1") == both
    for table, name in (("validated_readings", "id"), ("gap_alerts", "gap_id"), ("metrics", "id")):
        assert run.rows(f"SELECT count(*) - count(DISTINCT {name}) FROM {table}") == [(0,)]
        assert run.rows(
            f"SELECT count(*) FROM {table} WHERE (flow = 'daily') <> starts_with({name}, 'daily/')"
        ) == [(0,)]
    # The same positions in both logs.
    assert run.rows(
        "SELECT count(*) > 0 FROM validated_readings AS one JOIN validated_readings AS other"
        " USING (source_partition, source_offset) WHERE one.flow < other.flow"
    ) == [(True,)]


def test_the_topics_of_a_flow_have_its_outputs_only(run: Run) -> None:
    for of, meters in ((SMARTMETER, LIVE_METERS), (DAILY, DAILY_METERS)):
        found = decoded(read(run.site.bootstrap, of.validated.name))
        assert {one["meter_id"] for one in found} == set(meters)


def test_system_metrics_are_of_the_flow_that_they_measure(run: Run) -> None:
    run.site.until(
        "each flow has its own",
        lambda: (
            run.rows(
                "SELECT flow, metric FROM metrics WHERE metric IN ('state_meters', 'sink_rows') GROUP BY 1, 2"
                " HAVING max(value) > 0 ORDER BY 1, 2"
            )
            == [(of, metric) for of in ("daily", "smartmeter") for metric in ("sink_rows", "state_meters")]
        ),
        60,
    )


def test_the_commands_see_both_flows(run: Run) -> None:
    env = run.site.environment()
    listed = gridwatch("topics", "list", "--json", env=env, folder=run.site.folder)
    names = {one["topic"]: one["partitions"] for one in json.loads(listed.stdout)}
    assert set(tables.topics(("smartmeter", "daily"))) < names.keys()
    assert {f"{run.site.app_id}-meters-changelog", f"{run.site.app_id}-daily-meters-changelog"} < names.keys()
    assert None not in names.values()
    assert gridwatch("topics", "check", env=env, folder=run.site.folder).returncode == 0
    doctor = gridwatch("doctor", "--json", env=run.site.environment(), folder=run.site.folder)
    findings = json.loads(doctor.stdout)["findings"]
    groups = [one["details"]["group"] for one in findings if one["check"] == "worker lag"]
    assert groups == [run.site.app_id, f"{run.site.app_id}-daily"]
    [watermarks_of_flows] = [one["details"] for one in findings if one["check"] == "flows"]
    assert watermarks_of_flows["daily"] > watermarks_of_flows["smartmeter"] + 29 * 3600


def test_an_export_can_be_of_one_flow(run: Run) -> None:
    exported = gridwatch("export", "--flow", "daily", env=run.site.environment(), folder=run.site.folder)
    lines = exported.stdout.splitlines()
    assert len(lines) == 1 + len(daily())
    assert {line.rsplit(",", 1)[1] for line in lines} == {"flow", "daily"}
