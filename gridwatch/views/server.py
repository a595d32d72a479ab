"""The pages on Faust's web server: addresses, formats, errors.

Faust serves `/`, `/router/…` and `/table/…` itself. Our routes are there first, so `/` is ours, and so is
`/table/meters/<meter_id>/`, where Faust would try to write our bytes rows as JSON; the rest stays Faust's.
Every page is read-only and answers with and without the last slash.
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
    """Put every page on the application's web server."""
    cluster = watch.cluster
    responses = Responses(render, lambda: cluster.me)
    handlers = {path: _view(responses, path, handler) for path, handler in pages.routes().items()}
    handlers |= {path: _asset(*content) for path, content in assets().items()}
    for path, handler in handlers.items():
        for address in {path, path.rstrip("/") or "/"}:
            app.page(address, name=f"gridwatch:{address}")(handler)
    # What people look at, too, is shown by our own pages.
    faust_pages.serve(app, pages.health, [path for path in PATHS if path not in handlers])


def _view(responses: Responses, path: str, handler: Handler) -> Callable[..., Awaitable[Any]]:
    async def view(_view: Any, request: Any, **parts: str) -> Any:
        return await responses.answer(path, handler, request, **parts)

    view.__doc__ = handler.__doc__
    return view


def _asset(content_type: str, text: str) -> Callable[..., Awaitable[Any]]:
    async def view(_view: Any, _request: Any) -> Any:
        """What pages load."""
        return asset(content_type, text)

    return view
