"""`python -m benchmarks.entrances.http`: readings over HTTP, gridwatch's entrance and a bare loop.

A real Kafka; batches that were encoded before go to one server after the other over a few connections, in
interleaved rounds. Counted is the CPU time of the server between the first and the last request, and the
latency of each. The ratio is that of readings per CPU-second within a round.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path

import click
import psutil

from benchmarks.race.environments import compiled
from benchmarks.reporting import published, report
from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.polling import until
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import free_ports
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import RAW

_METERS = 20_000
_START = 1_767_225_600_000_000
_PATH = "/telemetry/batch"
_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Outcome:
    """One server in one round: readings per CPU-second and per second; latency of requests, ms."""

    server: str
    per_cpu_second: float
    per_second: float
    p50: float
    p99: float


def bodies(batches: int, size: int) -> list[bytes]:
    """Batches of telemetry readings."""
    made = []
    for number in range(batches):
        readings = []
        for at in range(number * size, (number + 1) * size):
            round_, meter = divmod(at, _METERS)
            readings.append(
                {
                    "meter_id": f"METER_{meter:06d}",
                    "timestamp": format_instant(_START + round_ * 10_000_000),
                    "voltage": 230.1 + meter % 7 / 10,
                    "current": 1.21,
                    "power_kw": 0.278,
                    "consumption_kwh": 0.00077 + meter % 13 / 1e5,
                }
            )
        made.append(json.dumps(readings).encode())
    return made


def send(port: int, made: Sequence[bytes], connections: int) -> list[float]:
    """Send the batches over some connections; returns the seconds that each request took."""
    took: list[float] = []
    waiting = list(reversed(made))

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", port)
        while True:
            try:
                body = waiting.pop()
            except IndexError:
                connection.close()
                return
            began = time.perf_counter()
            connection.request("POST", _PATH, body, _HEADERS)
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != 202:
                raise SystemExit(f"the answer was {answer.status}")

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(took) != len(made):
        raise SystemExit("a batch was not accepted")
    return took


def measured(server: str, process: psutil.Process, port: int, made: Sequence[bytes], size: int) -> Outcome:
    """One round of one server."""
    send(port, made[:5], 1)
    before, began = sum(process.cpu_times()[:2]), time.perf_counter()
    took = sorted(send(port, made, 4))
    seconds = time.perf_counter() - began
    cpu = sum(process.cpu_times()[:2]) - before
    count = len(made) * size
    return Outcome(
        server,
        count / cpu,
        count / seconds,
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
    )


def _listening(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("POST", _PATH, bodies(1, 1)[0], _HEADERS)
        return connection.getresponse().status == 202
    except OSError:
        return False
    finally:
        connection.close()


@click.command(epilog="Example:  python -m benchmarks.entrances.http --rounds 3 --compiled")
@click.option("--batches", default=400, show_default=True, help="Batches a round.")
@click.option("--size", default=500, show_default=True, help="Readings a batch.")
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds.")
@click.option("--compiled", "with_compiled", is_flag=True, help="With the hot path compiled.")
@click.option("--keep", is_flag=True, help="Keep the results.")
def main(batches: int, size: int, rounds: int, with_compiled: bool, keep: bool) -> None:
    """Measure the HTTP entrance as a ratio to a bare loop."""
    exit_when_terminated()
    machine = report.machine()
    made = bodies(batches, size)
    outcomes: list[Outcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-http-") as name,
        EmbeddedKafka(Path(name) / "kafka") as kafka,
    ):
        Broker(load_settings(broker=kafka.bootstrap)).create()
        ours, bare = free_ports(2)
        path = {"PYTHONPATH": str(compiled())} if with_compiled else {}
        environment = environment_of({"broker": kafka.bootstrap, "ingest_port": ours}) | path
        servers = {
            "gridwatch": (
                ours,
                subprocess.Popen([sys.executable, "-m", "gridwatch", "ingest"], env=environment, cwd=name),
            ),
            "bare": (
                bare,
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "benchmarks.entrances.bare_http",
                        kafka.bootstrap,
                        RAW.name,
                        str(bare),
                    ],
                ),
            ),
        }
        try:
            for server, (port, _) in servers.items():
                until(f"{server} accepts readings", lambda port=port: _listening(port), 60)
            for _ in range(rounds):
                for server, (port, process) in servers.items():
                    outcomes.append(measured(server, psutil.Process(process.pid), port, made, size))
                    one = outcomes[-1]
                    click.echo(
                        f"{server:<10}{one.per_cpu_second:>10,.0f} readings/CPU-s{one.per_second:>10,.0f}/s"
                        f"   p50 {one.p50:.1f} ms   p99 {one.p99:.1f} ms"
                    )
        finally:
            for _, process in servers.values():
                process.terminate()
                process.wait()
    rates = {
        server: [one.per_cpu_second for one in outcomes if one.server == server]
        for server in ("gridwatch", "bare")
    }
    ratio = report.ratios(rates["gridwatch"], rates["bare"])
    click.echo(f"of the bare loop: {ratio}")
    results = {"machine": machine, "outcomes": [asdict(one) for one in outcomes], "ratio": asdict(ratio)}
    published.write("ingest", results, keep=keep)


if __name__ == "__main__":
    main()
