"""`python -m benchmarks.entrances.mqtt`: messages over MQTT, through a real Mosquitto into a real Kafka.

Counted is the CPU time of the bridge's process between the first and the last message of a round; publishers
are `mosquitto_pub -l`, one a device, so that they do not count. The latencies are measured at a steady rate,
from the call of publish on: to the time that Kafka's broker gave the record, and to the commit of the row.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import paho.mqtt.client as mqtt
import psutil
import psycopg2
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.latency import COMMITTED_AT
from benchmarks.measuring.percentiles import Latency, latency_of, steady
from benchmarks.race.readings import records_of, written_to
from benchmarks.reporting import published, report
from chaos.entrances.mosquitto import Mosquitto
from gridwatch.deployment.service import Service
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.deployment.site import Site
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import RAW
from sinks.schema.version import migrate

_START = 1_767_225_600_000_000
_DEVICES = 8
_PARTITIONS = 6
_SECONDS = 300.0
#: Fields of a message by kind; one of energy is two records, since it becomes a reading, too.
_VALUES: dict[str, dict[str, float]] = {
    "energy": {"power_w": 1250.5, "voltage": 230.1},
    "temperature": {"temperature_c": 21.5, "humidity_percent": 44.5},
}


@dataclass(frozen=True)
class Outcome:
    """One kind of messages in one round: per CPU-second of the bridge, and per second."""

    kind: str
    messages: int
    per_cpu_second: float
    per_second: float


def message(kind: str, number: int, time_: int) -> bytes:
    """A message of a kind, with a time of its own."""
    content: dict[str, Any] = {"timestamp": format_instant(time_), **_VALUES[kind]}
    if kind == "energy":
        content["total_energy_kwh"] = 1000 + number / 1000
    return json.dumps(content).encode()


def measure_cost(site: Site[Service], mosquitto: Mosquitto, kind: str, count: int, round_: int) -> Outcome:
    """Publish from `_DEVICES` processes at full speed; wait until the bridge owes no acknowledgement."""
    bridge = site.services[0]
    program = shutil.which("mosquitto_pub") or "mosquitto_pub"
    files = []
    for device in range(_DEVICES):
        file = site.folder / f"{kind}-{device}"
        first = round_ * count
        lines = (message(kind, at, _START + at * 1_000_000) for at in range(first, first + count))
        file.write_bytes(b"\n".join(lines) + b"\n")
        files.append(file)
    process = psutil.Process(bridge.pid)
    before = _received(bridge, kind)
    cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
    with ExitStack() as stack:
        publishers = []
        for file in files:
            topic = f"homelab/{kind}/{file.name}"
            command = [program, "-p", str(mosquitto.port), "-t", topic, "-q", "1", "-l"]
            publishers.append(subprocess.Popen(command, stdin=stack.enter_context(file.open("rb"))))
        for one in publishers:
            if one.wait():
                raise SystemExit("a publisher failed")
    wanted = before + count * _DEVICES
    site.until("all is bridged", lambda: _received(bridge, kind) >= wanted and not _owed(bridge), _SECONDS)
    seconds = time.perf_counter() - began
    cpu = sum(process.cpu_times()[:2]) - cpu
    return Outcome(kind, count * _DEVICES, (wanted - before) / cpu, (wanted - before) / seconds)


def _metric(bridge: Service, name: str) -> float:
    lines = bridge.text("/metrics/").splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def _received(bridge: Service, kind: str) -> float:
    time.sleep(0.2)  # a page costs the bridge milliseconds
    return _metric(bridge, f'gridwatch_bridge_messages_total{{rule="{kind}"')


def _owed(bridge: Service) -> float:
    return _metric(bridge, "gridwatch_bridge_unacknowledged_messages")


def measure_latency(
    site: Site[Service], mosquitto: Mosquitto, database: str, rate: float, seconds: float
) -> list[Latency]:
    """From publish to Kafka, and to the row, at a steady rate; every message says when it was published."""
    load = os.getloadavg()[0]
    count = int(rate * seconds)
    publisher = mqtt.Client(CallbackAPIVersion.VERSION2, "pacer")
    publisher.connect(LOOPBACK, mosquitto.port)
    publisher.loop_start()
    due = time.perf_counter()
    for number in range(count):
        due += 1 / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        now = time.time_ns() // 1000
        publisher.publish(f"homelab/energy/paced-{number % _DEVICES}", message("energy", number, now), 1)
    publisher.loop_stop()

    def stored() -> bool:
        with psycopg2.connect(database) as session, session.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM energy_readings WHERE device_id LIKE 'paced-%'")
            return bool((cursor.fetchone() or (0,))[0] >= count)

    site.until("every row is there", stored, _SECONDS)
    bootstrap = site.settings.bootstrap
    sent_and_written = [
        (parse_instant(content["timestamp"], "UTC")[0], (record.timestamp()[1] + 1) * 1000)
        for record in records_of(bootstrap, written_to(bootstrap, RAW.name, _PARTITIONS))
        if (content := json.loads(record.value()))["meter_id"].startswith("paced-")
    ]
    with psycopg2.connect(database) as session, session.cursor() as cursor:
        cursor.execute(
            f"SELECT (extract(epoch FROM timestamp) * 1e6)::bigint, {COMMITTED_AT} FROM energy_readings "
            "WHERE device_id LIKE 'paced-%'"
        )
        sent_and_stored = cursor.fetchall()
    return [
        latency_of("device to Kafka", rate, seconds, steady(sent_and_written, seconds), load),
        latency_of("device to row", rate, seconds, steady(sent_and_stored, seconds), load),
    ]


@click.command(epilog="Example:  python -m benchmarks.entrances.mqtt --rounds 3")
@click.option("--messages", default=10_000, show_default=True, help="Messages of each of 8 devices a round.")
@click.option("--rounds", default=3, show_default=True, help="Rounds of each kind of message.")
@click.option("--rate", default=200.0, show_default=True, help="Messages a second for the latencies.")
@click.option("--seconds", default=30.0, show_default=True, help="Duration of that.")
@click.option("--keep", is_flag=True, help="Keep the results.")
def main(messages: int, rounds: int, rate: float, seconds: float, keep: bool) -> None:
    """Measure the MQTT entrance: what a message costs, and how long it takes."""
    exit_when_terminated()
    machine = report.machine()
    outcomes: list[Outcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-mqtt-") as name,
        EmbeddedKafka(Path(name) / "kafka") as kafka,
        EmbeddedPostgres(Path(name) / "postgres", overrides={"track_commit_timestamp": "on"}) as postgres,
        Mosquitto(Path(name) / "mosquitto") as mosquitto,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=_PARTITIONS)).create()
        migrate(postgres.url)
        common = {"broker": kafka.bootstrap, "partitions": _PARTITIONS, "database_url": postgres.url}
        with Site(Path(name), common | {"mqtt_url": mosquitto.url}, Service) as site:
            site.add("bridge").start().wait_until_ready()
            for round_ in range(rounds):
                for kind in _VALUES:
                    outcomes.append(one := measure_cost(site, mosquitto, kind, messages, round_))
                    click.echo(
                        f"{kind:<12}{one.per_cpu_second:>8,.0f} messages/CPU-s{one.per_second:>8,.0f}/s"
                    )
            site.add("sink").start().wait_until_ready()
            latencies = measure_latency(site, mosquitto, postgres.url, rate, seconds)
    for latency in latencies:
        click.echo(
            f"{latency.contestant}: p50 {latency.p50:,.0f} ms, p99 {latency.p99:,.0f} ms, "
            f"longest {latency.worst:,.0f} ms"
        )
    results = {
        "machine": machine,
        "outcomes": [asdict(one) for one in outcomes],
        "latencies": [asdict(one) for one in latencies],
    }
    published.write("bridge", results, keep=keep)


if __name__ == "__main__":
    main()
