"""All contestants in turn, round by round, on each input; what comes of it is printed and written."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks import latency
from benchmarks.race import race
from benchmarks.race.contestants import BROKER, Contestant, Site
from benchmarks.race.environments import NotInstallable, compiled, python_of
from benchmarks.race.readings import Feed
from benchmarks.reporting import figures, published, report
from gridwatch.embedded import EmbeddedKafka
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import RAW

PARTITIONS = 6
_SMALL_PART = 4
#: A paced contestant holds half of the rate that it reached unpaced.
_PACE = 0.5


def compare(
    contestants: Sequence[Contestant],
    left_out: dict[str, str],
    *,
    count: int,
    meters: int,
    rounds: int,
    partitions: int,
    feed: type[Feed] = Feed,
    latency_seconds: float = 0.0,
) -> report.Comparison:
    """Run all contestants on one input, at a quarter of its size and at full size, then at a steady rate.

    feed: makes the input. latency_seconds: how long the steady rate lasts; 0: there is none.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-bench-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", overrides=BROKER) as kafka,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=partitions)).create()
        site = Site(kafka.bootstrap, partitions, Path(folder))
        feeds = {1.0: feed(kafka.bootstrap, RAW.name, partitions, meters)}
        for share in {one.share for one in contestants} - {1.0}:
            topic = site.topic(f"part-{share}")
            feeds[share] = feed(kafka.bootstrap, topic, partitions, meters)
        small = _rounds(contestants, site, feeds, count // _SMALL_PART, rounds)
        large = _rounds(contestants, site, feeds, count, rounds)
    latencies = {}
    for one in contestants:
        if latency_seconds:
            rate = _PACE * statistics.median(run.wall_rate for run in large[one.name])
            latencies[one.name] = measured = latency.measure(one, partitions, meters, rate, latency_seconds)
            click.echo(
                f"{one.title:<42} {rate:>9,.0f} readings/s: "
                f"p50 {measured.p50:,.0f} ms, p99 {measured.p99:,.0f} ms"
            )
    whole = feeds[1.0].count
    return report.Comparison(meters, whole, partitions, contestants, small, large, latencies, left_out)


def _rounds(
    contestants: Sequence[Contestant], site: Site, feeds: dict[float, Feed], count: int, rounds: int
) -> dict[str, list[race.Result]]:
    for share, feed in feeds.items():
        feed.extend(int(count * share))
    results: dict[str, list[race.Result]] = {one.name: [] for one in contestants}
    for number, one in race.interleaved(contestants, rounds):
        result = race.run(one, site, feeds[one.share])
        results[one.name].append(result)
        click.echo(
            f"round {number}  {one.title:<42} {result.rate:>10,.0f} readings/CPU-s   ({result.readings:,} in "
            f"{result.cpu:.1f} CPU-s, {result.wall:.1f} s; first after {result.start_cpu:.1f} CPU-s)"
        )
    return results


def running_rates(
    contestants: Sequence[Contestant], *, count: int, meters: int, rounds: int, feed: type[Feed] = Feed
) -> dict[str, list[float]]:
    """Readings per CPU-second of each contestant once it has started, round by round, on a short input."""
    rates: dict[str, list[float]] = {one.name: [] for one in contestants}
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-quick-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", overrides=BROKER) as kafka,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=PARTITIONS)).create()
        site = Site(kafka.bootstrap, PARTITIONS, Path(folder))
        whole = feed(kafka.bootstrap, RAW.name, PARTITIONS, meters)
        whole.extend(count)
        for _, one in race.interleaved(contestants, rounds):
            rates[one.name].append(race.run(one, site, whole).running_rate)
    return rates


def available(
    contestants: Sequence[Contestant], names: Sequence[str]
) -> tuple[list[Contestant], dict[str, str]]:
    """Those of the contestants that can run on this machine, and why the others cannot.

    names: which of them besides the floor and gridwatch; empty: all.
    """
    ready, left_out = [], {}
    for one in contestants:
        if names and one.name not in names and one.name not in ("floor", "gridwatch"):
            continue
        try:
            if one.environment is not None:
                python_of(one.environment)
            if one.compiled:
                compiled()
            ready.append(one)
        except NotInstallable as problem:
            if one.name == "floor":
                raise
            left_out[one.title] = str(problem)
            click.echo(f"left out: {problem}", err=True)
    return ready, left_out


def publish(
    name: str,
    contestants: Sequence[Contestant],
    compared: Iterable[report.Comparison],
    inputs: int,
    *,
    keep: bool,
) -> None:
    """Print the comparisons on all inputs as they come, and write them as the results `name`."""
    site = report.machine()
    comparisons: list[dict[str, Any]] = []
    for one in compared:
        comparisons.append(one.as_json())
        click.echo("\n" + report.markdown(comparisons[-1]))
        # A run that is stopped early still has its finished inputs.
        results = {"machine": site, "comparisons": comparisons}
        whole = len(comparisons) == inputs
        published.write(name, results, keep=keep and whole, pictures={name: report.picture(comparisons)})
    if keep:
        figures.renew()
    text = [
        f"# {report.where(site)}\n",
        *map(report.markdown, comparisons),
        report.settings_table(contestants),
    ]
    (published.RESULTS / f"{name}.md").write_text("\n".join(text), encoding="utf-8")
    click.echo(json.dumps(report.where(site)))
