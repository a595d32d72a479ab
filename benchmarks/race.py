"""One contestant, one round: start it, wait for its outputs, read its CPU time off the process tree."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.contestants import Contestant
from benchmarks.readings import end_offsets, said_between

PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Result:
    """What one contestant did in one round. `cpu` and `wall` in seconds, `memory` in bytes."""

    contestant: str
    readings: int
    cpu: float
    wall: float
    memory: int

    @property
    def rate(self) -> float:
        """Readings per CPU-second of the whole process tree, its start included."""
        return self.readings / self.cpu


class WrongOutputs(Exception):
    """A contestant's outputs are not everybody's: its figure does not count."""


def cpu_seconds(root: psutil.Process) -> float:
    """User and system time of a process and everything below it."""
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def run(
    contestant: Contestant, bootstrap: str, partitions: int, count: int, expected: list[list[bytes]] | None
) -> tuple[Result, list[list[bytes]]]:
    """Let a contestant do its share of the input. Raises WrongOutputs if it says other than `expected`."""
    wanted = int(count * contestant.share)
    folder = Path(tempfile.mkdtemp(prefix="gridwatch-bench-"))
    begun = time.monotonic()
    started = contestant.start(bootstrap, partitions, folder)
    first = started.first
    tree = psutil.Process(started.process.pid)
    try:
        while True:
            last = end_offsets(bootstrap, started.output, partitions)
            if sum(last) - sum(first) >= wanted:
                break
            if started.process.poll() is not None or time.monotonic() - begun > PATIENCE_SECONDS:
                raise RuntimeError(
                    f"{contestant.name} stopped early:\n{(folder / 'log').read_text()[-4000:]}"
                )
            time.sleep(0.2)
        cpu = cpu_seconds(tree)
        wall = time.monotonic() - begun
        memory = tree.memory_info().rss
    finally:
        started.process.kill()
        started.process.wait()
    said = said_between(bootstrap, started.output, first, last)
    shutil.rmtree(folder, ignore_errors=True)
    if expected is not None:
        for partition, (ours, theirs) in enumerate(zip(said, expected, strict=True)):
            if ours != theirs[: len(ours)]:
                raise WrongOutputs(f"{contestant.name}: partition {partition} differs")
    return Result(contestant.name, sum(map(len, said)), cpu, wall, memory), said
