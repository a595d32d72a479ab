"""Registers the pages on Faust's web server.

Faust serves `/`, `/router/…` and `/table/…` itself. Routes registered first win, so `/` is gridwatch's, and
so is `/table/meters/<meter_id>/`, where Faust cannot encode rows that are bytes; the rest stays Faust's.
Every page is read-only and answers with and without a trailing slash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gridwatch.health import faust_pages
from gridwatch.health.pages import PATHS
from gridwatch.http.assets import assets
from gridwatch.http.reply import Handler
from gridwatch.http.responses import Responses, asset
from gridwatch.views.pages import Pages
from gridwatch.views.rendering import render
from gridwatch.views.watch import Watch


def serve(app: Any, pages: Pages, watch: Watch) -> None:
    """Register every page and asset on the application's web server."""
    cluster = watch.cluster
    responses = Responses(render, lambda: cluster.own_url)
    handlers = {path: _view(responses, path, handler) for path, handler in pages.routes().items()}
    handlers |= {path: _asset(*content) for path, content in assets().items()}
    for path, handler in handlers.items():
        for address in {path, path.rstrip("/") or "/"}:
            app.page(address, name=f"gridwatch:{address}")(handler)
    # `/live/` and `/ready/` have HTML pages above; `/metrics/` is left.
    faust_pages.serve(app, pages.health, [path for path in PATHS if path not in handlers])


def _view(responses: Responses, path: str, handler: Handler) -> Callable[..., Awaitable[Any]]:
    async def view(_view: Any, request: Any, **parts: str) -> Any:
        return await responses.answer(path, handler, request, **parts)

    view.__doc__ = handler.__doc__
    return view


def _asset(content_type: str, text: str) -> Callable[..., Awaitable[Any]]:
    async def view(_view: Any, _request: Any) -> Any:
        """An asset of the pages."""
        return asset(content_type, text)

    return view
