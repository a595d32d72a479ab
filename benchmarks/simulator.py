"""How fast the simulator makes readings: `python -m benchmarks.simulator`.

CPU seconds of one process on one core, for a fleet of 5 000 meters every 10 s, after the start. Each step is
measured with all before it: the arrays of the model, the rows that are sent, and the whole sequence without
a broker (ticks, and with faults and their truth). The floor is for rows. Exit 1 below it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import SECOND
from gridwatch.settings import load_settings
from gridwatch.simulator.request import Request
from gridwatch.simulator.simulation import Simulation
from replay.run.progress import Quiet
from replay.run.replay import rarely_collected

START = parse_instant("2026-03-02T17:00:00Z")[0]
#: Readings that a CPU second must make at least.
FLOOR = 200_000
_FAULTS = {"drop": 0.02, "duplicate": 0.02, "late": 0.1}


def simulation(meters: int, every: int, minutes: int, **more: object) -> Simulation:
    """A simulation of an evening, started: what lies before it has been added up."""
    request = Request(meters, every, 4, START, START + minutes * 60 * SECOND, **more)  # type: ignore[arg-type]
    made = Simulation(request, load_settings(), Quiet(), click.echo)
    next(made.blocks())
    return made


def rate(readings: int, work: Callable[[], object]) -> float:
    """Readings a CPU second."""
    begun = time.process_time()
    with rarely_collected():
        work()
    return readings / (time.process_time() - begun)


def measure(meters: int, minutes: int) -> dict[str, float]:
    """Readings a CPU second for each step with all before it."""
    found: dict[str, float] = {}
    readings = meters * minutes * 6

    one = simulation(meters, 10, minutes)
    start, end = START // SECOND, START // SECOND + minutes * 60
    found["start (s)"] = _seconds(lambda: simulation(meters, 10, 1))
    found["arrays"] = rate(readings, lambda: deque(one.meters.between(start, end), maxlen=0))
    found["rows"] = rate(readings, lambda: deque(one.blocks(), maxlen=0))
    found["sequence"] = rate(readings, simulation(meters, 10, minutes).plan)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truth.jsonl"
        minutely = simulation(meters, 60, minutes, truth=path, **_FAULTS)
        found["sequence, faults, truth"] = rate(meters * minutes, minutely.plan)
    return found


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


@click.command(epilog="Example:  python -m benchmarks.simulator --meters 5000 --rounds 3")
@click.option("--meters", type=click.IntRange(1), default=5_000, show_default=True, help="Of the fleet.")
@click.option("--minutes", type=click.IntRange(1), default=20, show_default=True, help="Of event time.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Medians are of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def main(meters: int, minutes: int, rounds: int, as_json: bool) -> None:
    """Measure how many readings a second one core makes."""
    runs = [measure(meters, minutes) for _ in range(rounds)]
    found = {name: median(run[name] for run in runs) for name in runs[0]}
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{meters:,} meters, {minutes} min of event time, one core; medians of {rounds}")
        for name, value in found.items():
            click.echo(f"{name:<26}{value:>14,.2f}" if "(s)" in name else f"{name:<26}{value:>14,.0f} /s")
    if found["rows"] < FLOOR:
        click.echo(f"rows: less than {FLOOR:,} a second", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
