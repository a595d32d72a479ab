"""Limits of one connection: how large the head of a request may be, and how long each part of it may take.

uvicorn limits neither. A client that never ends its head, its trailers or its body, or never reads its
answer, would keep its connection, and some thousand of them keep everybody else out.

    connected ──► head ──► body ──► answer ──► head of the next request, …

Each part has its time; the next one begins where it ends. A request that is refused before its body was read
still has to send it in time. Between two requests uvicorn's own keep-alive time-out counts.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gridwatch.ingest.problems import Problem

_OFFER: Final = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)


@dataclass(frozen=True)
class Bounds:
    """Most bytes of a head or of trailers, most headers, and most seconds of each part."""

    head_bytes: int = 32_768
    headers: int = 100
    head: float = 10.0
    body: float = 20.0
    answer: float = 60.0


class Connection(HttpToolsProtocol):
    """A connection of uvicorn's within bounds."""

    bounds: ClassVar[Bounds]
    answered: ClassVar[Callable[[int], None]]
    """Is told the status of each answer that is given here."""

    _timer: asyncio.TimerHandle | None = None
    _receiving = False
    """Whether a request has begun, and its last byte is not there yet."""
    _in_head = False
    _loose = 0
    """Bytes since the last byte of a body: of a head, of trailers, of chunk extensions."""
    _problem: Problem | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.bounds.head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._loose += len(data)
        if self._in_head or not self._receiving:
            data = _without_offer(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._loose > self.bounds.head_bytes:
            self._refuse(self._too_long())
        elif self._timer is None:  # something that is no request
            self._wait(self.bounds.head)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving = self._in_head = True
        self._wait(self.bounds.head)

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers])
        if size > self.bounds.head_bytes or len(self.headers) > self.bounds.headers:
            self._problem = self._too_long()
            raise ValueError("the head is too large")  # ends the parser, which calls send_400_response
        self._in_head = False
        self._wait(self.bounds.body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose = 0
        self._receiving = False
        super().on_message_complete()
        self._wait(None if self.cycle.response_complete else self.bounds.answer)

    def on_response_complete(self) -> None:
        if not self._receiving:
            read = self.cycle.response_complete and not self.transport.get_write_buffer_size()
            self._wait(None if read else self.bounds.answer)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request in HTTP, or refused for its head."""
        self._refuse(self._problem or Problem("bad-request", msg))

    def _too_long(self) -> Problem:
        bounds = self.bounds
        most = f"at most {bounds.head_bytes:,} bytes and {bounds.headers} headers are read"
        return Problem("too-long", most)

    def _wait(self, seconds: float | None) -> None:
        """Give the next part so many seconds; None: no part is awaited."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # the client does not read: closing would wait until it does
        elif self._in_head:
            self._refuse(Problem("too-slow", f"the head was not there after {self.bounds.head:g} s"))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer in place of the application, unless it has begun to, and close the connection."""
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            response = problem.response(secrets.token_hex(16))
            head = [STATUS_LINE[response.status_code], b"connection: close\r\n"]
            head += [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
            self.transport.write(b"".join([*head, b"\r\n", bytes(response.body)]))
            type(self).answered(response.status_code)
        self.transport.close()


def _without_offer(data: bytes) -> bytes:
    """The beginning of a request without its offer of another protocol, which may be ignored.

    The parser would take the body for that protocol and drop it; Java's client offers HTTP/2 by default.
    """
    end = data.find(b"\r\n\r\n")
    found = _OFFER.search(data, 0, end if end >= 0 else len(data))
    return data if found is None else data[: found.start()] + b"\r\nX-Offer:" + data[found.end() :]


def limited(bounds: Bounds, answered: Callable[[int], None]) -> type[Connection]:
    """The class of connections within these bounds, for uvicorn's `http`."""
    members: Final[dict[str, Any]] = {"bounds": bounds, "answered": staticmethod(answered)}
    return type("Connection", (Connection,), members)
