"""The pages on Faust's web server: addresses, formats, errors.

Faust serves `/`, `/router/…` and `/table/…` itself. Our routes are there first, so `/` is ours, and so is
`/table/meters/<meter_id>/`, where Faust would try to write our bytes rows as JSON; the rest stays Faust's.
Every page is read-only and answers with and without the last slash.
"""

from __future__ import annotations

import http
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gridwatch.health import faust_pages
from gridwatch.health.pages import PATHS
from gridwatch.views import html
from gridwatch.views.pages import Pages
from gridwatch.views.queries import Problem, wants_json
from gridwatch.views.reply import JSON_ONLY, Handler, Reply, encode
from gridwatch.views.routing import Answer
from gridwatch.views.watch import Watch

logger = logging.getLogger(__name__)


def serve(app: Any, pages: Pages, watch: Watch) -> None:
    """Put every page on the application's web server."""
    me = watch.cluster

    def asset(content_type: str, text: str) -> Callable[..., Awaitable[Any]]:
        async def view(_view: Any, _request: Any) -> Any:
            """What pages load."""
            headers = html.HEADERS | {"Cache-Control": "max-age=300"}
            return web.Response(text=text, content_type=content_type, headers=headers)

        return view

    handlers: dict[str, Callable[..., Awaitable[Any]]] = {
        path: _view(path, handler, lambda: me.me) for path, handler in pages.routes().items()
    }
    handlers |= {path: asset(*content) for path, content in html.assets().items()}
    for path, handler in handlers.items():
        for address in {path, path.rstrip("/") or "/"}:
            app.page(address, name=f"gridwatch:{address}")(handler)
    # What people look at, too, is shown by our own pages.
    faust_pages.serve(app, pages.health, [path for path in PATHS if path not in handlers])


def _view(path: str, handler: Handler, worker: Callable[[], str]) -> Callable[..., Awaitable[Any]]:
    """A Faust view that answers in the format asked for, whatever happens."""

    async def view(_view: Any, request: Any, **parts: str) -> Any:
        as_json = False
        try:
            as_json = wants_json(request.query, request.headers.get("Accept", ""))
            return _response(await handler(request, **parts), as_json, path, worker())
        except Problem as problem:
            return _failure(problem, as_json, path, worker())
        except Exception as error:
            logger.exception("%s: %s", request.path, error)
            failed = Problem(500, f"this page failed ({type(error).__name__}); the log says more")
            return _failure(failed, as_json, path, worker())

    view.__doc__ = handler.__doc__
    return view


def _failure(problem: Problem, as_json: bool, path: str, worker: str) -> Any:
    phrase = http.HTTPStatus(problem.status).phrase
    data = {"error": phrase, "status": problem.status, "reasons": problem.reasons}
    reply = Reply(data, "problem.html", problem.status, {"phrase": phrase})
    return _response(reply, as_json, path, worker)


def _response(reply: Reply | Answer, as_json: bool, path: str, worker: str) -> Any:
    """A page as it goes out; what another worker answered goes out as it came."""
    if isinstance(reply, Answer):
        headers = html.HEADERS | {"Content-Type": reply.content_type}
        return web.Response(body=reply.body, status=reply.status, headers=headers)
    if as_json or reply.template == JSON_ONLY:
        body, kind = encode(reply.data), "application/json"
    else:
        page = html.render(reply.template, **{**reply.data, **reply.shown}, here=path, worker=worker)
        body, kind = page.encode("utf-8", "replace"), "text/html"
    return web.Response(
        body=body, status=reply.status, content_type=kind, charset="utf-8", headers=html.HEADERS
    )
