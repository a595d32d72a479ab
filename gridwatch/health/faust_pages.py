"""Registers the health pages on the web server of a Faust application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from gridwatch.health.pages import PATHS, HealthPages


def serve(app: Any, pages: HealthPages, paths: Sequence[str] = PATHS) -> None:
    """Register the pages at `paths`, with and without a trailing slash."""
    for path in paths:
        for address in (path, path.rstrip("/")):
            app.page(address, name=f"health:{address}")(_view(pages, path))


def _view(pages: HealthPages, path: str) -> Callable[..., Awaitable[Any]]:
    async def view(_view: Any, request: Any) -> Any:
        """Health and metrics of the service."""
        page = await pages.answer(path, request.headers.get("Accept", ""))
        return web.Response(body=page.body, status=page.status, headers=page.headers)

    return view
