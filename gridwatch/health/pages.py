"""`/live/`, `/ready/` and `/metrics/` of any service, whatever its web framework.

A service implements `Health`; `HealthPages` builds status, body and content type from it, and an adapter
passes those to the web framework. Faust's is `faust_pages.py`; one for another framework is as short:

    pages = HealthPages(health)
    for path in PATHS:
        @app.get(path)
        async def page(request, path=path):
            found = await pages.answer(path, request.headers.get("accept", ""))
            return Response(found.body, found.status, headers=found.headers)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gridwatch.health.exposition import Samples, exposition

PATHS: Final = ("/live/", "/ready/", "/metrics/")


class Health(Protocol):
    """What a service reports about itself."""

    def ending(self) -> Sequence[str]:
        """Why the service is stopping; empty if it is not."""

    async def reasons(self) -> Sequence[str]:
        """Why the service is not ready; empty if it is."""

    def warnings(self) -> Sequence[str]:
        """Problems that leave the service ready."""

    async def samples(self) -> Samples:
        """The current value of every metric."""


@dataclass(frozen=True)
class Page:
    """A response: status, body, content type."""

    status: int
    body: bytes
    content_type: str

    @property
    def headers(self) -> dict[str, str]:
        """Its headers; it must not be cached."""
        return {"Content-Type": self.content_type, "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Verdict:
    """Whether a service is live, or ready, with the reasons if not."""

    word: str
    reasons: Sequence[str]
    warnings: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether it is live, or ready."""
        return not self.reasons

    @property
    def status(self) -> int:
        """The status code of the page."""
        return 200 if self.good else 503

    @property
    def data(self) -> dict[str, Any]:
        """The JSON of the page."""
        return {self.word: self.good, "reasons": list(self.reasons), "warnings": list(self.warnings)}


class HealthPages:
    """The three pages of a service."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def is_live(self) -> Verdict:
        """Live while the event loop answers and the service is not stopping."""
        return Verdict("live", self._health.ending())

    async def is_ready(self) -> Verdict:
        """Ready if records that arrive now are processed."""
        return Verdict("ready", await self._health.reasons(), self._health.warnings())

    async def live(self) -> Page:
        """200, or 503 with the reasons for stopping."""
        return _json(await self.is_live())

    async def ready(self) -> Page:
        """200, or 503 with the reasons for not being ready."""
        return _json(await self.is_ready())

    async def metrics(self, accept: str = "") -> Page:
        """The metrics, in the format that the header `Accept` asks for."""
        return Page(200, *exposition(await self._health.samples(), accept))

    async def answer(self, path: str, accept: str = "") -> Page:
        """The page at one of PATHS, with or without a trailing slash; 404 for any other path."""
        name = path.strip("/")
        if name == "metrics":
            return await self.metrics(accept)
        if name == "live":
            return await self.live()
        if name == "ready":
            return await self.ready()
        return Page(404, b"", "text/plain; charset=utf-8")


def _json(verdict: Verdict) -> Page:
    body = json.dumps(verdict.data, ensure_ascii=False).encode("utf-8", "replace")
    return Page(verdict.status, body, "application/json; charset=utf-8")
