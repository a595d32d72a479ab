"""Errors of a request as a whole, and their answers: RFC 9457 (problem details for HTTP APIs).

Every kind is in KINDS once, with its status and its title; `type` is a relative reference, which
docs/ingest.md explains.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

CONTENT_TYPE: Final = "application/problem+json"
#: When to come again where nobody knows better, seconds.
RETRY_SECONDS: Final = 2


@dataclass(frozen=True)
class Kind:
    """A kind of error."""

    status: int
    title: str


KINDS: Final = {
    "bad-body": Kind(400, "The body has no readings"),
    "bad-request": Kind(400, "The request is not understood"),
    "no-key": Kind(401, "An API key is required"),
    "unknown-key": Kind(401, "The API key is not valid"),
    "forbidden": Kind(403, "The API key does not allow this"),
    "not-found": Kind(404, "There is nothing here"),
    "method": Kind(405, "The method is not allowed here"),
    "too-slow": Kind(408, "The body took too long"),
    "too-large": Kind(413, "The body is too large"),
    "media-type": Kind(415, "The content is not of a type that is read"),
    "too-many": Kind(429, "Too many readings"),
    "too-long": Kind(431, "The head of the request is too large"),
    "unavailable": Kind(503, "Readings cannot be accepted now"),
}


class Problem(Exception):
    """Ends a request with a problem.

    Args:
        kind: one of KINDS.
        detail: what is wrong, and the remedy.
        retry_after: seconds after which the same request may succeed.
        closes: whether the connection is of no further use: what is left of the body is not read.
    """

    def __init__(
        self, kind: str, detail: str, *, retry_after: int | None = None, closes: bool = False, code: str = ""
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.closes = closes
        self.code = code

    @property
    def status(self) -> int:
        """The status of the answer."""
        return KINDS[self.kind].status

    def response(self, request_id: str) -> Response:
        """The answer."""
        kind = KINDS[self.kind]
        content: dict[str, Any] = {
            "type": f"problems/{self.kind}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.code:
            content["code"] = self.code
        headers = {"X-Request-ID": request_id, "Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if kind.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="gridwatch"'
        if self.closes:
            headers["Connection"] = "close"
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        return Response(body, kind.status, headers, media_type=CONTENT_TYPE)
