"""`gridwatch ingest`: the HTTP entrance."""

from __future__ import annotations

from typing import Any

import click

from gridwatch.errors import GridwatchError, UsageProblem
from gridwatch.logs import log_to_stderr
from gridwatch.settings import load_settings


@click.command(epilog="Example:  gridwatch ingest --port 3001")
@click.option("--host", help="Address to listen on; any but a loopback one requires API keys.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on.  [default: 3001]")
def command(host: str | None, port: int | None) -> None:
    """Accept readings over HTTP and write them to the raw topic, until Ctrl-C.

    \b
      curl -H 'Content-Type: application/json' http://127.0.0.1:3001/telemetry/batch -d \\
        '[{"meter_id": "METER_1", "timestamp": "2026-01-31T10:00:00Z", "consumption_kwh": 0.42}]'

    A batch has up to 5,000 readings: a JSON array, {"readings": […]} or NDJSON, gzip or not. The answer is
    202 once every accepted reading is in Kafka; rejected ones are listed with their reasons. The description
    for programs is at /openapi.json, health at /live/, /ready/ and /metrics/.

    On 127.0.0.1 no key is needed. On any other address callers need one: gridwatch keys create.
    """
    given: dict[str, Any] = {"ingest_host": host, "ingest_port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    try:
        from gridwatch.ingest.service import run
    except ImportError as problem:
        raise UsageProblem(
            f"the HTTP entrance needs packages that are missing ({problem})",
            "pip install 'gridwatch[entrances]'",
        ) from problem
    log_to_stderr(settings, "gridwatch", "uvicorn")
    try:
        run(settings)
    except SystemExit as ended:
        if ended.code:
            raise GridwatchError(
                f"cannot listen on {settings.ingest_host}:{settings.ingest_port}",
                "choose another --port, or end what listens there",
            ) from ended
