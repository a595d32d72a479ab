"""Turns replies and problems into aiohttp responses, in the format that was requested.

The content security policy allows our own style sheet, script and icon, each a file of its own, and nothing
else: nothing inline runs, so that even a meter id that is HTML stays text.
"""

from __future__ import annotations

import http
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gridwatch.http.queries import wants_json
from gridwatch.http.reply import JSON_ONLY, Answer, Handler, Problem, Reply, encode

logger = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Responses:
    """Makes the responses of one server.

    Args:
        render: template and data → HTML.
        url: returns the server's own URL, which its pages show; called for every response.
    """

    render: Callable[..., str]
    url: Callable[[], str]

    async def answer(self, path: str, handler: Handler, request: Any, **parts: str) -> web.Response:
        """Call a handler and return its reply, or its error, in the requested format.

        Args:
            path: the route, which the navigation marks as the current one.
            parts: the variable parts of the path, passed to the handler.
        """
        as_json = False
        try:
            as_json = wants_json(request.query, request.headers.get("Accept", ""))
            return self._response(await handler(request, **parts), as_json, path)
        except Problem as problem:
            return self._failure(problem, as_json, path)
        except Exception as error:
            logger.exception("%s: %s", request.path, error)
            failed = Problem(500, f"this page failed ({type(error).__name__}); see the log")
            return self._failure(failed, as_json, path)

    def _failure(self, problem: Problem, as_json: bool, path: str) -> web.Response:
        phrase = http.HTTPStatus(problem.status).phrase
        data = {"error": phrase, "status": problem.status, "reasons": problem.reasons}
        reply = Reply(data, "problem.html", problem.status, {"phrase": phrase})
        return self._response(reply, as_json, path)

    def _response(self, reply: Reply | Answer, as_json: bool, path: str) -> web.Response:
        """Encode a reply; forward another server's response unchanged."""
        if isinstance(reply, Answer):
            headers = HEADERS | {"Content-Type": reply.content_type}
            return web.Response(body=reply.body, status=reply.status, headers=headers)
        if as_json or reply.template == JSON_ONLY:
            body, kind = encode(reply.data), "application/json"
        else:
            page = self.render(reply.template, **{**reply.data, **reply.shown}, here=path, own_url=self.url())
            body, kind = page.encode("utf-8", "replace"), "text/html"
        return web.Response(
            body=body, status=reply.status, content_type=kind, charset="utf-8", headers=HEADERS
        )


def asset(content_type: str, text: str) -> web.Response:
    """An asset, cached by browsers for five minutes."""
    headers = HEADERS | {"Cache-Control": "max-age=300"}
    return web.Response(text=text, content_type=content_type, headers=headers)
