"""`python -m benchmarks.soak`: constant load and a fault every few seconds, for any duration.

Two workers and two sinks. One of each is killed or stopped repeatedly and restarted; the other one runs all
the time, through every rebalance that this causes: neither its memory nor its open files may grow after the
warm-up. At the end every reading must be in the database once.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle
from pathlib import Path

import click
import psycopg2
from confluent_kafka import Producer

from benchmarks.measuring.samples import FILES_NOISE, MEMORY_NOISE, Samples, growth, page
from gridwatch.deployment.catching_up import wait_for_sink, wait_for_worker
from gridwatch.deployment.service import Service
from gridwatch.deployment.site import Site
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import MINUTE
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import RAW
from sinks.schema.version import migrate

START = 1_704_103_200_000_000
#: One reading in this many is missing.
_LEFT_OUT = 50
#: A slot of all meters takes some seconds, so that what a meter remembers is there soon.
_RULES = {"default_interval": "1m", "gap_memory": "30m", "allowed_lateness": "30m", "idle_timeout": "1d"}
_SAMPLE_SECONDS = 1.0


class Load:
    """Readings of the same meters at a constant rate, a slot after the other, some of them left out."""

    def __init__(self, settings: Settings, meters: int, rate: int) -> None:
        self._producer = Producer(librdkafka_config(settings) | {"linger.ms": 50, "log_level": 0})
        self._meters = [f"METER_{number:05d}" for number in range(meters)]
        self._partitions = settings.partitions
        self._rate = rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and flush everything that was sent."""
        self._ended.set()
        self._thread.join(60)
        self._producer.flush(60)

    def _run(self) -> None:
        begun = time.monotonic()
        for slot in count():
            stamp = format_instant(START + slot * MINUTE)
            for meter, value in self._readings(stamp):
                self._producer.produce(RAW.name, value, meter, partition_of(meter, self._partitions))
                self.sent += 1
                if not self.sent % 100:
                    self._producer.poll(0)
                    if self._ended.wait(max(0.0, begun + self.sent / self._rate - time.monotonic())):
                        return

    def _readings(self, stamp: str) -> Iterator[tuple[str, str]]:
        chance = random.Random(stamp)
        for meter in self._meters:
            if chance.randrange(_LEFT_OUT):
                kwh = round(chance.uniform(0.05, 2.5), 3)
                yield meter, f'{{"meter_id":"{meter}","timestamp":"{stamp}","consumption_kwh":{kwh}}}'


class Soak:
    """One run; `samples` by name of the process."""

    def __init__(self, kafka: EmbeddedKafka, postgres: EmbeddedPostgres, folder: Path) -> None:
        common = {"broker": kafka.bootstrap, "database_url": postgres.url, "app_id": "soak", **_RULES}
        self.site = Site(folder, common, partial(Service, arguments=("-l", "warn")))
        for fate in ("that-stays", "that-dies"):
            for kind in ("worker", "sink"):
                self.site.add(kind, name := f"{kind}-{fate}", instance_id=name)
        self._servers: dict[str, Callable[[], int | None]] = {
            "kafka": lambda: kafka.pid,
            "postgresql": lambda: postgres.pid,
        }
        self._servers.update((one.name, lambda one=one: one.pid) for one in self.site.services)  # type: ignore[misc]
        self.samples = {name: Samples() for name in self._servers}
        self.faults = 0
        #: When it was warm, µs since the epoch.
        self.warm = 0

    def run(self, load: Load, warm_up: float, seconds: float, every: float) -> None:
        """Load and faults for the warm-up and that long; a fault every `every` seconds."""
        for service in self.site.services:
            service.start()
        load.start()
        begun = time.monotonic()
        self.warm = time.time_ns() // 1000 + int(warm_up * 1_000_000)
        fault_at = begun + every
        mortal = cycle(self.site.services[2:])
        while (now := time.monotonic()) < begun + warm_up + seconds:
            self.site.require_running()
            if now >= fault_at:
                self._fault(next(mortal))
                fault_at = time.monotonic() + every
            for name, pid in self._servers.items():
                self.samples[name].take(pid())
            time.sleep(_SAMPLE_SECONDS)

    def _fault(self, service: Service) -> None:
        """Stop it gracefully every third time, else kill it; the other one takes over meanwhile."""
        self.faults += 1
        if self.faults % 3:
            service.kill()
        else:
            service.stop()
        service.start()

    def catch_up(self) -> None:
        """Wait until worker and sink have caught up."""
        worker, sink, *_ = self.site.services
        wait_for_worker(self.site.settings, worker)
        wait_for_sink(self.site.settings, sink)


def stored(url: str) -> int:
    """Readings in the database."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM validated_readings")
            return int(cursor.fetchone()[0])
    finally:
        connection.close()


def judge(soak: Soak, sent: int, found: int) -> tuple[list[str], bool]:
    """The lines of the summary, and whether all of it is good."""
    lines = [f"{sent:,} readings sent, {found:,} in the database; {soak.faults} faults"]
    good = sent == found
    for name in ("worker-that-stays", "sink-that-stays"):
        samples = soak.samples[name]
        for what, unit, points, noise in (
            ("memory", "MiB", samples.memory, MEMORY_NOISE),
            ("open files", "files", samples.files, FILES_NOISE),
        ):
            line = growth(points, soak.warm, noise)
            good = good and line.ok
            word = "no growth" if line.ok else "GROWS"
            lines.append(
                f"{name}: {what} after warm-up {line.first:.0f} → {line.last:.0f} {unit} "
                f"(allowed +{line.allowed:.0f}): {word}"
            )
    return lines, good


@click.command(epilog="Example:  python -m benchmarks.soak --minutes 30")
@click.option("--minutes", default=10.0, show_default=True, help="Minutes after the warm-up.")
@click.option("--warm-up", default=8.0, show_default=True, help="Minutes before that.")
@click.option("--meters", default=2000, show_default=True, help="Meters that send readings.")
@click.option("--rate", default=1500, show_default=True, help="Readings a second.")
@click.option("--every", default=8.0, show_default=True, help="Seconds between faults.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=Path("benchmarks/results/soak.html"),
    show_default=True,
    help="File of the plots.",
)
def main(minutes: float, warm_up: float, meters: int, rate: int, every: float, report: Path) -> None:
    """Soak worker and sink; exit 1 when something grows or a reading is lost."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-soak-") as folder,
        EmbeddedKafka(Path(folder) / "kafka") as kafka,
        EmbeddedPostgres(Path(folder) / "postgres") as postgres,
    ):
        migrate(postgres.url)
        soak = Soak(kafka, postgres, Path(folder))
        Broker(soak.site.settings).create()
        load = Load(soak.site.settings, meters, rate)
        with soak.site:
            soak.run(load, warm_up * 60, minutes * 60, every)
            load.stop()
            soak.catch_up()
        lines, good = judge(soak, load.sent, stored(postgres.url))
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(
        page(f"{minutes:g} minutes of gridwatch", lines, soak.samples, soak.warm), encoding="utf-8"
    )
    click.echo("\n".join([*lines, f"plots: {report}"]))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
