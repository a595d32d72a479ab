"""The health pages on the web server of a Faust application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from gridwatch.health.pages import PATHS, HealthPages


def serve(app: Any, pages: HealthPages, paths: Sequence[str] = PATHS) -> None:
    """Put the pages at `paths` on the application's web server, with and without the last slash."""
    for path in paths:
        for address in (path, path.rstrip("/")):
            app.page(address, name=f"health:{address}")(_view(pages, path))


def _view(pages: HealthPages, path: str) -> Callable[..., Awaitable[Any]]:
    async def view(_view: Any, request: Any) -> Any:
        """Whether the service is well, and what it counts."""
        page = await pages.answer(path, request.headers.get("Accept", ""))
        return web.Response(body=page.body, status=page.status, headers=page.headers)

    return view
