"""`kill -9` of worker and sink in the middle: the database ends up as if nothing had happened, row by row.

Both runs read the same raw topic, so even the offsets in the rows have to be the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from tests.processes import Database, Site, new_database
from tests.records import Raw, reading, ticks

pytestmark = [pytest.mark.failure, pytest.mark.integration]

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_704_103_200 * SECOND
METERS = 60
SLOTS = 150
#: Small, so that a run is many commits and a kill lands between two of them.
SMALL = {"batch_records": 100, "sink_batch_rows": 300}


def feed(seed: int = 7) -> Iterator[Raw]:
    """Meters with holes, late and very late readings, revisions and garbage, in order of arrival."""
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
def undisturbed(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Database:
    """The database of a run without troubles. Its raw topic stays for the runs that have some."""
    folder: Path = tmp_path_factory.mktemp("undisturbed")
    with (
        new_database(postgres) as database,
        Site(kafka.bootstrap, folder, database=database) as site,
    ):
        site.produce(feed())
        site.worker().start(ready=False)
        site.sink().start(ready=False)
        site.wait_worked()
        site.wait_stored()
        rows = site.rows()
    assert {name for name, of_table in rows.items() if not of_table} == set()
    return rows


@pytest.fixture
def site(
    undisturbed: Database, kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path: Path
) -> Iterator[Site]:
    """A deployment that begins anew on the same raw topic."""
    with (
        new_database(postgres) as database,
        Site(kafka.bootstrap, tmp_path, database=database, fresh_raw=False, **SMALL) as site,
    ):
        yield site


def differences(found: Database, wanted: Database) -> dict[str, tuple[list[object], list[object]]]:
    """By table: rows that are there and should not be, rows that are missing; the first few of each."""
    return {
        name: (
            [row for row in found[name] if row not in wanted[name]][:3],
            [row for row in wanted[name] if row not in found[name]][:3],
        )
        for name in wanted
        if found[name] != wanted[name]
    }


def test_worker_and_sink_killed_in_the_middle(site: Site, undisturbed: Database) -> None:
    worker = site.worker().start(ready=False)
    sink = site.sink().start(ready=False)
    worker_killed_at, sink_killed_at = [], []
    for share in (0.1, 0.35, 0.7):
        site.wait_worked(share)
        worker.kill()
        worker_killed_at.append(site.worked())
        site.wait_stored(0.5)
        sink.kill()
        sink_killed_at.append(site.stored())
        worker.start(ready=False)
        sink.start(ready=False)
    site.wait_worked()
    site.wait_stored()
    assert all(0 < share < 1 for share in worker_killed_at), worker_killed_at
    assert all(0 < share < 1 for share in sink_killed_at), sink_killed_at
    assert differences(site.rows(), undisturbed) == {}


def test_a_worker_whose_disk_is_lost_goes_on_from_the_changelog(site: Site, undisturbed: Database) -> None:
    # The new one comes under the name of the lost one, as it would on a new machine.
    lost = site.worker("lost", instance_id=site.app_id).start(ready=False)
    site.wait_worked(0.4)
    lost.kill()
    killed_at = site.worked()
    site.worker("new", instance_id=site.app_id).start(ready=False)
    site.sink().start(ready=False)
    site.wait_worked()
    site.wait_stored()
    assert 0 < killed_at < 1
    assert differences(site.rows(), undisturbed) == {}
