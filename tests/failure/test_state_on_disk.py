"""Unusable state: damaged state is rebuilt, locked and newer state is an error."""

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

EXIT_SECONDS = 60.0
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
    site.wait_processed()
    worker.kill()
    return worker


def databases(site: Site) -> list[Path]:
    """The RocksDB folders of the stage `readings`."""
    found = sorted({path.parent for path in (site.folder / "worker").rglob("meters-*/CURRENT")})
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
    # The state is restored: the second reading is not a first one, and its gap is found.
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in meters()])
    site.wait_processed()
    outputs = site.outputs()
    later = [one for one in outputs[VALIDATED.name].values() if one["timestamp"] == "2024-01-01T12:00:00Z"]
    assert [one["flags"] for one in later] == [[]] * PARTITIONS
    gaps = {
        one["meter_id"]: (one["state"], one["missing_intervals"]) for one in outputs[GAP_ALERTS.name].values()
    }
    assert gaps == dict.fromkeys(meters(), ("CLOSED", 3))
    if damage != "no folder at all":
        assert "rebuil" in worker.process.log_tail(500)


def test_a_meter_whose_tombstone_was_compacted_away_is_not_restored(site: Site) -> None:
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
    site.wait_processed()
    assert {gap["meter_id"] for gap in site.outputs()[GAP_ALERTS.name].values()} == set(meters())
    assert "is out of date (it has 2 meters, and has counted 1)" in worker.process.log_tail(5000)
    worker.wait_until_ready()


def test_a_locked_database_is_an_error_with_its_folder(site: Site) -> None:
    worker = with_state(site)
    with (databases(site)[0] / "LOCK").open("r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # as any process that has the database open
        worker.start()
        until("it has ended", lambda: not worker.running, EXIT_SECONDS)
    log = worker.process.log_tail(500)
    assert "locked by another process" in log
    assert str(databases(site)[0]) in log
    assert "GRIDWATCH_DATADIR" in log


#: Rows that this worker must not resume from, with the parts of its messages.
REFUSED = {
    "a newer version": (
        *(PARTITION_KEY, bytes([PARTITION.version + 1]) + b"what only the future knows"),
        *(f"version {PARTITION.version + 1}", "newer gridwatch"),
    ),
    "a newer kind": (b"\x1fblock", b"\x01\x91\x05", "unknown kind", "newer gridwatch"),
    "another stage": (
        *(PARTITION_KEY, SUMS.encode_partition(Sums(0), 1)),
        *("stage readings holds the state of stage sums", "a table of its own"),
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_unreadable_state_stops_the_worker_with_a_remedy(site: Site, kind: str) -> None:
    key, row, problem, remedy = REFUSED[kind]
    worker = with_state(site)
    producer = Producer({"bootstrap.servers": site.bootstrap})
    producer.produce(changelog(site.app_id).name, row, key, 0)
    assert producer.flush(30) == 0
    worker.start()
    until("it has ended", lambda: not worker.running, EXIT_SECONDS)
    log = worker.process.log_tail(500)
    assert problem in log
    assert remedy in log


def test_a_gracefully_stopped_worker_resumes_where_it_was(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    worker.stop()
    site.produce([tick("2024-01-01T10:45:00Z", partition) for partition in range(PARTITIONS)])
    worker.start().wait_until_ready()
    site.wait_processed()
    assert len(site.outputs()[VALIDATED.name]) == PARTITIONS
    assert {gap["state"] for gap in site.outputs()[GAP_ALERTS.name].values()} == {"OPEN"}
