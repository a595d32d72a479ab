"""The sink as a process, on a real broker and a real database: nothing is lost, and waiting is reported."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from gridwatch.deployment.databases import new_database
from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import free_ports
from gridwatch.models.validated import Validated
from gridwatch.topics import DEAD_LETTERS, METRICS, OUTPUTS, VALIDATED
from sinks.schema.version import migrate
from tests.processes import Site, query

pytestmark = pytest.mark.integration

GOOD = Validated(
    "0-0-0", "M", "2024-01-01T10:00:00Z", 1.0, 30, "OK", 0.0, [], "2024-01-01T10:00:00Z", 0, 0, 0
)
PARTITIONS = 6
#: Small, so that a run is many transactions.
SMALL = {"batch_records": 50, "sink_batch_rows": 120}


def reading(number: int, **changes: Any) -> Validated:
    partition = number % PARTITIONS
    return msgspec.structs.replace(
        GOOD,
        id=f"{partition}-{number}-0",
        meter_id=f"M{number % 60}",
        timestamp=f"2024-01-{1 + number // 60 // 24:02}T{number // 60 % 24:02}:00:00Z",
        consumption_kwh=number / 8,
        partition=partition,
        offset=number,
        **changes,
    )


def produce(bootstrap: str, topic: str, values: Any) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for partition, value in values:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(30) == 0


def readings(count: int) -> Iterator[tuple[int, bytes]]:
    return ((n % PARTITIONS, msgspec.json.encode(reading(n))) for n in range(count))


def stored(database: str) -> list[tuple[int, float]]:
    rows = query(database, "SELECT source_offset, consumption_kwh FROM validated_readings ORDER BY 1")
    return [(int(offset), float(kwh)) for offset, kwh in rows]


def expected(count: int) -> list[tuple[int, float]]:
    return [(n, n / 8) for n in range(count)]


def reasons(service: Service) -> list[str]:
    """Why it is not ready; empty when it is, or when nobody answers."""
    try:
        return list(service.page("/ready/")["reasons"])
    except OSError:
        return []


def waits_for_the_database(service: Service) -> bool:
    """True when the database is all that keeps it from being ready."""
    found = reasons(service)
    return len(found) == 1 and found[0].startswith("waiting for the database")


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    with new_database(postgres.url) as url:
        yield url


@pytest.fixture
def site(kafka: EmbeddedKafka, database: str, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path, database=database, **SMALL) as site:
        yield site


def test_foreign_and_refused_records_become_dead_letters_and_the_rest_is_stored(site: Site) -> None:
    assert site.database is not None
    produce(site.bootstrap, VALIDATED.name, readings(120))
    refused = msgspec.json.encode(msgspec.structs.replace(GOOD, region="a\0b"))
    letter = {
        **{
            "id": "x\0",
            "reasons": ["NOT_JSON"],
            "message": "",
            "field": None,
            "raw": "",
            "raw_encoding": "utf-8",
        },
        **{"raw_size": 0, "raw_truncated": False, "topic": "t", "partition": 3, "offset": 0, "index": 0},
        **{"record_timestamp": "2024-01-01T10:00:00Z", "meter_id": None},
    }
    produce(site.bootstrap, VALIDATED.name, [(2, b"\xff\xfe"), (2, refused), (2, None)])
    produce(site.bootstrap, METRICS.name, [(5, b"[1]")])
    produce(site.bootstrap, DEAD_LETTERS.name, [(3, b"{}"), (3, msgspec.json.encode(letter))])
    sink = site.sink().start().wait_until_ready()
    site.wait_stored()
    site.wait_stored()  # the dead letters that came of it, too
    assert stored(site.database) == expected(120)
    letters = query(
        site.database,
        'SELECT topic, partition, "offset", reasons[1], raw_encoding FROM dead_letters ORDER BY 1, 2, 3',
    )
    assert letters == [
        (DEAD_LETTERS.name, 3, 0, "MISSING_FIELD", "utf-8"),
        (DEAD_LETTERS.name, 3, 1, "REFUSED_BY_DATABASE", "utf-8"),
        (METRICS.name, 5, 0, "NOT_AN_OBJECT", "utf-8"),
        (VALIDATED.name, 2, 20, "NOT_UTF8", "base64"),
        (VALIDATED.name, 2, 21, "REFUSED_BY_DATABASE", "utf-8"),
        (VALIDATED.name, 2, 22, "NOT_JSON", "utf-8"),
    ]
    text = sink.text("/metrics/")
    assert f'gridwatch_sink_rows_total{{topic="{VALIDATED.name}"}} 120.0' in text
    assert f'gridwatch_sink_refused_rows_total{{topic="{VALIDATED.name}"}} 1.0' in text
    assert "gridwatch_sink_waiting_seconds 0.0" in text


def test_a_killed_sink_resumes_where_it_was(site: Site) -> None:
    assert site.database is not None
    count = 8_000
    produce(site.bootstrap, VALIDATED.name, readings(count))
    sink = site.sink().start()
    killed_at = []
    for share in (0.05, 0.4):
        until("some of it is stored", lambda share=share: len(stored(site.database)) > share * count, 60)
        sink.kill()
        killed_at.append(len(stored(site.database)))
        sink.start()
    site.wait_stored()
    assert all(0 < there < count for there in killed_at), killed_at
    assert stored(site.database) == expected(count)


def test_a_sink_waits_for_a_killed_database_and_reports_it(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        migrate(server.url)
        with Site(kafka.bootstrap, tmp_path, database=server.url, **SMALL) as site:
            produce(site.bootstrap, VALIDATED.name, readings(6000))
            sink = site.sink().start()
            until("some of it is stored", lambda: stored(server.url), 60)
            server.kill()
            found = until("the sink says that it waits", lambda: reasons(sink), 30)
            assert any("waiting for the database at 127.0.0.1:" in reason for reason in found), found
            assert sink.status("/live/") == 200
            # A rebalance works even now: pending batches are aborted, not waited for.
            second = site.sink("second").start()
            until("the second waits as well", lambda: waits_for_the_database(second), 60)
            until("the first has settled", lambda: waits_for_the_database(sink), 30)
            held_at = site.stored()
            server.start()
            site.wait_stored()
            assert held_at < 1
            assert stored(server.url) == expected(6000)
            sink.wait_until_ready()


def test_a_sink_that_waits_for_a_database_from_its_start_can_be_stopped(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        migrate(server.url)
        with Site(kafka.bootstrap, tmp_path, database=server.url, **SMALL) as site:
            produce(site.bootstrap, VALIDATED.name, readings(100))
            server.stop()
            sink = site.sink().start()
            until("the sink says that it waits", lambda: "waiting" in " ".join(reasons(sink)), 60)
            started = time.monotonic()
            sink.stop()
            assert time.monotonic() - started < 30
            assert site.stored() == 0
            sink.start()
            server.start()
            site.wait_stored()
            assert stored(server.url) == expected(100)


def test_two_sinks_share_the_work_and_one_takes_over_from_the_other(site: Site) -> None:
    assert site.database is not None
    first = site.sink("first").start().wait_until_ready()
    site.sink("second").start().wait_until_ready()
    produce(site.bootstrap, VALIDATED.name, readings(3000))
    until("some of it is stored", lambda: stored(site.database), 60)
    first.stop()
    produce(
        site.bootstrap, VALIDATED.name, ((n % 6, msgspec.json.encode(reading(n))) for n in range(3000, 6000))
    )
    site.wait_stored()
    assert stored(site.database) == expected(6000)


@pytest.mark.parametrize("worker", [["gridwatch", "sink"], ["faust", "-A", "sinks.app", "worker"]])
def test_a_database_without_schema_is_refused_with_the_command(
    worker: list[str], kafka: EmbeddedKafka, empty_database: str, tmp_path: Path
) -> None:
    with Site(kafka.bootstrap, tmp_path) as site:
        ended = run(worker, site.environment(database_url=empty_database, sink_web_port=free_ports(1)[0]))
    assert ended.returncode == 1
    assert "no gridwatch schema" in ended.stdout
    assert "gridwatch db migrate" in ended.stdout


def test_topics_that_differ_are_refused_with_the_command(site: Site) -> None:
    ended = run(["gridwatch", "sink"], site.environment(partitions=7, sink_web_port=free_ports(1)[0]))
    assert ended.returncode == 1
    assert OUTPUTS[0].name in ended.stdout
    assert "gridwatch topics" in ended.stdout


def run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run to the end, within 30 s; stdout and stderr in one."""
    program = [sys.executable, "-m", *command]
    return subprocess.run(
        program, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False
    )
