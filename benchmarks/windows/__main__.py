"""`python -m benchmarks.windows`: consumption by meter and minute, all contestants in turn."""

from __future__ import annotations

from collections.abc import Sequence

import click

from benchmarks.race import options
from benchmarks.race.comparison import available, compare, publish
from benchmarks.windows.contestants import CONTESTANTS
from benchmarks.windows.minutes import MinuteFeed
from gridwatch.deployment.signals import exit_when_terminated


@click.command(epilog="Example:  python -m benchmarks.windows --readings 200000 --rounds 1 --only quix")
@options.readings(2_000_000, "Readings in the input.")
@options.whole("meters", 5000, "Meters that send them, every 10 s.")
@options.whole("rounds", 5, "Interleaved rounds at each size of input.")
@options.whole("partitions", 6, "Partitions of every topic.")
@options.only(CONTESTANTS)
@options.KEEP
def main(count: int, meters: int, rounds: int, partitions: int, only: Sequence[str], keep: bool) -> None:
    """Measure gridwatch and other frameworks at adding up each meter's consumption by minute."""
    exit_when_terminated()
    contestants, left_out = available(CONTESTANTS, only)
    compared = (
        compare(
            contestants,
            left_out,
            count=count,
            meters=number,
            rounds=rounds,
            partitions=partitions,
            feed=MinuteFeed,
        )
        for number in (meters,)
    )
    publish("windows", contestants, compared, 1, keep=keep)


if __name__ == "__main__":
    main()
