"""A worker or sink that cannot do its work says so within 30 s, names what mends it, and is no success."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import free_ports
from gridwatch.topics import DEAD_LETTERS, RAW, VALIDATED
from tests.processes import Site, gridwatch

pytestmark = pytest.mark.integration

LIMIT_SECONDS = 30.0


@pytest.fixture
def site(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path) as site:
        yield site


def refusal(site: Site, service: str, **settings: object) -> tuple[int, str]:
    """(exit code, what was said) of a service that will not start."""
    web = {"web_port": free_ports(1)[0], "sink_web_port": free_ports(1)[0]}
    env = site.environment(datadir=site.folder / service, **{**web, **settings})
    started = time.monotonic()
    ended = gridwatch(service, "-l", "info", env=env, folder=site.folder, seconds=2 * LIMIT_SECONDS)
    assert time.monotonic() - started < LIMIT_SECONDS
    # Lines may be wrapped and coloured for a person.
    said = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout + ended.stderr)
    return ended.returncode, " ".join(said.split())


@pytest.mark.parametrize("service", ["worker", "sink"])
def test_missing_topics_name_the_command_that_makes_them(site: Site, service: str) -> None:
    admin = AdminClient({"bootstrap.servers": site.bootstrap})
    for deleted in admin.delete_topics([RAW.name, DEAD_LETTERS.name]).values():
        deleted.result(timeout=30)
    code, said = refusal(site, service)
    assert code == 1
    assert RAW.name in said
    assert DEAD_LETTERS.name in said
    assert "gridwatch topics create" in said


def test_another_partition_count_names_the_topic_and_the_remedy(site: Site) -> None:
    admin = AdminClient({"bootstrap.servers": site.bootstrap})
    for grown in admin.create_partitions([NewPartitions(VALIDATED.name, 8)]).values():
        grown.result(timeout=30)
    code, said = refusal(site, "worker")
    assert code == 1
    assert VALIDATED.name in said
    assert "8" in said
    assert "GRIDWATCH_PARTITIONS" in said
    assert "gridwatch topics check" in said


@pytest.mark.parametrize("service", ["worker", "sink"])
def test_an_unreachable_broker_is_named(site: Site, service: str) -> None:
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    code, said = refusal(site, service, broker=nobody)
    assert code == 1
    assert nobody in said
    assert "GRIDWATCH_BROKER" in said


@pytest.mark.parametrize("service", ["worker", "sink"])
@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("grace", "soon", "15m"),
        ("grace", "-5m", "15m"),
        ("broker", "localhost", "host:port"),
        ("partitions", "0", "greater than or equal to 1"),
        ("default_interval", "40d", "whole number of seconds"),
        ("timezone", "Mars/Olympus", "time zone"),
    ],
)
def test_a_wrong_setting_names_the_key_and_what_is_allowed(
    site: Site, service: str, key: str, value: str, allowed: str
) -> None:
    code, said = refusal(site, service, **{key: value})
    assert code == 2
    assert f"GRIDWATCH_{key.upper()}" in said
    assert allowed in said
