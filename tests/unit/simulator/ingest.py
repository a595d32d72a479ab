"""A server on loopback that follows the contract of `gridwatch ingest`, and misbehaves when it is told to."""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Act:
    """What is done with one request. Status 202 accepts what is not in `rejects`, and answers for it.

    cut: the answer ends in the middle. close: the connection ends after the answer, without a word of it.
    hold: seconds before the answer.
    """

    status: int = 202
    headers: tuple[tuple[str, str], ...] = ()
    body: object = None
    rejects: tuple[int, ...] = ()
    cut: bool = False
    close: bool = False
    hold: float = 0.0


@dataclass(frozen=True)
class Seen:
    """A request as it came, with the readings in it."""

    path: str
    headers: dict[str, str]
    raw: bytes
    readings: list[dict[str, Any]]


@dataclass
class Ingest:
    """The server: what it is told to do with the next requests, and what it has seen and accepted."""

    port: int = 0
    script: deque[Act] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sizes(self) -> list[int]:
        """Readings of each request."""
        return [len(one.readings) for one in self.seen]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ingest: Ingest

    def setup(self) -> None:
        super().setup()
        self.ingest.connections += 1

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        plain = gzip.decompress(raw) if self.headers["Content-Encoding"] == "gzip" else raw
        readings = json.loads(plain)
        ingest = self.ingest
        ingest.seen.append(Seen(self.path, dict(self.headers.items()), raw, readings))
        act = ingest.script.popleft() if ingest.script else Act()
        ingest.stopped.wait(act.hold)
        answer = act.body
        if act.status == 202:
            taken = [one for place, one in enumerate(readings) if place not in act.rejects]
            ingest.accepted += taken
            rejected = [{"index": place, "reasons": ["NEGATIVE_POWER", "TOO_OLD"]} for place in act.rejects]
            answer = answer or {"accepted": len(taken), "rejected": rejected, "request_id": "r"}
        body = json.dumps(answer).encode()
        self.send_response(act.status)
        for name, value in (*act.headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if act.cut else body)
        self.close_connection = act.cut or act.close


@contextmanager
def serving(ingest: Ingest) -> Iterator[Ingest]:
    """Serve on the port of `ingest`, a free one for 0."""
    handler = type("Handler", (_Handler,), {"ingest": ingest})
    with ThreadingHTTPServer(("127.0.0.1", ingest.port), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        ingest.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield ingest
        finally:
            ingest.stopped.set()
            server.shutdown()
            thread.join()
