"""Requests to the HTTP entrance, over plain sockets where a client is to misbehave."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant
from gridwatch.topics import RAW
from tests.records import read

PATH = "/telemetry/batch"
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True)
class Answer:
    """Status, headers with small letters, and the body as JSON; None if it is none."""

    status: int
    headers: Mapping[str, str]
    content: Any

    @property
    def kind(self) -> str:
        """The kind of the problem."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.content["status"] == self.status
        return str(self.content["type"]).removeprefix("problems/")


def reading(meter_id: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """A valid reading of today; each number has a time of its own."""
    time = now_micros() // 900_000_000 * 900_000_000 - number * 900_000_000
    return {"meter_id": meter_id, "timestamp": format_instant(time), "consumption_kwh": 0.25, **more}


def encoded(readings: Sequence[Any]) -> bytes:
    return json.dumps(readings).encode()


def ask(
    service: Service,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] = JSON,
    *,
    method: str = "POST",
    path: str = PATH,
    host: str = "127.0.0.1",
    seconds: float = 30,
) -> Answer:
    """One request over a connection of its own."""
    connection = HTTPConnection(host, service.port, timeout=seconds)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    try:
        return Answer(response.status, found, json.loads(content))
    except ValueError:
        return Answer(response.status, found, None)


def send(service: Service, readings: Sequence[Any], headers: Mapping[str, str] = JSON) -> Answer:
    """A batch."""
    return ask(service, encoded(readings), headers)


def said(service: Service, pieces: Iterable[bytes], seconds: float = 15) -> bytes:
    """What the service answers to these bytes, up to its closing the connection; b"" if it says nothing.

    TimeoutError when the connection stays open.
    """
    with socket.create_connection(("127.0.0.1", service.port), timeout=seconds) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # refused before it was all sent
        answer = b""
        try:
            while more := connection.recv(65_536):
                answer += more
        except ConnectionError:
            pass
    return answer


def in_kafka(bootstrap: str, *meters: str) -> dict[str, list[Any]]:
    """The records of the raw topic of each of these meters, by meter."""
    found: dict[str, list[Any]] = {meter: [] for meter in meters}
    for record in read(bootstrap, RAW.name):
        meter = (record.key() or b"").decode()
        if meter in found:
            found[meter].append(record)
    return found
