"""A worker with two stages on a real broker: its pages speak for both, and name the second where it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from gridwatch.agents.readings import READINGS
from gridwatch.deployment.polling import until
from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import free_ports
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import VALIDATED
from tests.records import PARTITIONS, meters_of, produce, reading
from tests.sums.stage import STAGE as SUMS

pytestmark = pytest.mark.integration

SEEN_SECONDS = 60.0
SETTINGS = {
    "app_id": "two-stages",
    "partitions": str(PARTITIONS),
    "stalled_after": "2s",
    "idle_timeout": "1d",
    "dead_letter_run": "3",
    "region_flows": "none",
}
NUMBERS = {str(number) for number in range(PARTITIONS)}


class Worker:
    """A running worker with both stages."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "worker.log"
        settings = {**SETTINGS, "broker": bootstrap, "datadir": str(folder / "state"), "web_port": str(port)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDWATCH_")}
        own = {f"GRIDWATCH_{name.upper()}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "faust", "-A", "tests.sums.app", "worker", "-l", "info"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=kept | own, cwd=Path(__file__).parents[2], stdout=log, stderr=log
            )

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page; status 0 while nobody answers."""
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-4000:]
        asked = urllib.request.Request(self.url + path, headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read()
        except OSError:
            return 0, b""

    def ready(self) -> bool:
        return self.get("/ready/")[0] == 200

    def reasons(self) -> list[str]:
        """Why it is not ready."""
        status, body = self.get("/ready/")
        assert status in (200, 503)
        reasons: list[str] = json.loads(body)["reasons"]
        assert (status == 503) == bool(reasons)
        return reasons

    def gauge(self, name: str) -> dict[str, dict[str, float]]:
        """Stage → partition → value."""
        found: dict[str, dict[str, float]] = {}
        for family in text_string_to_metric_families(self.get("/metrics/")[1].decode()):
            for sample in family.samples:
                if sample.name == name:
                    found.setdefault(sample.labels["stage"], {})[sample.labels["partition"]] = sample.value
        return found


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-two-stages-") as folder,
        EmbeddedKafka(folder) as kafka,
    ):
        settings = load_settings(broker=kafka.bootstrap, **SETTINGS)
        topics = {one.name: one for stage in (READINGS, SUMS) for one in stage.topics(settings.app_id)}
        Broker(settings, list(topics.values())).create()
        started = Worker(kafka.bootstrap, Path(folder))
        try:
            until("both stages are ready", started.ready, SEEN_SECONDS)
            yield started
        finally:
            started.process.kill()
            started.process.wait()


def said(worker: Worker, what: str) -> Callable[[], list[str]]:
    """The reasons that begin so."""
    return lambda: [reason for reason in worker.reasons() if reason.startswith(what)]


def send(producer: Any, partition: int, *values: bytes) -> None:
    for value in values:
        producer.produce(VALIDATED.name, value, b"x", partition=partition)
    producer.flush(30)


def test_metrics_have_the_partitions_of_both_stages(worker: Worker) -> None:
    meters = [meters_of(number, 1)[0] for number in range(PARTITIONS)]
    produce(worker.bootstrap, [reading(meter, "2024-01-01T10:00:00Z") for meter in meters])
    every = dict.fromkeys(NUMBERS, 1.0)
    until(
        "both stages have worked on what each partition has",
        lambda: worker.gauge("gridwatch_committed_offset") == {"readings": every, "sums": every},
        SEEN_SECONDS,
    )
    assert worker.gauge("gridwatch_state_meters") == {"readings": every}
    for name in ("consumer_lag_records", "stalled_seconds", "undecodable", "open_transaction_seconds"):
        zero = dict.fromkeys(NUMBERS, 0.0)
        assert worker.gauge(f"gridwatch_{name}") == {"readings": zero, "sums": zero}, name
    assert worker.reasons() == []


def test_a_transaction_on_the_source_of_the_second_stage_makes_the_worker_not_ready_while_it_is_open(
    worker: Worker,
) -> None:
    producer = Producer({"bootstrap.servers": worker.bootstrap, "transactional.id": "open"})
    producer.init_transactions(30)
    producer.begin_transaction()
    send(producer, 2, b"{}")
    (reason,) = until("it is said", said(worker, "sums, partition 2: a transaction"), SEEN_SECONDS)
    assert VALIDATED.name in reason
    assert worker.gauge("gridwatch_open_transaction_seconds")["sums"]["2"] >= 2
    assert worker.gauge("gridwatch_open_transaction_seconds")["readings"]["2"] == 0
    producer.abort_transaction(30)
    until("it is ready again", worker.ready, SEEN_SECONDS)


def test_a_worthless_feed_of_the_second_stage_makes_the_worker_not_ready(worker: Worker) -> None:
    send(Producer({"bootstrap.servers": worker.bootstrap}), 4, *[b"no reading"] * 3)
    (reason,) = until("it is said", said(worker, "sums, partition 4: the last 3"), SEEN_SECONDS)
    assert f"what comes on {VALIDATED.name} looks wrong as a whole" in reason
    assert worker.gauge("gridwatch_dead_letter_run")["sums"]["4"] == 3
    assert worker.gauge("gridwatch_dead_letter_run")["readings"]["4"] == 0


def test_a_changelog_of_the_second_stage_that_is_missing_is_named(worker: Worker) -> None:
    """Last of its module: the worker is not ready any more."""
    topic = SUMS.changelog(SETTINGS["app_id"]).name
    admin = AdminClient({"bootstrap.servers": worker.bootstrap})
    admin.delete_topics([topic])[topic].result(timeout=30)
    until("it is said", said(worker, f"topic {topic} is missing"), SEEN_SECONDS)
