"""`python -m benchmarks.entrances.chain`: how long a batch waits for its 202 while the whole chain works.

A real Kafka and PostgreSQL, a worker, a sink and the HTTP entrance. Batches come at a steady rate over one
connection, with readings of a fleet that reports every ten seconds; timed is each request, from its first
byte to the answer. The first third of the time does not count.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import asdict
from http.client import HTTPConnection
from pathlib import Path

import click

from benchmarks.measuring.percentiles import Latency, latency_of, steady
from benchmarks.reporting import published, report
from gridwatch.deployment.service import Service
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.deployment.site import Site
from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from sinks.schema.version import migrate

#: Between two readings of a meter, seconds.
_EVERY = 10


def measure(port: int, rate: float, size: int, seconds: float) -> Latency:
    """Send batches at `rate` readings a second; the times of the requests."""
    load = os.getloadavg()[0]
    meters = int(rate * _EVERY)
    connection = HTTPConnection(LOOPBACK, port)
    due = time.perf_counter()
    times: list[tuple[int, int]] = []
    for number in range(int(rate * seconds / size)):
        due += size / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        now = time.time_ns() // 1000
        stamp = format_instant(now // 1_000_000 * 1_000_000)
        readings = [
            {
                "meter_id": f"METER_{(number * size + at) % meters:06d}",
                "timestamp": stamp,
                "consumption_kwh": 0.00077,
                "interval_seconds": _EVERY,
                "voltage": 230.1,
                "power_kw": 0.278,
            }
            for at in range(size)
        ]
        body = json.dumps(readings).encode()
        sent = time.time_ns() // 1000
        connection.request("POST", "/telemetry/batch", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        times.append((sent, time.time_ns() // 1000))
        if answer.status != 202 or content["accepted"] != size:
            raise SystemExit(f"answered {answer.status}: {content}")
    connection.close()
    return latency_of("request beside the chain", rate, seconds, steady(times, seconds), load)


@click.command(epilog="Example:  python -m benchmarks.entrances.chain --rate 500")
@click.option("--rate", default=500.0, show_default=True, help="Readings a second.")
@click.option("--size", default=50, show_default=True, help="Readings a batch.")
@click.option("--seconds", default=60.0, show_default=True, help="Duration.")
@click.option("--keep", is_flag=True, help="Keep the results.")
def main(rate: float, size: int, seconds: float, keep: bool) -> None:
    """Measure requests of the HTTP entrance while worker, sink and database work on what came before."""
    exit_when_terminated()
    machine = report.machine()
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-chain-") as name,
        EmbeddedKafka(Path(name) / "kafka") as kafka,
        EmbeddedPostgres(Path(name) / "postgres") as postgres,
    ):
        Broker(load_settings(broker=kafka.bootstrap)).create()
        migrate(postgres.url)
        common = {"broker": kafka.bootstrap, "database_url": postgres.url}
        with Site(Path(name), common, Service) as site:
            for kind in ("worker", "sink", "ingest"):
                site.add(kind).start()
            for service in site.services:
                service.wait_until_ready()
            found = measure(site.services[-1].port, rate, size, seconds)
    click.echo(
        f"{found.contestant}: p50 {found.p50:,.1f} ms, p99 {found.p99:,.1f} ms, longest {found.worst:,.1f} ms"
    )
    published.write("chain", {"machine": machine, "latency": asdict(found)}, keep=keep)


if __name__ == "__main__":
    main()
