"""`python -m benchmarks.measuring.start`: how long a worker with a million meters takes to start or stop.

The state is encoded by the worker's own codec, directly into the changelog. Then a worker is started on an
empty disk (all state comes from the changelog), stopped gracefully, started again (state is in RocksDB),
killed, and started once more. Measured each time, from the start of the process: until `/ready/`, until a
waiting reading in every partition is validated, and the longest response time of `/live/` in between: while
the event loop is blocked, no heartbeat is sent either.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click
from confluent_kafka import Consumer, Producer, TopicPartition

from gridwatch.deployment.service import Service
from gridwatch.deployment.site import Site
from gridwatch.domain.anomalies.habit import ENOUGH, Habit, no_buckets
from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import remember
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.sums.anomalies import BUCKETS as BUCKETS_OF
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import MINUTE
from gridwatch.embedded import EmbeddedKafka
from gridwatch.http.client import fetch
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings, load_settings
from gridwatch.tables.anomaly_rows import BUCKETS
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from gridwatch.topics import RAW, VALIDATED, changelog

INTERVAL = 30 * MINUTE
FIRST = 1_704_103_200_000_000
#: Readings that each meter remembers: two hours' worth.
REMEMBERED = 4
TIMEOUT_SECONDS = 300.0
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Start:
    """One start. All in seconds after the process began; `held_up` is a duration."""

    ready: float
    first_record: float
    held_up: float


def meter_row(number: int, *, baselines: bool) -> bytes:
    """The row of a meter that has been reporting for a while."""
    meter = MeterState(FIRST - number % 1000, INTERVAL)
    meter.region = f"north-{number % 4}"
    stamps = [meter.start + slot * INTERVAL for slot in range(REMEMBERED)]
    for at in stamps:
        meter.recent = remember(meter.recent, at, 0.5 + number % 7, FIRST - INTERVAL)
    meter.last_seen = meter.last_slot = stamps[-1]
    meter.cursor = meter.last_slot + INTERVAL
    meter.due = meter.cursor + 15 * MINUTE
    if baselines:
        meter.habit = Habit()
        meter.habit.newest, meter.habit.length = stamps[-2], INTERVAL
        for at in range(ENOUGH):
            meter.habit.learn(1_000_000_000 + 10_000_000 * at + number % 1000)
    return METER.encode(meter)


def buckets_row(number: int) -> bytes:
    """What this meter usually uses in every hour of a day."""
    buckets = no_buckets()
    for at in range(0, len(buckets), 3):
        buckets[at : at + 3] = 500_000_000 + 10_000_019 * at + number, 40_000_003 + at, ENOUGH
    return BUCKETS.encode(buckets)


def fill_changelog(settings: Settings, meters: int, *, baselines: bool = False) -> list[list[str]]:
    """Put the state of that many meters into the changelog; returns the meters of each partition.

    baselines: with what each usually uses.
    """
    topic = changelog(settings.app_id).name
    producer = Producer(
        librdkafka_config(settings)
        | {"linger.ms": 20, "batch.size": 500_000, "queue.buffering.max.messages": 2_000_000}
    )
    known: list[list[str]] = [[] for _ in range(settings.partitions)]
    for number in range(meters):
        name = f"METER_{number:07d}"
        partition = partition_of(name, settings.partitions)
        known[partition].append(name)
        producer.produce(topic, meter_row(number, baselines=baselines), name.encode(), partition)
        if baselines:
            producer.produce(topic, buckets_row(number), (BUCKETS_OF + name).encode(), partition)
        if number % 10_000 == 0:
            producer.poll(0)
    for partition in range(settings.partitions):
        state = PartitionState(partition, watermark=FIRST + (REMEMBERED - 1) * INTERVAL)
        state.meters = len(known[partition])
        producer.produce(topic, METERS.encode_partition(state, 1), PARTITION_KEY, partition)
        producer.produce(topic, b"", FENCE_KEY, partition)
    producer.flush()
    return known


class Worker:
    """A worker of these settings, started as often as one likes."""

    def __init__(self, settings: Settings, folder: Path, meters: list[list[str]]) -> None:
        self._settings = settings
        self._meters = meters
        common = {
            "broker": settings.bootstrap,
            "partitions": settings.partitions,
            "app_id": settings.app_id,
        }
        self.service = Site(folder, common, Service).add("worker")
        self._asking = Consumer(librdkafka_config(settings) | {"group.id": "benchmarks", "log_level": 0})

    def start(self) -> Start:
        """Start it with one reading waiting in each partition."""
        ends = self._ends()
        self._send_readings()
        begun = time.monotonic()
        self.service.start()
        looking = Looking(self.service.url)

        def seconds_until(what: str, holds: Callable[[], bool]) -> float:
            self.service.until(what, holds, TIMEOUT_SECONDS)
            return time.monotonic() - begun

        ready = seconds_until("it is ready", self.service.is_ready)
        first = seconds_until(
            "a reading of each partition is validated",
            lambda: all(now > before for now, before in zip(self._ends(), ends, strict=True)),
        )
        return Start(ready, first, looking.stop())

    def stop(self) -> float:
        """End it in order; returns the seconds that it took."""
        return self.service.stop()

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        self.service.kill()

    def end(self) -> None:
        """Leave nothing running."""
        self.kill()
        self._asking.close()

    def _ends(self) -> list[int]:
        return [
            self._asking.get_watermark_offsets(TopicPartition(VALIDATED.name, partition), timeout=30)[1]
            for partition in range(self._settings.partitions)
        ]

    def _send_readings(self) -> None:
        producer = Producer(librdkafka_config(self._settings))
        # Another meter each time, and one slot: time must not go on, or a million gaps would open.
        stamp = format_instant(FIRST + REMEMBERED * INTERVAL)
        for partition, meters in enumerate(self._meters):
            meter = meters.pop()
            value = f'{{"meter_id":"{meter}","timestamp":"{stamp}","consumption_kwh":1.5}}'
            producer.produce(RAW.name, value, meter, partition)
        producer.flush()


class Looking:
    """Asks `/live/` all the time and remembers the longest wait for an answer."""

    def __init__(self, url: str) -> None:
        self._url = url + "/live/"
        self._longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            begun = time.monotonic()
            with suppress(OSError):
                if fetch(self._url, _ANSWER_SECONDS)[0] == 200:
                    self._longest = max(self._longest, time.monotonic() - begun)

    def stop(self) -> float:
        """End the looking; returns the longest wait, seconds."""
        self._ended.set()
        self._thread.join(60)
        return self._longest


@click.command(epilog="Example:  python -m benchmarks.measuring.start --meters 1000000")
@click.option("--meters", default=1_000_000, show_default=True, help="Meters with state.")
@click.option("--partitions", default=6, show_default=True, help="Partitions of every topic.")
@click.option("--baselines", is_flag=True, help="With what each meter usually uses.")
def main(meters: int, partitions: int, baselines: bool) -> None:
    """Measure starts from the changelog and from local state, and the stop in between."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-start-") as folder,
        EmbeddedKafka(Path(folder) / "kafka") as kafka,
    ):
        settings = load_settings(broker=kafka.bootstrap, partitions=partitions, app_id="start")
        Broker(settings).create()
        worker = Worker(settings, Path(folder), fill_changelog(settings, meters, baselines=baselines))
        click.echo(f"{meters:,} meters in {partitions} partitions; machine load {os.getloadavg()[0]:.1f}")
        click.echo(f"{'':<34}{'ready':>9}{'first record':>15}{'held up at most':>18}")
        try:
            say("from the changelog alone", worker.start())
            stopped = worker.stop()
            say("from local state, stopped before", worker.start())
            worker.kill()
            say("from local state, killed before", worker.start())
        finally:
            worker.end()
        click.echo(f"stopped in order within {stopped:.1f} s")


def say(what: str, start: Start) -> None:
    """One line of the table."""
    click.echo(f"{what:<34}{start.ready:>7.1f} s{start.first_record:>13.1f} s{start.held_up:>16.2f} s")


if __name__ == "__main__":
    main()
