"""Silence is seen: each way to stand still is caused here, and readiness, Prometheus and doctor say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from prometheus_client.parser import text_string_to_metric_families

from gridwatch.clock import now_micros
from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import free_ports
from gridwatch.topics import RAW, VALIDATED
from tests.processes import Site, gridwatch
from tests.records import PARTITIONS, meters_of, reading

pytestmark = pytest.mark.integration

SECOND = 1_000_000
SEEN_SECONDS = 60.0
STALLED_AFTER = {"stalled_after": "2s"}


@pytest.fixture
def site(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path, **STALLED_AFTER) as site:
        yield site


def said(service: Service, field: str = "reasons") -> str:
    """What `/ready/` says, as one text."""
    return " | ".join(service.page("/ready/")[field])


def metrics(service: Service) -> dict[str, float]:
    """Every sample of `/metrics/`; of those with labels the highest."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(service.text("/metrics/")):
        for sample in family.samples:
            found[sample.name] = max(sample.value, found.get(sample.name, sample.value))
    return found


def doctor(site: Site, worker: Service | None = None, sink: Service | None = None) -> dict[str, Any]:
    """The findings by name. What is not given is looked for where nobody is."""
    ports = {"web_port": worker, "sink_web_port": sink}
    env = site.environment(**{key: service.port if service else 1 for key, service in ports.items()})
    ended = gridwatch("doctor", "--json", env=env, folder=site.folder)
    assert ended.returncode == 1
    return {finding["check"]: finding for finding in json.loads(ended.stdout)["findings"]}


def meters() -> list[str]:
    return [meters_of(partition, 1)[0] for partition in range(PARTITIONS)]


def test_an_output_topic_deleted_while_running(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    admin = AdminClient({"bootstrap.servers": site.bootstrap, "log_level": 0})
    admin.delete_topics([VALIDATED.name])[VALIDATED.name].result(timeout=30)
    site.produce([reading(meter, "2024-01-01T10:30:00Z") for meter in meters()])

    def all_told() -> bool:
        told = said(worker)
        return (
            f"topic {VALIDATED.name} is missing" in told
            and "gridwatch topics create" in told
            and "waiting for the brokers' ack" in told
            and "readings wait, and nothing was committed" in told
        )

    worker.until("readiness says all of it", all_told, SEEN_SECONDS)
    measured = metrics(worker)
    assert measured["gridwatch_ready"] == 0
    assert measured["gridwatch_broker_problems"] == 1
    assert measured["gridwatch_ack_wait_seconds"] >= 2
    assert measured["gridwatch_stalled_seconds"] >= 2
    assert measured["gridwatch_commit_age_seconds"] >= 2
    assert measured["gridwatch_consumer_lag_records"] == 1
    found = doctor(site, worker)
    assert found["topics"]["remedy"] == "gridwatch topics create"
    assert VALIDATED.name in found["worker"]["message"]

    made = gridwatch("topics", "create", env=site.environment(), folder=site.folder)
    assert made.returncode == 0, made.stderr
    site.wait_processed()
    worker.until("it is ready again", worker.is_ready, SEEN_SECONDS)
    stamps = {(one["meter_id"], one["timestamp"]) for one in site.outputs()[VALIDATED.name].values()}
    assert stamps == {(meter, "2024-01-01T10:30:00Z") for meter in meters()}


def test_partitions_whose_owner_is_gone(site: Site) -> None:
    first, second = (
        site.worker("first").start().wait_until_ready(),
        site.worker("second").start().wait_until_ready(),
    )

    def shared() -> bool:
        owners = {one["owner"] for one in first.page("/partitions/")["partitions"]}
        return owners == {first.url, second.url} and first.is_ready() and second.is_ready()

    until("both own partitions", shared, SEEN_SECONDS)
    until("nothing is missing", lambda: metrics(first)["gridwatch_partitions_unserved"] == 0, SEEN_SECONDS)
    assert said(first, "warnings") == ""
    second.kill()
    until("it is seen", lambda: metrics(first)["gridwatch_partitions_unserved"] == 3, SEEN_SECONDS)
    assert f"{second.url} does not answer" in said(first, "warnings")
    assert first.is_ready(), f"what another worker lacks makes this one no less ready: {said(first)}"
    assert metrics(first)["gridwatch_partitions_owned"] < metrics(first)["gridwatch_partitions"]
    found = doctor(site, first)["partitions"]
    assert not found["ok"]
    assert second.url in found["message"]
    until("it has taken over", lambda: metrics(first)["gridwatch_partitions_owned"] == 6, SEEN_SECONDS)
    until("nothing is missing", lambda: metrics(first)["gridwatch_partitions_unserved"] == 0, SEEN_SECONDS)
    assert said(first, "warnings") == ""


def test_ticks_that_do_not_flow(site: Site) -> None:
    worker = site.worker(idle_timeout="1s", idle_delay="500ms").start().wait_until_ready()
    now = now_micros()
    site.produce([reading(meter, format_instant(now - 10 * SECOND)) for meter in meters()])
    site.wait_processed()
    until("time goes on by ticks", lambda: site.processed() == 1 and ticked(worker), SEEN_SECONDS)
    assert worker.is_ready()
    limit_records(site, "1")
    told = "no tick came for"
    worker.until("readiness says so", lambda: told in said(worker), SEEN_SECONDS)
    measured = metrics(worker)
    assert measured["gridwatch_tick_overdue_seconds"] >= 2
    assert measured["gridwatch_watermark_stalled_seconds"] >= 2
    assert measured["gridwatch_consumer_lag_records"] == 0
    assert told in doctor(site, worker)["worker"]["message"]
    limit_records(site, RAW.config["max.message.bytes"])
    worker.until("time goes on", worker.is_ready, SEEN_SECONDS)
    assert metrics(worker)["gridwatch_tick_overdue_seconds"] < 2


def ticked(worker: Service) -> bool:
    return all(one["last_tick"] for one in worker.page("/partitions/")["partitions"])


def limit_records(site: Site, size: str) -> None:
    """How large a record of the raw topic may be: 1 byte lets no tick in."""
    admin = AdminClient({"bootstrap.servers": site.bootstrap, "log_level": 0})
    entry = ConfigEntry("max.message.bytes", size, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, RAW.name, incremental_configs=[entry])
    for altered in admin.incremental_alter_configs([resource]).values():
        altered.result(timeout=30)


def test_a_sink_that_waits_for_its_database(site: Site) -> None:
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    site.common["database_url"] = f"postgresql://gridwatch@{nobody}/gridwatch"
    site.worker().start()
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in meters()])
    site.wait_processed()
    sink = site.sink().start()
    sink.until("its page answers", lambda: answers(sink), SEEN_SECONDS)

    def all_told() -> bool:
        told = said(sink)
        waits = f"waiting for the database at {nobody}" in told
        return waits and "records wait, and nothing was committed" in told

    sink.until("readiness says both", all_told, SEEN_SECONDS)
    measured = metrics(sink)
    assert measured["gridwatch_sink_ready"] == 0
    assert measured["gridwatch_sink_waiting_seconds"] > 0
    assert measured["gridwatch_sink_stalled_seconds"] >= 2
    assert measured["gridwatch_sink_lag_records"] >= 1
    found = doctor(site, sink=sink)
    assert f"waiting for the database at {nobody}" in found["sink"]["message"]
    assert not found["database"]["ok"]
    assert found["sink lag"]["details"]["lag"] >= PARTITIONS


def answers(service: Service) -> bool:
    try:
        return service.status("/live/") == 200
    except OSError:
        return False
