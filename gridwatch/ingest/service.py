"""`gridwatch ingest`: the parts of the HTTP entrance put together, and its server.

One process, one event loop; several behind one address share the load, as each is without state.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI

from gridwatch.accounts import table
from gridwatch.accounts.keys import Key
from gridwatch.accounts.ring import KeyRing, KeysUnknownError
from gridwatch.clock import now_micros
from gridwatch.health.pages import HealthPages
from gridwatch.http.serving import serve
from gridwatch.ingest.api import Entrance, application
from gridwatch.ingest.connection import Bounds, limited
from gridwatch.ingest.health import IngestHealth
from gridwatch.ingest.intake import Intake
from gridwatch.ingest.limits import Limits
from gridwatch.ingest.problems import RETRY_SECONDS, Problem
from gridwatch.kafka.appending import RecordAppender
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.topics import flow
from sinks.database import connect

logger = logging.getLogger(__name__)

_OBSERVE_SECONDS = 2.0
#: Connections beyond these get 503 at once.
_MOST_CONNECTIONS = 2000
_STOP_SECONDS = 15
#: Time for an answer to be sent and read, beyond what a request may take.
_ANSWER_SECONDS = 10.0


class OpenDoor:
    """Nobody needs a key: the entrance listens on a loopback address."""

    async def caller(self, authorization: str) -> str:
        """Everybody is the same caller."""
        return "loopback"


class LockedDoor:
    """Whoever sends needs a key with the scope `ingest`."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def caller(self, authorization: str) -> str:
        """The id of the key. Problem without a valid one."""
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise Problem(
                "no-key", "send the header Authorization: Bearer gw_…; gridwatch keys create makes a key"
            )
        try:
            key = self._ring.find(text.strip())
        except KeysUnknownError as problem:
            raise Problem(
                "unavailable", f"the API keys cannot be read: {problem}", retry_after=RETRY_SECONDS
            ) from problem
        if key is None:
            raise Problem("unknown-key", "the key is unknown, expired or revoked: gridwatch keys list")
        if "ingest" not in key.scopes:
            raise Problem("forbidden", "the key lacks the scope ingest: create one that has it")
        return key.id


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False


def build(settings: Settings) -> tuple[FastAPI, Entrance]:
    """The application with everything that it starts and stops, and the entrance in it."""
    emitter = Emitter(settings, "gridwatch-ingest")
    requires_key = settings.ingest_require_key or not is_loopback(settings.ingest_host)
    ring = KeyRing(lambda: _keys(settings.database), now_micros) if requires_key else None
    entrance = Entrance(
        Intake(settings.policy()),
        RecordAppender(emitter),
        flow(settings.flow).raw.name,
        OpenDoor() if ring is None else LockedDoor(ring),
        Limits(settings.ingest_rate, time.monotonic),
        settings.ingest_ack_timeout.total_seconds(),
        settings.ingest_body_timeout.total_seconds(),
        settings.ingest_pending_bytes,
        time.monotonic,
    )
    health = IngestHealth(settings, entrance, ring)
    app = application(entrance, HealthPages(health))

    async def observe() -> None:
        while True:
            await health.observe()
            await asyncio.sleep(_OBSERVE_SECONDS)

    @contextlib.asynccontextmanager
    async def running(_app: Any) -> AsyncIterator[None]:
        loops = [observe()] if ring is None else [observe(), ring.keep_fresh()]
        tasks = [asyncio.ensure_future(one) for one in loops]
        try:
            yield
        finally:
            health.stopping = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await entrance.appender.stop()
            await emitter.stop()
            await health.close()

    app.router.lifespan_context = running
    return app, entrance


def _keys(database: str) -> Sequence[Key]:
    with connect(database) as connection:
        return table.every(connection)


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first."""
    app, entrance = build(settings)
    bounds = Bounds(
        body=entrance.body_timeout + _ANSWER_SECONDS, answer=entrance.ack_timeout + _ANSWER_SECONDS
    )
    config = uvicorn.Config(
        app,
        host=settings.ingest_host,
        port=settings.ingest_port,
        http=limited(bounds, entrance.counts.answer),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    serve(uvicorn.Server(config))
