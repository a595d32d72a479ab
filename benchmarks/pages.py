"""`python -m benchmarks.pages`: the response time of the pages with a million meters, and their cost.

The state is that of `benchmarks.measuring.start`. First every page is requested in turn while the worker is
idle, and again while it has a backlog. Then rounds of readings are processed, alternately with the overview
open in three windows of a real Chromium and without; what counts is the worker's own CPU time per reading,
without the browser's. Exit 1 if the overview takes more than 200 ms or costs more than 5%.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
from confluent_kafka import Producer

from benchmarks.measuring.chromium import Chromium
from benchmarks.measuring.start import FIRST, INTERVAL, REMEMBERED, Worker, fill_changelog
from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedKafka
from gridwatch.http.rendering import REFRESH_SECONDS
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.positions import Positions
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import RAW

LIMIT_MS = 200.0
LIMIT_SHARE = 0.05
WINDOWS = 3
REFRESHES = 60
PAGES = {
    "overview": "/",
    "meters": "/meters/",
    "meters, a search": "/meters/?prefix=METER_07",
    "meters by gaps": "/meters/?sort=gap_count",
    "meters, longest silent, a search": "/meters/?sort=last_seen&prefix=METER_01",
    "one meter": "/meters/METER_0000042/",
    "gaps": "/gaps/",
    "partitions": "/partitions/",
    "dead letters": "/dead-letters/",
    "metrics": "/metrics/",
}
TIMEOUT_SECONDS = 300.0


class Feed:
    """Readings for every meter, slot after slot, so that none is ever missing."""

    def __init__(self, settings: Settings, meters: list[list[str]]) -> None:
        self._producer = Producer(
            librdkafka_config(settings)
            | {
                "log_level": 0,
                "linger.ms": 20,
                "batch.size": 500_000,
                "queue.buffering.max.messages": 2_000_000,
            }
        )
        self._readings = self._endless(meters)

    @staticmethod
    def _endless(meters: list[list[str]]) -> Iterator[tuple[int, str, str]]:
        slot = REMEMBERED
        while True:
            stamp = format_instant(FIRST + slot * INTERVAL)
            for number in range(max(map(len, meters))):
                for partition, known in enumerate(meters):
                    if number < len(known):
                        name = known[number]
                        value = f'{{"meter_id":"{name}","timestamp":"{stamp}","consumption_kwh":1.5}}'
                        yield partition, name, value
            slot += 1

    def send(self, count: int) -> None:
        """Produce so many to the raw topic."""
        for number in range(count):
            partition, name, value = next(self._readings)
            self._producer.produce(RAW.name, value, name, partition)
            if not number % 10_000:
                self._producer.poll(0)
        self._producer.flush()


class Measured:
    """A worker under measurement."""

    def __init__(self, settings: Settings, worker: Worker) -> None:
        self._app_id = settings.app_id
        self._positions = Positions(settings)
        self._service = worker.service
        self._process = psutil.Process(worker.service.process.pid)
        self.url = worker.service.url

    def waiting(self) -> int:
        """Raw records that are not committed."""
        ends = self._positions.ends([RAW.name])
        found = self._positions.of_group(self._app_id, [RAW.name])
        return sum(ends.values()) - sum(one.committed or 0 for one in found)

    def cpu(self) -> float:
        """CPU seconds of the worker so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def work_off(self, feed: Feed, count: int) -> tuple[float, float]:
        """Let it process so many readings; CPU and wall seconds."""
        before, begun = self.cpu(), time.monotonic()
        feed.send(count)
        self.wait_until_worked_off()
        return self.cpu() - before, time.monotonic() - begun

    def wait_until_worked_off(self) -> None:
        """Return when the lag is zero."""
        self._service.until("all is processed", lambda: not self.waiting(), TIMEOUT_SECONDS, pause=0.2)

    def milliseconds(self, path: str) -> float:
        """The response time of a page."""
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                answer.read()
        except urllib.error.HTTPError as refused:
            raise RuntimeError(f"{path}: {refused.read().decode()}") from refused
        return 1000 * (time.perf_counter() - begun)


@click.command(epilog="Example:  python -m benchmarks.pages --meters 1000000")
@click.option("--meters", default=1_000_000, show_default=True, help="Meters with state.")
@click.option("--partitions", default=6, show_default=True, help="Partitions of every topic.")
@click.option("--readings", default=300_000, show_default=True, help="Readings of one round.")
@click.option("--rounds", default=4, show_default=True, help="Rounds with and without windows.")
@click.option("--asks", default=15, show_default=True, help="Requests of each page.")
def main(meters: int, partitions: int, readings: int, rounds: int, asks: int) -> None:
    """Measure the pages' response times, and the cost of an open overview in throughput."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-pages-") as folder,
        EmbeddedKafka(Path(folder) / "kafka") as kafka,
    ):
        settings = load_settings(broker=kafka.bootstrap, partitions=partitions, app_id="pages")
        Broker(settings).create()
        known = fill_changelog(settings, meters)
        worker = Worker(settings, Path(folder), known)
        try:
            worker.start()
            measured = Measured(settings, worker)
            feed = Feed(settings, known)
            click.echo(f"{meters:,} meters in {partitions} partitions; machine load {os.getloadavg()[0]:.1f}")
            slowest = times(measured, feed, readings, asks)
            refreshes(measured)
            share = cost(measured, feed, readings, rounds)
        finally:
            worker.end()
    click.echo(
        f"overview: {slowest:.0f} ms (limit {LIMIT_MS:.0f}), three windows cost {share:+.1%} (limit 5%)"
    )
    sys.exit(slowest > LIMIT_MS or share > LIMIT_SHARE)


def times(measured: Measured, feed: Feed, readings: int, asks: int) -> float:
    """Print the response time of each page; returns the overview's median in ms of an idle worker."""
    click.echo(f"{'ms, median and longest':<36}{'at rest':>20}{'with a backlog':>20}")
    rest = {name: [measured.milliseconds(path) for _ in range(asks)] for name, path in PAGES.items()}
    busy: dict[str, list[float]] = {}
    for name, path in PAGES.items():
        feed.send(readings // 2)
        busy[name] = [measured.milliseconds(path)]
        while len(busy[name]) < asks and measured.waiting():
            busy[name].append(measured.milliseconds(path))
    for name in PAGES:
        columns = [f"{statistics.median(one):.0f} / {max(one):.0f}" for one in (rest[name], busy[name])]
        click.echo(f"{name:<36}{columns[0]:>20}{columns[1]:>20}")
    measured.wait_until_worked_off()
    return statistics.median(rest["overview"])


def refreshes(measured: Measured) -> None:
    """Print the CPU cost of one overview, and that of three windows that request it continuously.

    On a machine that does other things too, this tells more than the rounds: they last longer there.
    """
    before = measured.cpu()
    for _ in range(REFRESHES):
        measured.milliseconds("/")
    each = (measured.cpu() - before) / REFRESHES
    share = WINDOWS * each / REFRESH_SECONDS
    click.echo(f"an overview takes {1000 * each:.1f} CPU-ms, in three windows {share:.2%} of one core")


def cost(measured: Measured, feed: Feed, readings: int, rounds: int) -> float:
    """The cost of an overview open in three windows, as a share of the CPU time of a reading."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    measured.work_off(feed, readings)
    for _ in range(rounds):
        for windows in (False, True):
            if windows:
                with Chromium() as browser:
                    for _window in range(WINDOWS):
                        browser.page().open(measured.url + "/")
                    cpu, wall = measured.work_off(feed, readings)
            else:
                cpu, wall = measured.work_off(feed, readings)
            seconds[windows].append(cpu)
            what = "three windows" if windows else "no window"
            click.echo(f"{what:<16}{readings / cpu:>10,.0f} readings/CPU-s {cpu:>7.1f} CPU-s {wall:>7.1f} s")
    return statistics.median(seconds[True]) / statistics.median(seconds[False]) - 1


if __name__ == "__main__":
    main()
