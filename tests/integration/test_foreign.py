"""Foreign records in the changelog, and a raw topic that grows: said clearly, and nothing valid is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from gridwatch.deployment.polling import until
from gridwatch.embedded import EmbeddedKafka
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from gridwatch.topics import GAP_ALERTS, RAW, VALIDATED, changelog
from tests.integration.test_silence import doctor, metrics, said
from tests.processes import Site
from tests.records import PARTITIONS, Raw, meters_of, read, reading

pytestmark = pytest.mark.integration

SEEN_SECONDS = 60.0


@pytest.fixture
def site(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path, stalled_after="2s") as site:
        yield site


def meters() -> list[str]:
    return [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]


def append(site: Site, partition: int, records: list[tuple[bytes, bytes | None]]) -> None:
    """What somebody else puts into the changelog."""
    producer = Producer({"bootstrap.servers": site.bootstrap})
    failed: list[object] = []
    for key, value in records:
        producer.produce(
            changelog(site.app_id).name,
            value,
            key,
            partition,
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
    assert producer.flush(30) == 0
    assert failed == []


def foreign_to(partition: int) -> list[tuple[bytes, bytes | None]]:
    """Records that are no rows, under keys that are ours and that are not."""
    (meter,) = meters_of(partition, 1)
    return [
        (meter.encode(), b"\xff\xfegarbage"),
        (meter.encode(), bytes([METER.version]) + b"\xc1 cut"),
        (meter.encode(), b'{"meter_id": "text"}'),
        (PARTITION_KEY, b"{}"),
        (PARTITION_KEY, None),
        (b"\x00whatever", b"x"),
        (b"\xff\xff", b"x"),
    ]


def assert_state_held(site: Site) -> None:
    """The readings of 12:00 found the state of 10:00: none was a first one, and each closed a gap."""
    said_now = site.outputs()
    later = [one for one in said_now[VALIDATED.name].values() if one["timestamp"] == "2024-01-01T12:00:00Z"]
    assert [one["flags"] for one in later] == [[]] * PARTITIONS
    gaps = {
        one["meter_id"]: (one["state"], one["missing_intervals"])
        for one in said_now[GAP_ALERTS.name].values()
    }
    assert gaps == dict.fromkeys(meters(), ("CLOSED", 3))


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_foreign_records_found_at_the_start(site: Site, disk: str) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    worker.kill()
    for partition in range(PARTITIONS):
        append(site, partition, foreign_to(partition))
    if disk == "lost":
        shutil.rmtree(site.folder / "worker")
    worker.start().wait_until_ready()
    log = worker.process.log_tail(2000)
    assert "are no rows of gridwatch" in log
    assert changelog(site.app_id).name in log
    assert "remedy" in log
    count = sum(len(foreign_to(partition)) for partition in range(PARTITIONS))
    assert metrics(worker)["gridwatch_foreign_changelog_rows_total"] == count
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in meters()])
    site.wait_processed()
    assert_state_held(site)


def test_our_own_rows_are_the_last_of_their_keys_again(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    worker.kill()
    append(site, 0, foreign_to(0))
    worker.start().wait_until_ready()
    site.produce([reading(meters_of(1, 1)[0], "2024-01-01T12:00:00Z")])
    site.wait_processed()
    until(
        "partition 0 is taken over",
        lambda: "readings, partition 0: resuming at" in worker.process.log_tail(2000),
        SEEN_SECONDS,
    )
    worker.kill()
    topic = changelog(site.app_id).name
    last = {one.key(): one.value() for one in read(site.bootstrap, topic) if one.partition() == 0}
    assert all(METERS.is_ours(key, row) for key, row in last.items())
    assert last[PARTITION_KEY] is not None
    assert last[meters_of(0, 1)[0].encode()] is not None


def test_foreign_records_that_come_while_running_cost_one_rejoin(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    for partition in range(PARTITIONS):
        append(site, partition, foreign_to(partition))
    site.produce([reading(meter, "2024-01-01T12:00:00Z") for meter in meters()])
    site.wait_processed()
    worker.until("it is ready again", worker.is_ready, SEEN_SECONDS)
    assert_state_held(site)
    site.produce([reading(meter, "2024-01-01T12:30:00Z") for meter in meters()])
    site.wait_processed()
    log = worker.process.log_tail(5000)
    # Partitions find out side by side, before the one new assignment comes.
    assert 1 <= log.count("rejoining the group") <= PARTITIONS
    assert log.count("Setting newly assigned partitions") == 2
    assert worker.running


def test_a_raw_topic_that_grows_while_running(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    admin = AdminClient({"bootstrap.servers": site.bootstrap, "log_level": 0})
    for grown in admin.create_partitions([NewPartitions(RAW.name, PARTITIONS + 2)]).values():
        grown.result(timeout=30)
    told = f"topic {RAW.name} has {PARTITIONS + 2} partitions, GRIDWATCH_PARTITIONS says {PARTITIONS}"
    worker.until("readiness says so", lambda: told in said(worker), SEEN_SECONDS)
    assert "gridwatch topics check" in said(worker)
    # What is in the partitions that there always were is worked on all the same.
    site.produce([Raw(6, b"x", b"x"), *(reading(meter, "2024-01-01T12:00:00Z") for meter in meters())])
    worker.until("all of it is validated", lambda: validated(site) == 2 * PARTITIONS, SEEN_SECONDS)
    assert_state_held(site)
    assert not doctor(site, worker)["topics"]["ok"]


def validated(site: Site) -> int:
    return len(site.outputs()[VALIDATED.name])
