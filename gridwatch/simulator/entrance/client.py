"""One connection to the service: a request at a time, given again until there is an answer to it.

What passes by itself is waited for, however long it takes: no connection, no answer in time, 408, 429, and
502, 503 and 504 of the service or what stands before it. `Retry-After` is followed; without it waits grow.
A connection that was kept and is gone by the next request is replaced at once: servers close those that are
idle. What does not pass by itself (a certificate, any other status) is the caller's.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from gzip import compress
from typing import Final, NamedTuple

from gridwatch import __version__
from gridwatch.backoff import BackOff
from gridwatch.errors import GridwatchError
from gridwatch.simulator.entrance.address import Address

TOO_MANY: Final = 429
_PASSING: Final = {408, TOO_MANY, 502, 503, 504}
#: Smaller bodies are not worth compressing.
_COMPRESSED_FROM: Final = 16_384
_BROKEN: Final = (OSError, http.client.HTTPException)


_BACK_OFF: Final = BackOff(first=0.5, most=15.0)


@dataclass(frozen=True)
class Patience:
    """How long a connection and an answer may take, and how long to wait before the next try (seconds).

    most: the longest `Retry-After` that is followed to its end.
    """

    connect: float = 10.0
    answer: float = 60.0
    back_off: BackOff = _BACK_OFF
    most: float = 300.0

    def delay(self, tries: int, asked: float | None) -> float:
        """The wait after so many failed tries, when the service asked for one or did not."""
        if asked is None:
            return self.back_off.delay(tries)
        return min(max(asked, self.back_off.first), self.most)


PATIENCE: Final = Patience()


class Reply(NamedTuple):
    """A whole answer; `location` and `retry_after` are headers, "" and None without them."""

    status: int
    body: bytes
    location: str = ""
    retry_after: float | None = None


class Client:
    """Sends bodies of JSON. `warn` is told once when the service is away, and once that it slows us down."""

    def __init__(
        self,
        address: Address,
        warn: Callable[[str], None],
        patience: Patience = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._warn = warn
        self._patience = patience
        self._sleep = sleep
        self._slowed = False
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"gridwatch-simulate/{__version__}",
        }
        if address.key is not None:
            self._headers["Authorization"] = f"Bearer {address.key}"
        self._connection: http.client.HTTPConnection
        if address.tls:
            self._connection = http.client.HTTPSConnection(
                address.host, address.port, timeout=patience.connect, context=ssl.create_default_context()
            )
        else:
            self._connection = http.client.HTTPConnection(
                address.host, address.port, timeout=patience.connect
            )

    def close(self) -> None:
        """Give up the connection."""
        self._connection.close()

    def post(self, body: bytes) -> Reply:
        """The service's answer to a body. GridwatchError when no connection to it could ever be trusted."""
        headers = dict(self._headers)
        if len(body) >= _COMPRESSED_FROM:
            body = compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        tries = 0
        away = False
        while True:
            kept = self._connection.sock is not None
            asked = None
            try:
                reply = self._once(body, headers)
            except _BROKEN as problem:
                self._connection.close()
                if kept and not isinstance(problem, TimeoutError):
                    continue
                status, why = 0, _in_words(problem)
            else:
                if reply.status not in _PASSING:
                    return reply
                status, asked = reply.status, reply.retry_after
                why = f"{status} {http.client.responses[status]}"
            if status == TOO_MANY:
                # Being slowed down is no outage: it may happen every second.
                if not self._slowed:
                    self._warn(f"waiting for {self._address.url}, now and then: {why}")
                self._slowed = True
            elif not away:
                self._warn(f"waiting for {self._address.url}: {why}")
                away = True
            tries += 1
            self._sleep(self._patience.delay(tries, asked))

    def _once(self, body: bytes, headers: dict[str, str]) -> Reply:
        connection = self._connection
        if connection.sock is None:
            self._connect()
        # Who refuses a request before its end may close: the answer is there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", self._address.path, body, headers)
        response = connection.getresponse()
        return Reply(
            response.status,
            response.read(),
            response.headers.get("Location", ""),
            _seconds(response.headers.get("Retry-After", "")),
        )

    def _connect(self) -> None:
        try:
            self._connection.connect()
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError):
            raise
        except ssl.SSLError as problem:
            raise GridwatchError(
                f"{self._address.url}: no secure connection: {_in_words(problem)}",
                "check the address; SSL_CERT_FILE names the certificates of an authority of your own",
            ) from problem
        self._connection.sock.settimeout(self._patience.answer)


def _in_words(problem: BaseException) -> str:
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return problem.verify_message
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return str(problem) or type(problem).__name__


def _seconds(text: str) -> float | None:
    """The seconds of a `Retry-After`; None for a date, which nobody sends here."""
    return float(text) if text.strip().isascii() and text.strip().isdigit() else None
