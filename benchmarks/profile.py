"""`python -m benchmarks.profile`: the worker's CPU time by stage, as a table and a plot.

A worker with the sampler of `sampled.py` processes a whole input from a real Apache Kafka. CPU time before
the first validated reading is start-up and excluded.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.measuring import stages
from benchmarks.race import options, readings
from benchmarks.race.contestants import BROKER, gridwatch_settings
from benchmarks.race.environments import ROOT
from benchmarks.reporting import charts, figures, published, report
from benchmarks.reporting.published import RESULTS
from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.process import ChildProcess
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.embedded import EmbeddedKafka
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import VALIDATED

TIMEOUT_SECONDS = 600.0
_PAUSE_SECONDS = 0.05
_MOST_FUNCTIONS = 3


@dataclass(frozen=True)
class Profile:
    """Of one input: µs of CPU for each reading by stage, and the functions behind them."""

    meters: int
    partitions: int
    readings: int
    load: float
    stages: dict[str, float]
    functions: dict[str, list[tuple[str, float]]]

    @property
    def total(self) -> float:
        """µs of CPU for each reading."""
        return sum(self.stages.values())


def profile(count: int, meters: int, partitions: int, flame: Path) -> Profile:
    """Measure one worker on `count` readings of `meters`; the stacks themselves go to the file `flame`."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-profile-") as name,
        EmbeddedKafka(Path(name) / "kafka", overrides=BROKER) as kafka,
    ):
        folder = Path(name)
        settings = gridwatch_settings(kafka.bootstrap, partitions)
        Broker(load_settings(**settings)).create()
        readings.load(kafka.bootstrap, partitions, count, meters)
        file = folder / "stacks"
        command = [sys.executable, "-m", "benchmarks.measuring.sampled", str(file)]
        command += ["worker", "-l", "warn", "--without-web"]
        environment = environment_of(settings | {"datadir": folder / "data"}) | {"PYTHONPATH": str(ROOT)}
        load = os.getloadavg()[0]
        with ChildProcess("worker", command, folder, environment) as worker:
            worker.start()
            first = _until_validated(worker, kafka.bootstrap, partitions, 1)
            before = _stacks(worker, file)
            last = _until_validated(worker, kafka.bootstrap, partitions, count)
            after = _stacks(worker, file)
    stacks = stages.between(before, after)
    flame.parent.mkdir(parents=True, exist_ok=True)
    flame.write_text("".join(f"{stack} {weight}\n" for stack, weight in stacks.items()))
    done = last - first
    if not done:
        raise click.UsageError(f"{count:,} readings are processed before the first poll; use more")
    return Profile(
        meters,
        partitions,
        done,
        load,
        {stage: weight / done for stage, weight in stages.by_stage(stacks).items()},
        {
            stage: [(function, weight / done) for function, weight in most]
            for stage, most in stages.functions(stacks, _MOST_FUNCTIONS).items()
        },
    )


def _until_validated(worker: ChildProcess, bootstrap: str, partitions: int, wanted: int) -> int:
    """Wait for that many validated readings; returns how many there are."""

    def validated() -> int:
        found = sum(readings.end_offsets(bootstrap, VALIDATED.name, partitions))
        return found if found >= wanted else 0

    return worker.until("readings are validated", validated, TIMEOUT_SECONDS, pause=_PAUSE_SECONDS)


def _stacks(worker: ChildProcess, file: Path) -> dict[str, int]:
    """What the sampler has by now."""
    file.unlink(missing_ok=True)
    os.kill(worker.process.pid, signal.SIGVTALRM)
    worker.until("it has written its stacks", file.exists, TIMEOUT_SECONDS)
    return stages.parse(file.read_text())


def say(one: Profile) -> None:
    """Print a profile as a table."""
    click.echo(
        f"\n{one.readings:,} readings of {one.meters:,} meters in {one.partitions} partitions: "
        f"{one.total:.1f} µs of CPU a reading, machine load {one.load:.1f} before"
    )
    for stage, cost in one.stages.items():
        most = ", ".join(f"{function} {own:.2f}" for function, own in one.functions.get(stage, ()))
        click.echo(f"{stage:<9}{cost:>7.2f} µs{cost / one.total:>7.1%}   {most}")


def picture(profiles: list[Profile]) -> str:
    """The stages of up to four profiles as one SVG."""
    return charts.bars(
        "CPU time of the worker by stage",
        "µs for each reading",
        [f"{one.meters:,} meters ({one.total:.1f} µs)" for one in profiles],
        [(stage, [charts.Value(one.stages[stage]) for one in profiles]) for stage in stages.STAGES],
    )


@click.command(epilog="Example:  python -m benchmarks.profile --meters 200000 --readings 500000")
@options.readings(1_000_000, "Readings in the input.")
@options.whole("meters", (1000, 200_000), "Meters.", multiple=True)
@options.whole("partitions", 6, "Partitions of every topic.")
@options.KEEP
def main(count: int, meters: tuple[int, ...], partitions: int, keep: bool) -> None:
    """Profile a worker by stage, once for each number of meters."""
    exit_when_terminated()
    if not hasattr(time, "pthread_getcpuclockid"):
        raise click.ClickException("this system has no CPU clock for each thread: profile on Linux")
    site = report.machine()
    profiles = []
    for number in meters:
        profiles.append(profile(count, number, partitions, RESULTS / f"profile-{number}.stacks"))
        say(profiles[-1])
    results = {
        "machine": site,
        "meaning": dict(stages.STAGES),
        "profiles": [asdict(one) for one in profiles],
    }
    published.write("profile", results, keep=keep, pictures={"profile": picture(profiles)})
    if keep:
        figures.renew()
    click.echo(f"for flame graphs: {RESULTS}/profile-*.stacks")


if __name__ == "__main__":
    main()
