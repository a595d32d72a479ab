"""A connection within its bounds: each part of a request has its time, and a head its size."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import uvicorn

from gridwatch.ingest.connection import Bounds, limited

BOUNDS = Bounds(head_bytes=2000, headers=20, head=0.3, body=0.8, answer=1.0)
LARGE = 30_000_000
answers: list[int] = []


async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Reads the body and answers with its length; `/early` before it, `/large` with more than is read."""
    size, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message.get("more_body", False)
    body = b" " * LARGE if scope["path"] == "/large" else b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(
        app, port=0, http=limited(BOUNDS, answers.append), ws="none", lifespan="off", log_config=None,
        timeout_keep_alive=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    answers.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def request(path: str = "/", body: bytes = b"", length: int | None = None, head: bytes = b"") -> bytes:
    size = len(body) if length is None else length
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (
        path.encode(),
        head,
        size,
        body,
    )


def rest(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    found = b""
    try:
        while more := connection.recv(1_000_000):
            found += more
    except ConnectionError:
        pass
    return found


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower() and b"application/problem+json" in head
    found: dict[str, Any] = json.loads(body)
    assert found["status"] == int(head.split()[1])
    return found


def test_a_silent_connection_is_closed_without_a_word(connection: socket.socket) -> None:
    began = time.monotonic()
    assert rest(connection) == b""
    assert time.monotonic() - began >= 0.25
    assert answers == []


@pytest.mark.parametrize("noise", [b"\r\n", b"\r\n" * 50])
def test_empty_lines_are_no_request_and_do_not_keep_a_connection(
    connection: socket.socket, noise: bytes
) -> None:
    connection.sendall(request())
    assert connection.recv(10_000).endswith(b"0")
    connection.sendall(noise)
    began = time.monotonic()
    assert rest(connection) == b""
    assert time.monotonic() - began < 1.5, "the time of a head, not that of an idle connection"


def test_a_head_that_is_not_there_in_time_is_answered(connection: socket.socket) -> None:
    began = time.monotonic()
    connection.sendall(b"POST / HTTP/1.1\r\n")
    time.sleep(0.15)
    connection.sendall(b"Host: x\r\n")  # which does not begin the time anew
    assert problem(rest(connection))["type"] == "problems/too-slow"
    assert 0.25 <= time.monotonic() - began < 5
    assert answers == [408]


def test_the_second_head_of_a_connection_has_its_time_too(connection: socket.socket) -> None:
    for _ in range(2):
        connection.sendall(request(body=b"abc"))
        assert connection.recv(10_000).endswith(b"3")
    connection.sendall(b"P")
    assert problem(rest(connection))["status"] == 408


def test_a_body_may_take_longer_than_a_head_but_not_for_ever(connection: socket.socket) -> None:
    connection.sendall(request(body=b"abc", length=4))
    time.sleep(0.5)
    connection.sendall(b"d")
    assert connection.recv(10_000).endswith(b"4")
    began = time.monotonic()
    connection.sendall(request(body=b"abc", length=4))
    assert rest(connection) == b""
    assert 0.7 <= time.monotonic() - began < 5


def test_a_request_that_was_answered_early_has_to_end_in_time_too(connection: socket.socket) -> None:
    connection.sendall(request("/early", b"abc", 1000))
    assert connection.recv(10_000).endswith(b"0")
    connection.sendall(b"x")
    began = time.monotonic()
    assert rest(connection) == b""
    assert time.monotonic() - began < 1.8, "sooner than an idle connection"


def test_a_connection_is_used_again_after_an_early_answer(connection: socket.socket) -> None:
    connection.sendall(request("/early", b"abc", 1000))
    assert connection.recv(10_000).endswith(b"0")
    connection.sendall(b"x" * 997 + request(body=b"12"))
    assert connection.recv(10_000).endswith(b"2")


def test_a_client_that_does_not_read_its_answer_loses_it(connection: socket.socket) -> None:
    connection.sendall(request("/large"))
    time.sleep(BOUNDS.answer + 0.5)
    assert len(rest(connection)) < LARGE


@pytest.mark.parametrize(
    "head",
    [b"X: %s\r\n" % (b"y" * 2000), b"X: y\r\n" * 19, b"X: yyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 70],
    ids=["long", "many", "both"],
)
def test_a_head_that_is_too_large_is_answered(connection: socket.socket, head: bytes) -> None:
    connection.sendall(request(head=head))
    assert problem(rest(connection))["type"] == "problems/too-long"
    assert answers == [431]


def test_an_address_is_part_of_the_head(connection: socket.socket) -> None:
    connection.sendall(request("/" + "x" * 2000))
    assert problem(rest(connection))["status"] == 431


def test_a_head_within_the_bounds_is_read_however_often(connection: socket.socket) -> None:
    for _ in range(5):
        connection.sendall(request(body=b"x" * 5000, head=b"X: %s\r\n" % (b"y" * 1800)))
        assert connection.recv(10_000).endswith(b"5000")
        connection.sendall(request(head=b"X: y\r\n" * 18))
        assert connection.recv(10_000).endswith(b"0")


@pytest.mark.parametrize("extra", [b"0\r\n" + b"X: y\r\n" * 500, b"1;" + b"x" * 3000])
def test_trailers_and_extensions_of_chunks_are_bounded_too(connection: socket.socket, extra: bytes) -> None:
    connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + extra)
    assert problem(rest(connection))["status"] == 431


def test_pipelined_requests_are_answered_in_their_order(connection: socket.socket) -> None:
    connection.sendall(b"".join(request(body=b"x" * size) for size in range(30)))
    found = b""
    while not found.endswith(b"\r\n\r\n29"):
        found += connection.recv(100_000)
    sizes = [int(part.split(b"HTTP")[0]) for part in found.split(b"\r\n\r\n")[1:]]
    assert sizes == list(range(30))


def test_what_is_no_http_is_answered_with_a_problem(connection: socket.socket) -> None:
    connection.sendall(b"\x16\x03\x01\r\n\r\n")
    assert problem(rest(connection))["type"] == "problems/bad-request"
    assert answers == [400]


@pytest.mark.parametrize("offer", [b"h2c", b"websocket"])
def test_an_offer_of_another_protocol_is_declined(connection: socket.socket, offer: bytes) -> None:
    """Java's client offers HTTP/2 with its first request, and uses the connection again."""
    head = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAEAAEAA\r\n" % offer
    connection.sendall(request(body=b"abc", head=head))
    answer = connection.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"3")
    connection.sendall(request(body=b"abcd"))
    assert connection.recv(10_000).endswith(b"4")
