"""Checks of the worker and the sink, by their own pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.http.client import fetch_json
from gridwatch.settings import Settings

WORKER, PARTITIONS, SINK = "worker", "partitions", "sink"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  reachable on loopback


def pages_url(settings: Settings, port: int) -> str:
    """The URL of a service's pages, by its settings."""
    return f"http://{_EVERYWHERE.get(settings.web_host, settings.web_host)}:{port}"


def check_worker(settings: Settings) -> list[Finding]:
    """Check readiness, and the owner, watermark and lag of every partition."""
    url = settings.web_advertised_url.rstrip("/") or pages_url(settings, settings.web_port)
    readiness = _readiness(WORKER, url, "gridwatch worker", "GRIDWATCH_WEB_HOST and GRIDWATCH_WEB_PORT")
    if "reasons" not in readiness.details:
        return [readiness]
    try:
        _, page = fetch_json(f"{url}/partitions/?format=json")
        partitions, incomplete = page["partitions"], page.get("incomplete", [])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        return [
            readiness,
            wrong(PARTITIONS, f"{url}/partitions/ cannot be read: {problem!r}", "see the worker's log"),
        ]
    return [readiness, check_partitions(partitions, settings.partitions, incomplete)]


def check_partitions(
    partitions: list[dict[str, Any]], expected: int, incomplete: Sequence[str] = ()
) -> Finding:
    """Check that every partition has an owner that answers; the details are the page's own rows."""
    owned = {row["partition"] for row in partitions if row.get("owner")}
    orphans = sorted(set(range(expected)) - owned)
    details = {"partitions": partitions}
    if orphans:
        names = ", ".join(map(str, orphans))
        return wrong(
            PARTITIONS, f"no worker owns partition {names}", "start a worker: gridwatch worker", **details
        )
    if incomplete:
        return wrong(
            PARTITIONS,
            "; ".join(incomplete),
            "start that worker again; if it stays away, the others take over within half a minute",
            **details,
        )
    return good(PARTITIONS, f"{len(owned)} partitions, each with an owner", **details)


def check_sink(settings: Settings) -> list[Finding]:
    """Check the readiness of the sink."""
    url = pages_url(settings, settings.sink_web_port)
    return [_readiness(SINK, url, "gridwatch sink", "GRIDWATCH_WEB_HOST and GRIDWATCH_SINK_WEB_PORT")]


def _readiness(check: str, url: str, command: str, keys: str) -> Finding:
    try:
        status, answer = fetch_json(f"{url}/ready/?format=json")
        reasons = [str(reason) for reason in answer.get("reasons", [])]
    except (OSError, ValueError, AttributeError) as problem:
        reason = getattr(problem, "reason", problem)
        return wrong(
            check, f"no {check} answers at {url}: {reason}", f"start one with: {command}; or set {keys}"
        )
    if status == 200:
        return good(check, f"ready at {url}", url=url, reasons=[])
    message = "; ".join(reasons) or f"status {status}"
    return wrong(
        check,
        f"not ready at {url}: {message}",
        f"see the reasons here and the {check}'s log",
        url=url,
        reasons=reasons,
    )
