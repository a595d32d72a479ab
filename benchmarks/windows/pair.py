"""`python -m benchmarks.windows.pair`: what windows cost meters that have none.

The readings of the other job, every 30 minutes: no window is made of them. The same worker runs with windows
switched off, with windows, and with windows and regions, in interleaved rounds; the ratio is that of readings
per CPU-second once started, round by round. Exit 1 if windows cost more than 3%.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from benchmarks.race import contestants, options
from benchmarks.race.comparison import running_rates
from benchmarks.race.contestants import Contestant
from benchmarks.race.environments import compiled
from benchmarks.reporting import figures, published, report
from gridwatch.deployment.signals import exit_when_terminated

LIMIT = 0.97


def _with(name: str, windows: str, flows: str) -> Contestant:
    return replace(contestants.GRIDWATCH, name=name, extra=(("windows", windows), ("region_flows", flows)))


WITHOUT = _with("without", "none", "none")
WINDOWS = _with("windows", "1m,15m", "none")
REGIONS = _with("windows and regions", "1m,15m", "smartmeter")


def to_without(rates: Mapping[str, Sequence[float]]) -> dict[str, report.Spread]:
    """Each of the others' rates by that without windows."""
    return {
        name: report.ratios(theirs, rates[WITHOUT.name])
        for name, theirs in rates.items()
        if name != WITHOUT.name
    }


@click.command(epilog="Example:  python -m benchmarks.windows.pair --readings 200000 --rounds 3")
@options.readings(1_000_000, "Readings in an input.")
@options.whole("meters", (1000, 50_000), "Meters that send them, every 30 minutes.", multiple=True)
@options.whole("rounds", 7, "Interleaved rounds.")
@click.option("--compiled", "with_compiled", is_flag=True, help="With the hot path compiled.")
@options.KEEP
def main(count: int, meters: tuple[int, ...], rounds: int, with_compiled: bool, keep: bool) -> None:
    """Measure the speed with windows as a ratio to that without, on meters that have none."""
    exit_when_terminated()
    if with_compiled:
        compiled()
    among = [replace(one, compiled=with_compiled) for one in (WITHOUT, WINDOWS, REGIONS)]
    results: dict[str, Any] = {"machine": report.machine(), "compiled": with_compiled, "rounds": rounds}
    results["inputs"] = []
    for number in meters:
        rates = running_rates(among, count=count, meters=number, rounds=rounds)
        found = to_without(rates)
        for name, ratio in found.items():
            click.echo(f"{number:>7,} meters   {name:<20} {ratio} of the speed without")
        ratios = {name: vars(ratio) for name, ratio in found.items()}
        results["inputs"].append({"meters": number, "rates": rates, "ratios": ratios})
    published.write("windows-pair", results, keep=keep)
    if keep:
        figures.renew()
    sys.exit(any(one["ratios"][WINDOWS.name]["median"] < LIMIT for one in results["inputs"]))


if __name__ == "__main__":
    main()
