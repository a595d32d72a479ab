"""The doctor with a real broker and database: what is missing is reported with its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.settings import PREFIX

pytestmark = pytest.mark.integration

Findings = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings that lead to a broker without topics and a database without tables."""
    folder = tmp_path_factory.mktemp("doctor")
    with (
        EmbeddedKafka(folder / "kafka", heap_mb=384) as kafka,
        EmbeddedPostgres(folder / "postgres", fsync=False) as postgres,
    ):
        yield {"BROKER": kafka.bootstrap, "DATABASE_URL": postgres.url}


def _gridwatch(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    return subprocess.run(
        [sys.executable, "-m", "gridwatch", *arguments],
        env=env | {PREFIX + key: value for key, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _doctor(**settings: str) -> tuple[int, Findings]:
    ended = _gridwatch("doctor", "--json", WEB_PORT="1", SINK_WEB_PORT="1", **settings)
    return ended.returncode, {finding["check"]: finding for finding in json.loads(ended.stdout)["findings"]}


def test_what_is_missing_is_reported_with_the_command_that_creates_it(own_servers: dict[str, str]) -> None:
    code, before = _doctor(**own_servers)
    assert code == 1
    assert before["broker"]["ok"]
    assert before["broker"]["details"]["release"] == "Kafka 4.1"
    assert before["database"]["ok"]
    assert "PostgreSQL" in before["database"]["message"]
    assert before["topics"]["remedy"] == "gridwatch topics create"
    assert before["schema"]["remedy"] == "gridwatch db migrate"
    assert _gridwatch("topics", "create", **own_servers).returncode == 0
    assert _gridwatch("db", "migrate", **own_servers).returncode == 0
    code, after = _doctor(**own_servers)
    assert code == 1, "worker and sink are not there"
    assert {check for check, finding in after.items() if not finding["ok"]} == {"worker", "sink"}
    assert after["worker lag"]["details"]["lag"] == 0
    assert after["sink lag"]["details"]["lag"] == 0


def test_a_different_partition_count_is_reported(own_servers: dict[str, str]) -> None:
    assert _gridwatch("topics", "create", **own_servers).returncode == 0
    _, findings = _doctor(**own_servers, PARTITIONS="5")
    assert not findings["topics"]["ok"]
    assert "partition count is 6, should be 5" in findings["topics"]["message"]
    assert "GRIDWATCH_PARTITIONS" in findings["topics"]["remedy"]


def test_unreachable_servers_are_reported_within_30_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    code, findings = _doctor(
        BROKER="127.0.0.1:9", DATABASE_URL="postgresql://user:hunter2@127.0.0.1:9/x", DATADIR=str(tmp_path)
    )
    assert time.monotonic() - began < 30
    assert code == 1
    assert {check for check, finding in findings.items() if not finding["ok"]} == {
        "broker",
        "worker",
        "database",
        "sink",
    }
    for check in ("broker", "database"):
        assert "127.0.0.1:9" in findings[check]["message"]
        assert findings[check]["remedy"]
    assert "hunter2" not in json.dumps(findings)
