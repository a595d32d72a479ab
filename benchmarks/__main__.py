"""`python -m benchmarks`: all contestants in turn, round by round, on each input; a report at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from benchmarks.race import options
from benchmarks.race.comparison import available, compare, publish
from benchmarks.race.contestants import CONTESTANTS
from benchmarks.reporting.report import Comparison
from gridwatch.deployment.signals import exit_when_terminated


@click.command(epilog="Example:  python -m benchmarks --readings 200000 --meters 1000 --rounds 1 --only quix")
@options.readings(2_000_000, "Readings in an input.")
@options.whole("meters", (1000, 200_000), "Meters that send them.", multiple=True)
@options.whole("rounds", 5, "Interleaved rounds at each size of input.")
@options.whole("partitions", 6, "Partitions of every topic.")
@options.real("latency", "seconds", 15.0, "Seconds at a steady rate; 0: none.", least=0)
@options.only(CONTESTANTS)
@options.KEEP
def main(
    count: int,
    meters: tuple[int, ...],
    rounds: int,
    partitions: int,
    seconds: float,
    only: Sequence[str],
    keep: bool,
) -> None:
    """Measure gridwatch and other frameworks on the same job and the same real Apache Kafka."""
    exit_when_terminated()
    contestants, left_out = available(CONTESTANTS, only)

    def compared() -> Iterator[Comparison]:
        for number in meters:
            click.echo(f"\n{number:,} meters")
            yield compare(
                contestants,
                left_out,
                count=count,
                meters=number,
                rounds=rounds,
                partitions=partitions,
                latency_seconds=seconds,
            )

    publish("race", contestants, compared(), len(meters), keep=keep)


if __name__ == "__main__":
    main()
