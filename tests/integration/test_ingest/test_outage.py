"""Kafka goes away: requests are refused in time, and a client that repeats them loses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import DEAD_LETTERS, LATE_EVENTS, RAW, VALIDATED
from tests.integration.test_ingest.entrance import in_kafka, reading, send
from tests.processes import Site
from tests.records import decoded, read

pytestmark = pytest.mark.integration

ACK_TIMEOUT = 2.0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker that may be stopped."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), heap_mb=384) as kafka:
        yield kafka


@pytest.fixture(scope="module")
def ingest(site: Site) -> Service:
    service = site.add("ingest", ingest_ack_timeout=f"{ACK_TIMEOUT:g}s")
    return service.start().wait_until_ready()


def test_a_simulated_fleet_arrives_exactly_though_kafka_was_away_for_half_a_minute(
    kafka: EmbeddedKafka, site: Site, ingest: Service, tmp_path: Path
) -> None:
    # Before the other test, whose readings are of today: they would make these late.
    assert read(site.bootstrap, RAW.name) == []
    worker = site.worker().start()
    command = [sys.executable, "-m", "gridwatch", "simulate", "--mode", "http", "--url", ingest.url, "--json"]
    command += ["--meters", "300", "--every", "10s", "--from", "2026-03-02T10:00Z"]
    command += ["--until", "2026-03-02T10:05Z", "--speed", "20"]
    environment = site.environment(datadir=tmp_path) | {"XDG_STATE_HOME": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as simulating:
        site.until("some are there", lambda: _accepted(ingest) > 1000, 60)
        kafka.stop()
        assert simulating.poll() is None, "it has to be interrupted"
        time.sleep(30)
        kafka.start()
        printed, said = simulating.communicate(timeout=90)
    assert simulating.returncode == 0, said
    assert "waiting for" in said
    sent = json.loads(printed)
    assert sent["readings"] == 300 * 30
    worker.wait_until_ready()
    site.wait_processed()
    values = decoded(read(site.bootstrap, VALIDATED.name))
    times = [(value["meter_id"], value["timestamp"]) for value in values]
    assert len(times) == len(set(times)) == 300 * 30
    assert read(site.bootstrap, DEAD_LETTERS.name) == read(site.bootstrap, LATE_EVENTS.name) == []


def test_while_kafka_is_away_the_answer_is_503_and_nothing_is_lost(
    kafka: EmbeddedKafka, site: Site, ingest: Service
) -> None:
    sent: list[str] = []
    refused = 0

    def accepted(number: int) -> bool:
        """Whether a batch of two was accepted; if not, the client is told when to come again."""
        nonlocal refused
        began = time.monotonic()
        meters = [f"OUTAGE_{number}_{part}" for part in "AB"]
        answer = send(ingest, [reading(meter) for meter in meters])
        if answer.status == 202:
            sent.extend(meters)
            return True
        assert (answer.status, answer.kind) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert time.monotonic() - began < ACK_TIMEOUT + 1.5
        refused += 1
        return False

    assert all(accepted(number) for number in range(3))
    kafka.stop()
    began = time.monotonic()
    assert not accepted(3)
    ingest.until("it says why", lambda: ingest.status("/ready/") == 503, 15)
    assert ingest.status("/live/") == 200
    while time.monotonic() - began < 4:
        assert not accepted(3)
    # Kafka counts as away by now: nobody waits for the time-out.
    asked = time.monotonic()
    assert not accepted(3)
    assert time.monotonic() - asked < 1
    kafka.start()
    ingest.until("it is accepted", lambda: accepted(3), 30)
    assert all(accepted(number) for number in range(4, 8))
    ingest.wait_until_ready(15)
    assert refused >= 3
    records = in_kafka(site.bootstrap, *sent)
    assert len(sent) == 16 and all(records[meter] for meter in sent)
    for meter in sent:  # what was accepted at once is there once
        repeated = meter.startswith("OUTAGE_3")
        assert repeated or len(records[meter]) == 1


def _accepted(service: Service) -> float:
    name = "gridwatch_ingest_accepted_readings_total"
    lines = service.text("/metrics/").splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith(name)), 0.0)
