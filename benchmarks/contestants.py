"""Who takes part, how each is started, and how much of the input each is given."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.readings import end_offsets
from gridwatch.embedded.ports import free_ports
from gridwatch.topics import VALIDATED


@dataclass(frozen=True)
class Run:
    """A started contestant."""

    process: subprocess.Popen[bytes]
    output: str
    #: End offset of each partition of the output before it started.
    first: list[int]


@dataclass(frozen=True)
class Contestant:
    """One way to do the job. `share` is the part of the input that it is given: slow ones get a prefix."""

    name: str
    durable: bool
    share: float
    start: Callable[[str, int, Path], Run]


def _topic(bootstrap: str, name: str, partitions: int) -> str:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result()
    return name


def _start(command: list[str], folder: Path, extra: dict[str, str]) -> subprocess.Popen[bytes]:
    log = (folder / "log").open("wb")
    return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | extra)


def _peer(command: list[str], bootstrap: str, partitions: int, folder: Path, name: str) -> Run:
    output = _topic(bootstrap, f"bench-{name}-{uuid.uuid4().hex[:8]}", partitions)
    process = _start(
        command,
        folder,
        {
            "BENCH_OUTPUT": output,
            "BENCH_BOOTSTRAP": bootstrap,
            "BENCH_PARTITIONS": str(partitions),
            "BENCH_DATADIR": str(folder / "data"),
        },
    )
    return Run(process, output, [0] * partitions)


def start_floor(bootstrap: str, partitions: int, folder: Path) -> Run:
    """The confluent-kafka loop."""
    return _peer([sys.executable, "-m", "benchmarks.floor"], bootstrap, partitions, folder, "floor")


def start_stock_faust(bootstrap: str, partitions: int, folder: Path) -> Run:
    """Faust as it comes."""
    command = [
        sys.executable,
        "-m",
        "faust",
        "-A",
        "benchmarks.stock_faust",
        "worker",
        "-l",
        "warn",
        "--without-web",
    ]
    return _peer(command, bootstrap, partitions, folder, "faust")


def gridwatch_settings(bootstrap: str, partitions: int, folder: Path) -> dict[str, str]:
    """The settings, as environment, of a worker with state and changelog of its own."""
    return {
        "GRIDWATCH_BROKER": bootstrap,
        "GRIDWATCH_PARTITIONS": str(partitions),
        # The input is shared and ends: ticks after it would be no readings to the others.
        "GRIDWATCH_IDLE_TIMEOUT": "1d",
        "GRIDWATCH_APP_ID": f"bench-gridwatch-{uuid.uuid4().hex[:8]}",
        "GRIDWATCH_DATADIR": str(folder / "data"),
        "GRIDWATCH_WEB_PORT": str(free_ports(1)[0]),
    }


def create_topics(settings: dict[str, str]) -> None:
    """Make the topics that a worker with these settings needs."""
    command = [sys.executable, "-m", "gridwatch", "topics", "create"]
    subprocess.run(command, env=os.environ | settings, check=True, capture_output=True)


def start_gridwatch(bootstrap: str, partitions: int, folder: Path) -> Run:
    """gridwatch's worker, its state and changelog fresh."""
    extra = gridwatch_settings(bootstrap, partitions, folder)
    create_topics(extra)
    first = end_offsets(bootstrap, VALIDATED.name, partitions)
    command = [sys.executable, "-m", "gridwatch", "worker", "-l", "warn", "--without-web"]
    process = _start(command, folder, extra)
    return Run(process, VALIDATED.name, first)


CONTESTANTS = (
    Contestant("floor: confluent-kafka, orjson, dict", False, 1.0, start_floor),
    Contestant("stock Faust, RocksDB and changelog", True, 0.03, start_stock_faust),
    Contestant("gridwatch, RocksDB and changelog", True, 1.0, start_gridwatch),
)
