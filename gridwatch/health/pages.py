"""`/live/`, `/ready/` and `/metrics/` of any service, whatever its web framework.

A service gives an object with what `Health` asks for; `HealthPages` makes status, body and content type of
it, and a framework's adapter hands those on. Faust's is `faust_pages.py`; that of another one is as short:

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
    """What a service knows of itself."""

    def ending(self) -> Sequence[str]:
        """Why the service will not live on; empty when it will."""

    async def reasons(self) -> Sequence[str]:
        """Why the service is not ready; empty when it is."""

    def warnings(self) -> Sequence[str]:
        """What is wrong and makes the service no less ready."""

    async def samples(self) -> Samples:
        """Every metric's value now."""


@dataclass(frozen=True)
class Page:
    """A page as it goes out."""

    status: int
    body: bytes
    content_type: str

    @property
    def headers(self) -> dict[str, str]:
        """What goes out with it: it holds for this moment alone."""
        return {"Content-Type": self.content_type, "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Verdict:
    """Whether a service is live, or ready, and if not, why not."""

    word: str
    reasons: Sequence[str]
    warnings: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether it is."""
        return not self.reasons

    @property
    def status(self) -> int:
        """Of the page."""
        return 200 if self.good else 503

    @property
    def data(self) -> dict[str, Any]:
        """What the page says, as JSON has it."""
        return {self.word: self.good, "reasons": list(self.reasons), "warnings": list(self.warnings)}


class HealthPages:
    """The three pages of a service."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def is_live(self) -> Verdict:
        """Live while the event loop answers and the service means to go on."""
        return Verdict("live", self._health.ending())

    async def is_ready(self) -> Verdict:
        """Ready when what arrives now is worked on."""
        return Verdict("ready", await self._health.reasons(), self._health.warnings())

    async def live(self) -> Page:
        """200, or 503 and why the service is ending."""
        return _json(await self.is_live())

    async def ready(self) -> Page:
        """200, or 503 and why the service is not ready."""
        return _json(await self.is_ready())

    async def metrics(self, accept: str = "") -> Page:
        """What Prometheus reads, in the form that the header `Accept` asks for."""
        return Page(200, *exposition(await self._health.samples(), accept))

    async def answer(self, path: str, accept: str = "") -> Page:
        """The page at one of PATHS, with or without its last slash; 404 at any other."""
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
