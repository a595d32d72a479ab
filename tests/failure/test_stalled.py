"""A worker stalled beyond its session: the database has the rows of a run without faults.

Both runs read the same raw topic, so even the offsets in the rows have to be the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.topics import HOMELAB
from sinks import tables
from tests.processes import Database, Site
from tests.records import Raw, reading, ticks

pytestmark = [pytest.mark.failure, pytest.mark.integration]

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_704_103_200 * SECOND
METERS = 60
SLOTS = 150
#: Small, so that a run is many commits and a kill lands between two of them.
FEW_RECORDS = 10
SETTINGS = {"metrics_window": "30m"}


def feed(seed: int = 7) -> Iterator[Raw]:
    """Meters with missing, late and too late readings, revisions and garbage, in order of arrival."""
    chance = random.Random(seed)
    sent: list[tuple[int, Raw]] = []
    for number in range(METERS):
        meter = f"METER_{number:04d}"
        for slot in range(SLOTS):
            if chance.random() < 0.06:
                continue
            time = START + slot * 30 * MINUTE + number
            arrival = time + chance.choice([0] * 12 + [20 * MINUTE, 50 * MINUTE, 100 * MINUTE])
            kwh = round(chance.random(), 3)
            good = reading(meter, format_instant(time), kwh, region=chance.choice(["north", "south"]))
            sent.append((arrival, good))
            if chance.random() < 0.03:
                sent.append((arrival + MINUTE, reading(meter, format_instant(time), kwh + 1)))
            if chance.random() < 0.02:
                sent.append((arrival, good._replace(value=b"{not json")))
    end = START + SLOTS * 30 * MINUTE
    return iter([raw for _, raw in sorted(sent, key=lambda one: one[0])] + ticks(end))


@pytest.fixture(scope="module")
def fault_free(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """The database of a run without faults. Its raw topic is kept for the runs with faults."""
    folder: Path = tmp_path_factory.mktemp("fault_free")
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, folder, database=database, **SETTINGS) as site,
    ):
        site.produce(feed())
        site.worker().start()
        site.sink().start()
        site.wait_processed()
        site.wait_stored()
        rows = site.rows()
    homelab = {table.name for table in tables.fed_by_topics() if table.topic in HOMELAB}
    assert {name for name, of_table in rows.items() if not of_table} == {"incidents", *homelab}
    return rows


@pytest.fixture
def site(
    fault_free: Database, kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path: Path
) -> Iterator[Site]:
    """A new deployment on the same raw topic."""
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, tmp_path, database=database, fresh_raw=False, **SETTINGS) as site,
    ):
        yield site


def differences(found: Database, wanted: Database) -> dict[str, list[object]]:
    """By table: the first few rows in excess, and the first few missing."""
    return {
        name: [
            *(
                ("in excess", row)
                for row in list(set(map(repr, found[name])) - set(map(repr, wanted[name])))[:3]
            ),
            *(
                ("missing", row)
                for row in list(set(map(repr, wanted[name])) - set(map(repr, found[name])))[:3]
            ),
        ]
        for name in wanted
        if found[name] != wanted[name]
    }


def test_a_stalled_worker_that_wakes_up_late_changes_nothing(site: Site, fault_free: Database) -> None:
    stalled = site.worker("stalled", batch_records=FEW_RECORDS, session_timeout="6s").start()
    site.wait_rows(1500)
    stalled.freeze()
    worked = site.processed()
    site.worker("heir", batch_records=FEW_RECORDS, session_timeout="6s").start()
    site.wait_rows(1500)
    stalled.thaw()
    site.sink().start()
    site.wait_processed()
    site.wait_stored()
    assert 0 < worked < 1
    assert differences(site.rows(), fault_free) == {}
