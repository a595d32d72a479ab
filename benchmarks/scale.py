"""`python -m benchmarks.scale`: the cost of a reading by number of meters, and by number of partitions.

Each point is a fresh broker, and two workers one after the other: one processes one reading of every meter,
the other that and the readings to be measured. The difference in CPU time is the cost of readings of known
meters, without the start. Memory is that of the whole run. Disk usage afterwards, in Kafka and RocksDB, is
measured too, for `capacity.py`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.measuring import start
from benchmarks.race import options, race
from benchmarks.race.contestants import BROKER, GRIDWATCH, Run, Site
from benchmarks.race.readings import Feed
from benchmarks.reporting import charts, figures, published, report
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.embedded import EmbeddedKafka
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import RAW, VALIDATED

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Point:
    """One input. `cost` in µs of CPU for each reading; sizes in bytes."""

    meters: int
    partitions: int
    readings: int
    cost: float
    wall_rate: float
    memory: int
    raw_bytes: float
    validated_bytes: float
    changelog_bytes: float
    state_bytes: float
    load: float


@dataclass(frozen=True)
class _Work:
    """The result of a worker: CPU seconds, readings per second, bytes; `mark` is in its topics' names."""

    mark: str
    cpu: float
    wall_rate: float
    memory: int


def measure(meters: int, partitions: int, count: int) -> Point:
    """A worker on one reading of every meter, and another on `count` readings more."""
    machine_load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-scale-") as name,
        EmbeddedKafka(Path(name) / "kafka", overrides=BROKER) as kafka,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=partitions)).create()
        site = Site(kafka.bootstrap, partitions, Path(name))
        topics = kafka.folder / "data"
        feed = Feed(kafka.bootstrap, RAW.name, partitions, meters)
        feed.extend(meters)
        known = _work(site, Path(name) / "known", feed)
        before = _size(topics, f"{VALIDATED.name}-*")
        feed.extend(meters + count)
        done = _work(site, Path(name) / "done", feed)
        return Point(
            meters,
            partitions,
            count,
            (done.cpu - known.cpu) / count * 1e6,
            done.wall_rate,
            max(known.memory, done.memory),
            _size(topics, f"{RAW.name}-*") / feed.count,
            (_size(topics, f"{VALIDATED.name}-*") - before) / feed.count,
            _size(topics, f"*{done.mark}*-changelog-*") / feed.count,
            _size(Path(name) / "done", "data*") / meters,
            machine_load,
        )


def _work(site: Site, folder: Path, feed: Feed) -> _Work:
    """Run a fresh worker on the whole topic."""
    folder.mkdir()
    started = Run(GRIDWATCH, site, feed.topic, folder)
    try:
        result, _ = race.watch(GRIDWATCH, started, feed, 0.0)
    finally:
        started.kill()
    return _Work(started.mark, result.cpu, result.wall_rate, result.memory)


def _size(folder: Path, pattern: str) -> int:
    """The allocated bytes of the files below the matching folders: index files are preallocated."""
    files = (file for found in folder.glob(pattern) for file in found.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files if file.suffix not in (".index", ".timeindex"))


def starts(meters: int, partitions: int) -> dict[str, float]:
    """Seconds until the first record of every partition: from the changelog alone, and from local state."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-start-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", overrides=BROKER) as kafka,
    ):
        settings = load_settings(broker=kafka.bootstrap, partitions=partitions, app_id="start")
        Broker(settings).create()
        worker = start.Worker(settings, Path(folder), start.fill_changelog(settings, meters))
        try:
            recovered = worker.start().first_record
            worker.stop()
            return {"meters": meters, "changelog": recovered, "local": worker.start().first_record}
        finally:
            worker.end()


def picture(points: Sequence[Point], by: str) -> str:
    """Cost over meters, or over partitions."""
    places = [(float(getattr(point, by)), point.cost) for point in points]
    return charts.lines("Cost of a reading", "µs of CPU", by, [charts.Curve("gridwatch", places)])


@click.command(epilog="Example:  python -m benchmarks.scale --meters 1000 --meters 100000 --partitions 6")
@options.readings(1_000_000, "Readings measured at a point.")
@options.whole("meters", (1000, 10_000, 100_000, 1_000_000), "Meters.", multiple=True)
@options.whole("partitions", (6, 24, 96), "Partitions.", multiple=True)
@click.option("--starts/--no-starts", "with_starts", default=True, help="Measure starts as well.")
@options.KEEP
def main(
    meters: tuple[int, ...], partitions: tuple[int, ...], count: int, with_starts: bool, keep: bool
) -> None:
    """Measure cost, memory, disk and start time by number of meters; cost by number of partitions."""
    exit_when_terminated()
    site = report.machine()
    by_meters = [_said(measure(number, partitions[0], count)) for number in meters]
    by_partitions = [_said(measure(100_000, number, count)) for number in partitions]
    started = [starts(number, partitions[0]) for number in meters if with_starts and number >= 10_000]
    for one in started:
        click.echo(
            f"{one['meters']:>9,} meters: first record {one['changelog']:.1f} s from the changelog alone, "
            f"{one['local']:.1f} s from local state"
        )
    costs = [point.cost for point in by_meters]
    click.echo(f"\nthe dearest number of meters costs {max(costs) / min(costs):.2f} times the cheapest")
    results = {
        "machine": site,
        "by_meters": [asdict(point) for point in by_meters],
        "by_partitions": [asdict(point) for point in by_partitions],
        "starts": started,
    }
    pictures = {"scale": picture(by_meters, "meters"), "partitions": picture(by_partitions, "partitions")}
    published.write("scale", results, keep=keep, pictures=pictures)
    if keep:
        figures.renew()


def _said(point: Point) -> Point:
    click.echo(
        f"{point.meters:>9,} meters in {point.partitions:>3} partitions: {point.cost:>5.1f} µs a reading, "
        f"{point.memory / _MEBIBYTE:,.0f} MiB, {point.wall_rate:,.0f} readings/s; load {point.load:.1f}"
    )
    return point


if __name__ == "__main__":
    main()
