"""The health pages as routes of Starlette, for services with an ASGI server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gridwatch.health.pages import PATHS, HealthPages


def routes(pages: HealthPages, paths: Sequence[str] = PATHS) -> list[Route]:
    """The pages at `paths`, with and without a trailing slash."""
    return [Route(address, _view(pages, path)) for path in paths for address in (path, path.rstrip("/"))]


def _view(pages: HealthPages, path: str) -> Callable[[Request], Awaitable[Response]]:
    async def view(request: Request) -> Response:
        page = await pages.answer(path, request.headers.get("accept", ""))
        return Response(page.body, page.status, page.headers)

    return view
