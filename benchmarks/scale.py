"""`python -m benchmarks.scale`: what a reading costs as meters grow, and as partitions grow.

Each point is a fresh broker and a fresh worker. First every meter reports once; what is measured comes after
that: the CPU time of the worker for the next readings of meters that it knows. Memory is that of the whole
run. What lies on disk afterwards, in Kafka and RocksDB, is measured too: `capacity.py` reckons with it.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import psutil

from benchmarks import charts, figures, options, published, race, report, start
from benchmarks.contestants import BROKER, GRIDWATCH, Run, Site
from benchmarks.readings import load
from gridwatch.broker import Broker
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import load_settings
from gridwatch.topics import RAW, VALIDATED

_LOOK_SECONDS = 0.1
_MEBIBYTE = 1024 * 1024
#: Of the meters, how many may still be missing after the first slot: the late ones come with the next.
_FIRST_SLOT = 1.0


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


def measure(meters: int, partitions: int, count: int) -> Point:
    """A worker on `count` readings of meters that it knows."""
    warm = int(meters * _FIRST_SLOT)
    total = warm + count
    machine_load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-scale-") as name,
        EmbeddedKafka(Path(name) / "kafka", overrides=BROKER) as kafka,
    ):
        folder = Path(name)
        Broker(load_settings(broker=kafka.bootstrap, partitions=partitions)).create()
        load(kafka.bootstrap, partitions, total, meters)
        started = Run(GRIDWATCH, Site(kafka.bootstrap, partitions, folder), RAW.name, folder)
        try:
            seen, peak = _watch(started, total)
        finally:
            started.kill()
        known = next(one for one in seen if one[0] >= warm)
        done, cpu, wall = (last - first for first, last in zip(known, seen[-1], strict=True))
        if not done:
            raise click.UsageError(f"{count:,} readings are worked on between two looks; measure more")
        topics = kafka.folder / "data"
        return Point(
            meters,
            partitions,
            int(done),
            cpu / done * 1e6,
            done / wall,
            peak,
            _size(topics, f"{RAW.name}-*") / total,
            _size(topics, f"{VALIDATED.name}-*") / total,
            _size(topics, "*-changelog-*") / total,
            _size(folder, "data*") / meters,
            machine_load,
        )


def _watch(started: Run, wanted: int) -> tuple[list[tuple[float, float, float]], int]:
    """(validated, CPU seconds, wall seconds) again and again, and the highest memory in bytes."""
    tree = psutil.Process(started.processes[0].pid)
    seen: list[tuple[float, float, float]] = []
    peak = 0
    begun = time.monotonic()
    while not seen or seen[-1][0] < wanted:
        done = sum(started.said()) - sum(started.first)
        seen.append((float(done), race.cpu_seconds(tree), time.monotonic() - begun))
        peak = max(peak, race.memory(tree))
        if seen[-1][2] > race.PATIENCE_SECONDS:
            raise RuntimeError(f"{done:,} of {wanted:,} readings after {seen[-1][2]:.0f} s")
        time.sleep(_LOOK_SECONDS)
    return seen, peak


def _size(folder: Path, pattern: str) -> int:
    """Bytes of the files with content below the folders that match: indexes are made larger than they are."""
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
    """Measure cost, memory, disk and start as meters grow; cost as partitions grow."""
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
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
