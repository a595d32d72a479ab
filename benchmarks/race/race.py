"""One contestant, one round: start it, wait for its outputs, read the CPU time of its process tree."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import psutil

from benchmarks.race.contestants import Contestant, Run, Site
from benchmarks.race.readings import Feed, Span, records_of

TIMEOUT_SECONDS = 600.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Result:
    """The result of one contestant in one round. CPU and wall times in seconds, memory in bytes."""

    contestant: str
    readings: int
    cpu: float
    wall: float
    #: Peak resident memory of the whole process tree, sampled ten times a second.
    memory: int
    #: When the first outputs were seen, and how many.
    start_readings: int
    start_cpu: float
    start_wall: float
    #: Of the machine, over the minute before.
    load: float

    @property
    def rate(self) -> float:
        """Readings per CPU-second of the whole process tree, its start included."""
        return self.readings / self.cpu

    @property
    def running_rate(self) -> float:
        """Readings per CPU-second once it had started."""
        return (self.readings - self.start_readings) / max(self.cpu - self.start_cpu, 0.01)

    @property
    def wall_rate(self) -> float:
        """Readings per second once it had started."""
        return (self.readings - self.start_readings) / max(self.wall - self.start_wall, _POLL_SECONDS)


class WrongOutputs(click.ClickException):
    """A contestant's outputs are wrong: its figure does not count."""


def cpu_seconds(root: psutil.Process) -> float:
    """User and system time of a process and everything below it, living or ended.

    An exited process is in the child times of its parent, which waited for it; none is counted twice.
    """
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(root: psutil.Process) -> int:
    """Resident bytes of a process and everything below it."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def run(contestant: Contestant, site: Site, feed: Feed) -> Result:
    """Run a contestant on the whole feed. Raises WrongOutputs if its outputs are not the expected ones."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="run-", dir=site.folder) as folder:
        started = Run(contestant, site, feed.topic, Path(folder))
        try:
            result, spans = watch(contestant, started, feed, load)
        finally:
            started.kill()
        for span in spans:
            values = (record.value() for record in records_of(site.bootstrap, span))
            if wrong := feed.problem(span.topic, values):
                raise WrongOutputs(f"{contestant.name} {wrong}")
        started.clear()
    return result


def watch(contestant: Contestant, started: Run, feed: Feed, load: float) -> tuple[Result, list[Span]]:
    """Wait until a contestant has written all records of each output; returns also what it wrote.

    Its first output tells how far it is.
    """
    begun = time.monotonic()
    trees = [psutil.Process(process.process.pid) for process in started.processes]
    peak = 0
    start: tuple[int, float, float] | None = None
    while True:
        spans = started.written()
        wall = time.monotonic() - begun
        cpu = sum(map(cpu_seconds, trees))
        peak = max(peak, sum(map(memory, trees)))
        done = feed.processed(spans[0])
        if done and start is None:
            start = (done, cpu, wall)
        if start is not None and all(span.count >= feed.wanted(span.topic) for span in spans):
            return Result(contestant.name, feed.count, cpu, wall, peak, *start, load), spans
        if wall > TIMEOUT_SECONDS:
            raise RuntimeError(f"{contestant.name}: {done:,} of {feed.count:,} readings after {wall:.0f} s")
        time.sleep(_POLL_SECONDS)


def interleaved(contestants: Sequence[Contestant], rounds: int) -> list[tuple[int, Contestant]]:
    """The order of runs: each contestant once per round, rotated, so that no position is favoured."""
    order = []
    for number in range(rounds):
        first = number % len(contestants)
        order += [(number + 1, one) for one in (*contestants[first:], *contestants[:first])]
    return order
