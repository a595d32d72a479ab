"""What happens to a request: who is it, what did it bring, what of it is a reading, is it in Kafka."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gridwatch import __version__
from gridwatch.clock import now_micros
from gridwatch.health.asgi_pages import routes
from gridwatch.health.pages import HealthPages
from gridwatch.ingest import openapi
from gridwatch.ingest.body import Memory, is_lines, read_body
from gridwatch.ingest.elements import TooMany, Unreadable, elements_of
from gridwatch.ingest.intake import Batch, Intake, Profile
from gridwatch.ingest.limits import Limits
from gridwatch.ingest.problems import RETRY_SECONDS, Problem
from gridwatch.kafka.appending import RecordAppender

PATH: Final = "/telemetry/batch"
#: Kafka counts as away once an ack has been awaited for so long, seconds.
AWAY_SECONDS: Final = 3.0

_ID: Final = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_PROFILES: Final[dict[str, Profile]] = {"contract": "contract", "telemetry": "telemetry"}
_encode: Final = msgspec.json.Encoder().encode


class Doorkeeper(Protocol):
    """Decides who may send."""

    async def caller(self, authorization: str) -> str:
        """The caller's name for limits, by the header `Authorization`. Problem when it may not send."""


@dataclass
class Counts:
    """What happened since the start."""

    answers: Counter[int] = field(default_factory=Counter)
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    received_bytes: int = 0
    seconds: float = 0.0

    def answer(self, status: int) -> None:
        """Count an answer."""
        self.answers[status] += 1


@dataclass
class Entrance:
    """Everything that a request needs."""

    intake: Intake
    appender: RecordAppender
    topic: str
    doorkeeper: Doorkeeper
    limits: Limits
    ack_timeout: float
    body_timeout: float
    pending_bytes: int
    clock: Callable[[], float]
    counts: Counts = field(default_factory=Counts)
    memory: Memory = field(default_factory=Memory)
    #: Why nothing can be accepted yet; empty once the raw topic was found as it has to be.
    closed: str = "the raw topic has not been looked up yet"

    async def batch(self, request: Request, request_id: str) -> Response:
        """Accept a batch. Problem when nothing of it can be."""
        profile = _profile(request)
        caller = await self.doorkeeper.caller(request.headers.get("authorization", ""))
        lines = is_lines(request.headers.get("content-type", ""))
        self._require_room()
        with self.memory.share() as share:
            body = await read_body(request.headers, request.stream(), self.body_timeout, share)
            self.counts.received_bytes += len(body)
            batch = self._admit(body, caller, profile, lines=lines)
            await self._append(batch)
        self.counts.accepted += batch.accepted
        self.counts.rejected.update(one.refusal.reasons[0] for one in batch.rejected)
        return _answer(batch, request_id)

    def _admit(self, body: bytes, caller: str, profile: Profile, *, lines: bool) -> Batch:
        """Validate what is in a body. Problem when it cannot be read, or is too much."""
        try:
            elements = elements_of(body, lines=lines)
        except Unreadable as problem:
            raise Problem("bad-body", problem.message, code=problem.reason) from problem
        except TooMany as problem:
            raise Problem("too-large", str(problem)) from problem
        seconds = self.limits.wait(caller, len(elements.items))
        if seconds:
            raise Problem("too-many", f"the limit is reached: come again in {seconds} s", retry_after=seconds)
        return self.intake.admit(elements, now_micros(), profile)

    def _require_room(self) -> None:
        """Problem while Kafka is away, or readings wait that fill the memory granted to them."""
        appender = self.appender
        if self.closed:
            raise _unavailable(self.closed)
        if appender.waited > AWAY_SECONDS:
            raise _unavailable("Kafka does not acknowledge")
        if appender.pending_bytes > self.pending_bytes:
            raise _unavailable("Kafka is slower than what comes in")

    async def _append(self, batch: Batch) -> None:
        append = self.appender.append
        acks = {append(self.topic, partition, rows) for partition, rows in batch.rows.items()}
        if acks:
            done, missing = await asyncio.wait(acks, timeout=self.ack_timeout)
            for ack in done:
                ack.result()
            if missing:
                raise _unavailable(f"Kafka did not acknowledge within {self.ack_timeout:g} s")


def application(entrance: Entrance, pages: HealthPages) -> FastAPI:
    """The application: the entrance, the health pages, the description."""
    app = FastAPI(
        title="gridwatch ingest",
        summary=openapi.SUMMARY,
        description=openapi.DESCRIPTION,
        version=__version__,
        docs_url=None,
        redoc_url=None,
    )
    counts = entrance.counts

    @app.post(PATH, openapi_extra=openapi.BATCH, response_model=None, responses={})
    async def send_batch(request: Request) -> Response:
        """Accept a batch of readings."""
        request_id, started = _request_id(request), entrance.clock()
        try:
            response = await entrance.batch(request, request_id)
        except Problem as problem:
            response = problem.response(request_id)
        except ClientDisconnect:
            response = Problem("bad-request", "the client went away").response(request_id)
        counts.answer(response.status_code)
        counts.seconds += entrance.clock() - started
        return response

    app.router.routes.extend(routes(pages))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        kind = "method" if error.status_code == 405 else "not-found"
        where = f"{request.method} {request.url.path}"[:200]
        response = Problem(kind, f"{where}: readings are sent by POST to {PATH}").response(
            _request_id(request)
        )
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        counts.answer(response.status_code)
        return response

    make = app.openapi

    def described() -> dict[str, Any]:
        described = make()
        described["paths"][PATH]["post"] = openapi.BATCH
        described["components"] = {"schemas": openapi.SCHEMAS, "securitySchemes": openapi.SECURITY}
        return described

    app.openapi = described  # type: ignore[method-assign]
    return app


def _request_id(request: Request) -> str:
    """The id that the client gave, or one of our own."""
    given = request.headers.get("x-request-id", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(16)


def _profile(request: Request) -> Profile:
    given = request.query_params.get("profile", "contract")
    if given not in _PROFILES:
        raise Problem("bad-request", f"profile is one of {', '.join(_PROFILES)}, not {given[:40]!r}")
    return _PROFILES[given]


def _unavailable(why: str) -> Problem:
    again = f"{why}: send the same batch again; readings that got through are recognised"
    return Problem("unavailable", again, retry_after=RETRY_SECONDS)


def _answer(batch: Batch, request_id: str) -> Response:
    rejected = [
        {
            "index": one.index,
            "reasons": one.refusal.reasons,
            "message": one.refusal.message,
            "field": one.refusal.field,
        }
        for one in batch.rejected
    ]
    body = _encode({"accepted": batch.accepted, "rejected": rejected, "request_id": request_id})
    headers = {"X-Request-ID": request_id, "Cache-Control": "no-store"}
    return Response(body, 202 if batch.accepted else 400, headers, media_type="application/json")
