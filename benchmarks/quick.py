"""`python -m benchmarks.quick`: a regression check by ratios, within three minutes.

The floor, Bytewax and gridwatch on a short input, three rounds, compared with the last kept results. Starts
are excluded: the input is too short for them. A change within the spread of the rounds is not significant.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.race import options, race
from benchmarks.race.contestants import BROKER, BYTEWAX, FLOOR, GRIDWATCH, Site
from benchmarks.race.environments import NotInstallable, python_of
from benchmarks.race.readings import Feed
from benchmarks.reporting import published, report
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.embedded import EmbeddedKafka
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import RAW

PARTITIONS = 6


def ratios(count: int, meters: int, rounds: int) -> dict[str, report.Spread]:
    """How many times as fast as each other gridwatch is, per CPU-second once started."""
    contestants = [FLOOR, GRIDWATCH]
    python_of("floor")
    try:
        python_of("bytewax")
        contestants.append(BYTEWAX)
    except NotInstallable as problem:
        click.echo(f"left out: {problem}", err=True)
    rates: dict[str, list[float]] = {one.name: [] for one in contestants}
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-quick-") as folder,
        EmbeddedKafka(Path(folder) / "kafka", overrides=BROKER) as kafka,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=PARTITIONS)).create()
        feed = Feed(kafka.bootstrap, RAW.name, PARTITIONS, meters)
        feed.extend(count)
        for _, one in race.interleaved(contestants, rounds):
            result = race.run(one, Site(kafka.bootstrap, PARTITIONS, Path(folder)), feed)
            rates[one.name].append(result.running_rate)
    ours = rates.pop("gridwatch")
    return {name: report.ratios(ours, theirs) for name, theirs in rates.items()}


def compared(meters: int, now: dict[str, report.Spread], before: dict[str, Any]) -> list[str]:
    """A line for each ratio, with the kept one."""
    lines = []
    for name, ratio in now.items():
        kept = before.get(str(meters), {}).get(name)
        then = f"   kept: {report.Spread(**kept)}" if kept else "   kept: none"
        lines.append(f"{meters:>7,} meters   gridwatch / {name:<8} {ratio}{then}")
    return lines


@click.command(epilog="Example:  python -m benchmarks.quick --rounds 1")
@options.readings(200_000, "Readings in an input.")
@options.whole("meters", (1000, 50_000), "Meters.", multiple=True)
@options.whole("rounds", 3, "Interleaved rounds.")
@click.option("--keep", is_flag=True, help="Keep these results as those to compare with.")
def main(count: int, meters: tuple[int, ...], rounds: int, keep: bool) -> None:
    """Compare gridwatch's speed, as ratios to others, with the kept results."""
    exit_when_terminated()
    before = published.kept("quick")
    results: dict[str, Any] = {"machine": report.machine()}
    for number in meters:
        now = ratios(count, number, rounds)
        results[str(number)] = {name: vars(ratio) for name, ratio in now.items()}
        for line in compared(number, now, before):
            click.echo(line)
    if before:
        click.echo(f"kept: {report.where(before['machine'])}")
    published.write("quick", results, keep=keep)


if __name__ == "__main__":
    main()
