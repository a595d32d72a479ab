"""`/live/`, `/ready/`, `/metrics/`: the same of every service, in a few lines for any web framework."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, web

from gridwatch.embedded.ports import free_ports
from gridwatch.health import faust_pages
from gridwatch.health.exposition import Samples
from gridwatch.health.metrics import SINK
from gridwatch.health.pages import PATHS, HealthPages

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class Service:
    """A service that says what it was told to."""

    def __init__(self, ending: Sequence[str] = (), reasons: Sequence[str] = ()) -> None:
        self._ending, self._reasons = ending, reasons

    def ending(self) -> Sequence[str]:
        return self._ending

    async def reasons(self) -> Sequence[str]:
        return self._reasons

    def warnings(self) -> Sequence[str]:
        return ["not here"]

    async def samples(self) -> Samples:
        samples = Samples(SINK)
        samples.put("ready", not self._reasons)
        return samples


def test_a_service_that_is_well_is_live_and_ready() -> None:
    pages = HealthPages(Service())
    live, ready = asyncio.run(pages.live()), asyncio.run(pages.ready())
    assert (live.status, json.loads(live.body)) == (200, {"live": True, "reasons": [], "warnings": []})
    assert (ready.status, json.loads(ready.body)) == (
        200,
        {"ready": True, "reasons": [], "warnings": ["not here"]},
    )
    assert ready.content_type == "application/json; charset=utf-8"


def test_a_service_that_is_not_says_why() -> None:
    pages = HealthPages(Service(["it is stopping"], ["no broker", "no database"]))
    live, ready = asyncio.run(pages.live()), asyncio.run(pages.ready())
    assert (live.status, json.loads(live.body)["reasons"]) == (503, ["it is stopping"])
    assert (ready.status, json.loads(ready.body)["reasons"]) == (503, ["no broker", "no database"])
    assert json.loads(ready.body)["ready"] is False


@pytest.mark.parametrize(
    ("accept", "content_type"), [("", "text/plain"), (OPEN_METRICS, "application/openmetrics-text")]
)
def test_metrics_come_in_the_form_that_is_asked_for(accept: str, content_type: str) -> None:
    page = asyncio.run(HealthPages(Service()).metrics(accept))
    assert page.status == 200
    assert page.content_type.startswith(content_type)
    assert b"gridwatch_sink_ready 1.0" in page.body


@pytest.mark.parametrize("path", ["/ready/more/", "/", "/readyness/"])
def test_there_are_no_other_pages(path: str) -> None:
    assert asyncio.run(HealthPages(Service()).answer(path)).status == 404


def add_to_aiohttp(app: web.Application, pages: HealthPages) -> None:
    """What it takes to have the pages on another framework."""

    async def page(request: web.Request) -> web.Response:
        found = await pages.answer(request.path, request.headers.get("Accept", ""))
        return web.Response(body=found.body, status=found.status, headers=found.headers)

    app.add_routes([web.get(path, page) for path in PATHS])


async def served(app: web.Application, paths: Sequence[str], accept: str) -> list[tuple[int, str, str]]:
    """Status, content type and cache control of some pages of a served application."""
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_ports(1)[0]
    await web.TCPSite(runner, "127.0.0.1", port).start()
    found = []
    try:
        async with ClientSession(headers={"Accept": accept}) as session:
            for path in paths:
                async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                    found.append((answer.status, answer.content_type, answer.headers["Cache-Control"]))
    finally:
        await runner.cleanup()
    return found


def test_another_framework_has_the_pages_in_a_few_lines() -> None:
    app = web.Application()
    add_to_aiohttp(app, HealthPages(Service(reasons=["no broker"])))
    assert asyncio.run(served(app, PATHS, OPEN_METRICS)) == [
        (200, "application/json", "no-store"),
        (503, "application/json", "no-store"),
        (200, "application/openmetrics-text", "no-store"),
    ]


class Faust:
    """Keeps the views that it is given, by address."""

    def __init__(self) -> None:
        self.views: dict[str, Any] = {}
        self.names: list[str] = []

    def page(self, path: str, *, name: str) -> Any:
        self.names.append(name)
        return lambda view: self.views.setdefault(path, view)


def test_fausts_web_server_has_each_page_with_and_without_the_last_slash() -> None:
    app = Faust()
    faust_pages.serve(app, HealthPages(Service(reasons=["no broker"])))
    assert set(app.views) == {*PATHS, *(path.rstrip("/") for path in PATHS)}
    assert len(set(app.names)) == len(app.names)

    def get(path: str, accept: str = "") -> Any:
        return asyncio.run(app.views[path](None, SimpleNamespace(headers={"Accept": accept})))

    assert [get(path).status for path in PATHS] == [200, 503, 200]
    assert get("/ready").body == get("/ready/").body
    assert get("/metrics/", OPEN_METRICS).content_type == "application/openmetrics-text"


def test_fausts_web_server_gets_those_pages_only_that_it_is_to_have() -> None:
    app = Faust()
    faust_pages.serve(app, HealthPages(Service()), ["/metrics/"])
    assert set(app.views) == {"/metrics/", "/metrics"}


def test_a_service_without_faust_has_the_pages_and_the_metrics_without_it() -> None:
    loaded = "import sys, gridwatch.health.pages; print('faust' in sys.modules, 'aiokafka' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == ["False", "False"]


def test_the_checks_do_not_need_faust_either() -> None:
    loaded = "import sys, gridwatch.health.checks; print('faust' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "False"
