"""Requests that are made to exhaust the service: each is refused, in time, and memory stays flat."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from gridwatch.deployment.service import Service
from tests.integration.test_ingest.entrance import JSON, LINES, PATH, ask, reading, said, send
from tests.processes import Site

pytestmark = pytest.mark.integration

MOST_GROWTH = 40_000_000
START = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()


@pytest.fixture(scope="module")
def ingest(site: Site) -> Service:
    service = site.add("ingest", "attacked", ingest_body_timeout="2s").start().wait_until_ready()
    # What a usual load takes, once: compiled patterns, buffers, the producer.
    batch = [reading(f"WARM_{number}") for number in range(5000)]
    for _ in range(3):
        assert send(service, batch).status == 202
        assert send(service, [{**one, "voltage": "x"} for one in batch]).status == 400
    return service


@pytest.fixture(autouse=True)
def flat(ingest: Service) -> Iterator[None]:
    """Memory after a test is that of before, and whoever comes next is served."""
    process = psutil.Process(ingest.pid)
    before = process.memory_info().rss
    yield
    assert send(ingest, [reading("NEXT")]).status == 202
    assert process.memory_info().rss - before < MOST_GROWTH


def status_of(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


def test_a_body_of_50_megabytes_is_refused_and_never_kept(ingest: Service) -> None:
    for body in (b" " * 50_000_000, iter([b" " * 100_000] * 500)):
        answer = ask(ingest, body)
        assert (answer.status, answer.kind) == (413, "too-large")


@pytest.mark.parametrize("kind", [JSON, LINES], ids=["JSON", "lines"])
def test_a_gzip_bomb_is_unpacked_no_further_than_the_limit(ingest: Service, kind: dict[str, str]) -> None:
    bomb = gzip.compress(b" " * 1_000_000) * 1000  # 1 GB in 1 MB
    answer = ask(ingest, bomb, kind | {"Content-Encoding": "gzip"})
    assert (answer.status, answer.kind) == (413, "too-large")


def test_empty_gzip_members_without_end_are_refused(ingest: Service) -> None:
    answer = ask(ingest, gzip.compress(b"") * 200_000, JSON | {"Content-Encoding": "gzip"})
    assert (answer.status, answer.kind) == (400, "bad-body")


@pytest.mark.parametrize("open_", ["[", '{"a":', '{"readings":[', "[{},"])
def test_json_that_is_10000_deep_is_refused(ingest: Service, open_: str) -> None:
    for headers in (JSON, LINES):
        assert ask(ingest, (open_ * 10_000).encode(), headers).status == 400
        deep = json.dumps(reading("DEEP"))[:-1] + f',"x":{"[" * 10_000}{"]" * 10_000}}}'
        assert ask(ingest, deep.encode() if headers is LINES else f"[{deep}]".encode(), headers).status == 400


def test_a_reading_of_very_many_members_takes_no_time_to_look_through(ingest: Service) -> None:
    members = ",".join(f'"member{number}":{number}' for number in range(40_000))
    began = time.monotonic()
    for body in (f'[{{{members},"member1":1}}]', f'[{{{members},"text":"a :"}}]'):
        assert ask(ingest, body.encode()).status == 400
    assert time.monotonic() - began < 5


def test_a_body_that_does_not_end_is_waited_for_as_long_as_the_setting_says(ingest: Service) -> None:
    began = time.monotonic()
    answer = said(ingest, [START, b"Content-Length: 1000\r\n\r\n[{"])
    assert status_of(answer) == 408
    assert 1.9 < time.monotonic() - began < 8


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([START, b"X: y\r\n" * 101, b"\r\n"], id="many headers"),
        pytest.param([START, b"X: y\r\n" * 1_000_000], id="headers without end"),
        pytest.param([START, b"X: ", b"y" * 33_000, b"\r\n\r\n"], id="a long header"),
        pytest.param([START, b"X: ", b"y" * 50_000_000], id="a header without end"),
        pytest.param([b"POST /", b"y" * 50_000_000], id="an address without end"),
        pytest.param(
            [START, b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1_000_000],
            id="trailers without end",
        ),
        pytest.param(
            [START, b"Transfer-Encoding: chunked\r\n\r\n1;", b"y" * 50_000_000],
            id="a chunk extension without end",
        ),
    ],
)
def test_a_head_that_is_too_large_is_refused(ingest: Service, pieces: list[bytes]) -> None:
    began = time.monotonic()
    # Of one that is still being sent the answer may be lost: the connection is closed on what is unread.
    assert status_of(said(ingest, pieces)) in ((431,) if len(b"".join(pieces)) < 60_000 else (431, 0))
    assert time.monotonic() - began < 5


def test_a_usual_head_is_no_flood(ingest: Service) -> None:
    headers = JSON | {f"X-Trace-{number}": "y" * 200 for number in range(90)}
    for _ in range(3):
        assert send(ingest, [reading("HEADERS")], headers).status == 202


def test_heads_that_do_not_end_and_silent_connections_are_closed(ingest: Service) -> None:
    beginnings = [b"", b"\r\n", b"POST ", START, START + b"X: "]
    with ExitStack() as opened:
        connections = [
            opened.enter_context(socket.create_connection(("127.0.0.1", ingest.port), timeout=20))
            for _ in beginnings
        ]
        began = time.monotonic()
        for connection, beginning in zip(connections, beginnings, strict=True):
            connection.sendall(beginning)
        for _ in range(3):  # still sending, byte by byte
            time.sleep(1)
            connections[-1].sendall(b"y")
        answers = []
        for connection in connections:
            answers.append(b"")
            while more := connection.recv(65_536):
                answers[-1] += more
        assert 5 < time.monotonic() - began < 15
    assert [status_of(answer) for answer in answers] == [0, 0, 408, 408, 408]


def test_what_is_no_http_is_a_bad_request(ingest: Service) -> None:
    for text in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300, b"HELLO\r\n\r\n"):
        answer = said(ingest, [text])
        assert status_of(answer) == 400
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "problems/bad-request"


def test_two_lengths_of_one_body_are_refused(ingest: Service) -> None:
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert status_of(said(ingest, [START, both])) == 400
    assert status_of(said(ingest, [START, b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n[{}]"])) == 400


def test_an_offer_of_another_protocol_is_declined_and_the_batch_is_accepted(ingest: Service) -> None:
    """Java's client offers HTTP/2 with its first request."""
    body = json.dumps([reading("UPGRADE")]).encode()
    for offer in (b"h2c", b"websocket"):
        head = START + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + offer + b"\r\n"
        head += b"HTTP2-Settings: AAEAAEAAAAIAAAAA\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert status_of(said(ingest, [head, body])) == 202


def test_pipelined_requests_are_answered_one_after_the_other(ingest: Service) -> None:
    body = json.dumps([reading("PIPELINE")]).encode()
    one = START + b"Content-Length: %d\r\n" % len(body)
    last = one + b"Connection: close\r\n\r\n" + body
    answer = said(ingest, [(one + b"\r\n" + body) * 20, last])
    assert answer.count(b"HTTP/1.1 202") == 21
