"""`gridwatch up` as a process: it serves, keeps its state, and leaves nothing running however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from gridwatch.embedded.kafka import EmbeddedKafka
from gridwatch.embedded.mqtt import accepts_clients
from gridwatch.embedded.ports import free_ports

pytestmark = pytest.mark.integration

_START_SECONDS = 60.0
_END_SECONDS = 15.0


def descendants(pid: int) -> set[int]:
    """All processes that descend from this one."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parent_of = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = {pid}
    while more := {child for child, parent in parent_of.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Those of them that run; what has ended and merely waits to be collected does not."""
    listed = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    running = {int(pid) for pid, state in map(str.split, listed.splitlines()) if not state.startswith("Z")}
    return pids & running


def all_end(pids: set[int]) -> bool:
    deadline = time.monotonic() + _END_SECONDS
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not alive(pids)


@contextmanager
def up(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """A running `gridwatch up` and the settings it wrote; killed at the end if it still runs."""
    env_file = folder / "up.env"
    env_file.unlink(missing_ok=True)
    options = ["--data-dir", str(folder / "data"), "--env-file", str(env_file), *more]
    with subprocess.Popen([sys.executable, "-m", "gridwatch", "up", *options]) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not env_file.exists():
                assert process.poll() is None, "gridwatch up ended"
                assert time.monotonic() < deadline, "gridwatch up was not ready in time"
                time.sleep(0.05)
            lines = env_file.read_text().splitlines()
            yield process, dict(line.split("=", 1) for line in lines)
        finally:
            if process.poll() is None:
                process.kill()


def topics(settings: dict[str, str]) -> set[str]:
    return set(admin(settings).list_topics(timeout=10).topics)


def admin(settings: dict[str, str]) -> AdminClient:
    return AdminClient({"bootstrap.servers": settings["GRIDWATCH_BROKER"].removeprefix("kafka://")})


def select_one(settings: dict[str, str]) -> int:
    connection = psycopg2.connect(settings["GRIDWATCH_DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])
    finally:
        connection.close()


def test_up_keeps_its_state_and_leaves_nothing_running_however_it_ends(tmp_path: Path) -> None:
    with up(tmp_path) as (process, first):
        assert select_one(first) == 1
        client = admin(first)
        client.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
        servers = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(servers) >= 4  # two watchdogs, two servers, and PostgreSQL's own children
        # The next run does not wait for the killed one's servers to end: it must cope with them.

    with up(tmp_path) as (process, second):
        assert all_end(servers)
        assert second["GRIDWATCH_DATABASE_URL"].split("@")[0] == first["GRIDWATCH_DATABASE_URL"].split("@")[0]
        assert select_one(second) == 1
        assert "kept" in topics(second)
        servers = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(_END_SECONDS) == 0
        assert alive(servers) == set()

    with up(tmp_path) as (process, third):
        assert third == second
        assert "kept" in topics(third)
        servers = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(_END_SECONDS) == 0
        assert alive(servers) == set()


def test_up_fails_when_a_server_exits_by_itself(tmp_path: Path) -> None:
    with up(tmp_path) as (process, settings):
        postmaster = (tmp_path / "data" / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
        servers = descendants(process.pid)
        os.kill(int(postmaster), signal.SIGKILL)
        assert process.wait(_END_SECONDS) == 1
        assert all_end(servers)
        assert settings


def test_an_interrupt_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    options = ["--data-dir", str(tmp_path / "data")]
    with subprocess.Popen([sys.executable, "-m", "gridwatch", "up", *options]) as process:
        log = EmbeddedKafka(tmp_path / "data" / "kafka").log
        deadline = time.monotonic() + _START_SECONDS
        while not log.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        servers = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(_END_SECONDS) == 0
    assert servers
    assert all_end(servers)


def test_an_mqtt_broker_is_one_of_the_servers_where_it_is_wanted(tmp_path: Path) -> None:
    [wanted] = free_ports(1)
    with up(tmp_path, "--mqtt-port", str(wanted)) as (process, first):
        assert first["GRIDWATCH_MQTT_URL"] == f"mqtt://127.0.0.1:{wanted}"
        assert accepts_clients(wanted)
        servers = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert all_end(servers)

    with up(tmp_path, "--mqtt") as (process, second):
        assert second == first
        assert accepts_clients(wanted)
        servers = descendants(process.pid)
        listed = subprocess.run(["ps", "-wweo", "pid=,args="], capture_output=True, text=True, check=True)
        # The watchdog has the broker's command line after its own.
        [broker] = [
            int(pid)
            for pid, *words in map(str.split, listed.stdout.splitlines())
            if int(pid) in servers and "iotcore" in words and not any("watchdog" in word for word in words)
        ]
        os.kill(broker, signal.SIGKILL)
        assert process.wait(_END_SECONDS) == 1
        assert all_end(servers)
