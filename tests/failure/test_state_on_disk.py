"""State that cannot be used: damaged is rebuilt, locked and newer is said; nothing is guessed."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import rocksdict
from confluent_kafka import Producer

from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import MINUTE
from gridwatch.embedded import EmbeddedKafka
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.partition_rows import PARTITION
from gridwatch.topics import GAP_ALERTS, VALIDATED, changelog
from tests.processes import Site
from tests.records import PARTITIONS, meters_of, reading, tick
from tests.sums.rules import Partition as Sums
from tests.sums.stage import LAYOUT as SUMS

pytestmark = [pytest.mark.failure, pytest.mark.integration]

SAID_SECONDS = 60.0
START = 1_704_103_200_000_000  # 2024-01-01T10:00:00Z


@pytest.fixture
def site(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path) as site:
        yield site


def meters() -> list[str]:
    return [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]


def with_state(site: Site) -> Service:
    """A worker that has seen a reading of one meter in each partition, killed."""
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_worked()
    worker.kill()
    return worker


def databases(site: Site) -> list[Path]:
    """The RocksDB folders of the worker."""
    found = sorted({path.parent for path in (site.folder / "worker").rglob("CURRENT")})
    assert len(found) == PARTITIONS
    return found


@pytest.mark.parametrize("damage", ["files overwritten", "manifest gone", "no folder at all"])
def test_a_damaged_database_is_rebuilt_from_the_changelog(site: Site, damage: str) -> None:
    worker = with_state(site)
    for database in databases(site):
        for file in list(database.iterdir()):
            if damage == "files overwritten" and file.name != "LOCK":
                file.write_bytes(b"\x00garbage" * 100)
            elif damage == "manifest gone" and file.name.startswith("MANIFEST"):
                file.unlink()
        if damage == "no folder at all":
            shutil.rmtree(database)
    worker.start().wait_until_ready()
    # The state is what it was: the second reading is not a first one, and its gap is found.
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in meters()])
    site.wait_worked()
    said = site.said()
    later = [one for one in said[VALIDATED.name].values() if one["timestamp"] == "2024-01-01T12:00:00Z"]
    assert [one["flags"] for one in later] == [[]] * PARTITIONS
    gaps = {
        one["meter_id"]: (one["state"], one["missing_intervals"]) for one in said[GAP_ALERTS.name].values()
    }
    assert gaps == dict.fromkeys(meters(), ("CLOSED", 3))
    if damage != "no folder at all":
        assert "rebuil" in worker.process.log_tail(500)


def test_a_meter_whose_removal_compaction_has_forgotten_does_not_come_back(site: Site) -> None:
    """As on a disk that was away for longer than `delete.retention.ms`."""
    worker = with_state(site)
    meter = MeterState(START, 30 * MINUTE)
    meter.last_seen = meter.last_slot = START
    meter.cursor, meter.due = START + 30 * MINUTE, START + 45 * MINUTE
    for folder in databases(site):
        database = rocksdict.Rdict(str(folder), rocksdict.Options(raw_mode=True))
        database[b"METER_LONG_GONE"] = METER.encode(meter)
        database.close()
    worker.start().wait_until_ready()
    site.produce([tick("2024-01-01T10:45:00Z", partition) for partition in range(PARTITIONS)])
    site.wait_worked()
    assert {gap["meter_id"] for gap in site.said()[GAP_ALERTS.name].values()} == set(meters())
    assert "is out of date (it has 2 meters, and has counted 1)" in worker.process.log_tail(5000)
    worker.wait_until_ready()


def test_a_locked_database_is_said_with_its_folder(site: Site) -> None:
    worker = with_state(site)
    with (databases(site)[0] / "LOCK").open("r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # as any process that has the database open
        worker.start()
        until("it has ended", lambda: not worker.running, SAID_SECONDS)
    said = worker.process.log_tail(500)
    assert "locked by another process" in said
    assert str(databases(site)[0]) in said
    assert "GRIDWATCH_DATADIR" in said


#: Rows that this worker must not go on from, and what it says of each.
REFUSED = {
    "a newer version": (
        *(PARTITION_KEY, bytes([PARTITION.version + 1]) + b"what only the future knows"),
        *(f"version {PARTITION.version + 1}", "newer gridwatch"),
    ),
    "a newer kind": (b"\x01block", b"\x01\x91\x05", "unknown kind", "newer gridwatch"),
    "another stage": (
        *(PARTITION_KEY, SUMS.encode_partition(Sums(0), 1)),
        *("stage readings holds the state of stage sums", "a table of its own"),
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_state_that_cannot_be_read_stops_the_worker_which_names_the_remedy(site: Site, kind: str) -> None:
    key, row, problem, remedy = REFUSED[kind]
    worker = with_state(site)
    producer = Producer({"bootstrap.servers": site.bootstrap})
    producer.produce(changelog(site.app_id).name, row, key, 0)
    assert producer.flush(30) == 0
    worker.start()
    until("it has ended", lambda: not worker.running, SAID_SECONDS)
    said = worker.process.log_tail(500)
    assert problem in said
    assert remedy in said


def test_a_worker_stopped_in_order_goes_on_where_it_stood(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_worked()
    worker.stop()
    site.produce([tick("2024-01-01T10:45:00Z", partition) for partition in range(PARTITIONS)])
    worker.start().wait_until_ready()
    site.wait_worked()
    assert len(site.said()[VALIDATED.name]) == PARTITIONS
    assert {gap["state"] for gap in site.said()[GAP_ALERTS.name].values()} == {"OPEN"}
