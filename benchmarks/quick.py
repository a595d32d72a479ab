"""`python -m benchmarks.quick`: a regression check by ratios, within four minutes.

The floor, Bytewax and gridwatch on short inputs, three rounds, compared with the last kept results. Starts
are excluded: the inputs are too short for them. A change within the spread of the rounds is not significant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from benchmarks.race import comparison, contestants, options
from benchmarks.race.contestants import Contestant
from benchmarks.race.readings import Feed
from benchmarks.reporting import published, report
from benchmarks.windows import contestants as windows
from benchmarks.windows.minutes import MinuteFeed
from gridwatch.deployment.signals import exit_when_terminated

#: Those of the job, the meters that have windows among them.
PLAIN = (contestants.FLOOR, contestants.GRIDWATCH, contestants.BYTEWAX)
WINDOWS = (windows.FLOOR, windows.GRIDWATCH, windows.BYTEWAX)
_METERS_OF_10_S = 5000
#: A reading costs more in this job: it gets this part of the readings.
_PART = 0.5


def ratios(
    among: Sequence[Contestant], count: int, meters: int, rounds: int, feed: type[Feed] = Feed
) -> dict[str, report.Spread]:
    """How many times as fast as each other gridwatch is, per CPU-second once started."""
    ready, _ = comparison.available(among, ())
    rates = comparison.running_rates(ready, count=count, meters=meters, rounds=rounds, feed=feed)
    ours = rates.pop("gridwatch")
    return {name: report.ratios(ours, theirs) for name, theirs in rates.items()}


def compared(job: str, now: Mapping[str, report.Spread], before: Mapping[str, Any]) -> list[str]:
    """A line for each ratio, with the kept one."""
    lines = []
    for name, ratio in now.items():
        kept = before.get(name)
        then = f"   kept: {report.Spread(**kept)}" if kept else "   kept: none"
        lines.append(f"{job:>14}   gridwatch / {name:<8} {ratio}{then}")
    return lines


@click.command(epilog="Example:  python -m benchmarks.quick --rounds 1")
@options.readings(200_000, "Readings in an input.")
@options.whole("meters", (1000, 50_000), "Meters.", multiple=True)
@options.whole("rounds", 3, "Interleaved rounds.")
@click.option("--windows/--no-windows", "minutes", default=True, help="Sums by minute as well.")
@click.option("--keep", is_flag=True, help="Keep these results as those to compare with.")
def main(count: int, meters: tuple[int, ...], rounds: int, minutes: bool, keep: bool) -> None:
    """Compare gridwatch's speed, as ratios to others, with the kept results."""
    exit_when_terminated()
    before = published.kept("quick")
    results: dict[str, Any] = {"machine": report.machine()}

    def say(name: str, job: str, now: dict[str, report.Spread]) -> None:
        results[name] = {other: vars(ratio) for other, ratio in now.items()}
        for line in compared(job, now, before.get(name, {})):
            click.echo(line)

    for number in meters:
        say(str(number), f"{number:,} meters", ratios(PLAIN, count, number, rounds))
    if minutes:
        say("windows", "windows", ratios(WINDOWS, int(count * _PART), _METERS_OF_10_S, rounds, MinuteFeed))
    if before:
        click.echo(f"kept: {report.where(before['machine'])}")
    published.write("quick", results, keep=keep)


if __name__ == "__main__":
    main()
