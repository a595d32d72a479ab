"""The process: requests under way are answered before it ends, and what keeps it from starting is said."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.service import Service
from tests.integration.test_ingest.entrance import JSON, PATH, encoded, in_kafka, reading
from tests.processes import Site, gridwatch

pytestmark = pytest.mark.integration


def test_requests_under_way_are_answered_before_the_service_ends(site: Site) -> None:
    service = site.add("ingest", "ending").start().wait_until_ready()
    meters = [f"ENDING_{number}" for number in range(4)]
    answers: dict[str, bytes] = {}
    began = threading.Barrier(len(meters) + 1)

    def client(meter: str) -> None:
        body = encoded([reading(meter)])
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in JSON.items())
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
            connection.sendall(head.encode() + b"\r\n" + body[:10])
            time.sleep(0.3)  # until it is read
            began.wait()
            time.sleep(0.5)  # until the signal was received
            connection.sendall(body[10:])
            answers[meter] = connection.recv(65_536)

    threads = [threading.Thread(target=client, args=(meter,)) for meter in meters]
    for thread in threads:
        thread.start()
    began.wait()
    os.kill(service.process.pid, signal.SIGTERM)
    for thread in threads:
        thread.join()
    service.stop()
    assert {answer.split(b"\r\n")[0] for answer in answers.values()} == {b"HTTP/1.1 202 Accepted"}
    assert [len(records) for records in in_kafka(site.bootstrap, *meters).values()] == [1] * 4
    assert "Traceback" not in service.log.read_text()


def test_a_port_that_is_taken_is_said_with_the_remedy(site: Site, ingest: Service, tmp_path: Path) -> None:
    environment = environment_of({**site.common, "ingest_port": ingest.port})
    ended = gridwatch("ingest", env=environment, folder=tmp_path)
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{ingest.port}" in ended.stderr
    assert "--port" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_cannot_be_listened_on_is_said(site: Site, tmp_path: Path, host: str) -> None:
    ended = gridwatch("ingest", "--host", host, env=site.environment(ingest_port=1), folder=tmp_path)
    assert ended.returncode in (1, 2)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_code_zero_when_it_is_asked_to(site: Site, number: signal.Signals) -> None:
    service = site.add("ingest", f"asked{int(number)}").start().wait_until_ready()
    os.kill(service.process.pid, number)
    service_ends = time.monotonic() + 10
    while service.running:
        assert time.monotonic() < service_ends
        time.sleep(0.05)
    assert service.process.exit_code == 0
