"""The replay from CSV to a real Kafka, and the cost of each of its steps: `python -m benchmarks.replay`.

The same readings are in two files, one in order of time and one meter after another. Each round sends both
with `gridwatch replay --speed max` to an empty topic and measures the wall time, the CPU time of the replay's
process from its start to its end, and that of the broker. A round counts only if the topic holds every
reading. Then the steps are run in this process, each with all steps before it, so that the difference is its
own cost; with the file in order of time.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import psutil
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.race.race import cpu_seconds
from gridwatch.deployment.polling import until
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import load_settings
from gridwatch.topics import RAW
from replay.order.emission import EmissionPlan
from replay.order.time_order import TimeOrder
from replay.order.undisturbed import undisturbed
from replay.run.inputs import Inputs
from replay.run.replay import rarely_collected
from replay.run.request import Request
from replay.run.summary import Summary
from replay.sample.households import MONDAY
from replay.sample.lines import lines
from replay.sending.placement import Placement
from replay.sending.sender import Sender

RESULTS = Path(__file__).with_name("results") / "replay.json"
METERS = 5_000
PARTITIONS = 6
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Run:
    """One replay of one file. Seconds; `sending` is wall time from the first record on."""

    order: str
    rows: int
    wall: float
    sending: float
    cpu: float
    broker_cpu: float
    peak_megabytes: float


def send(path: Path, order: str, kafka: EmbeddedKafka, broker: psutil.Process) -> Run:
    """Replay one file. RuntimeError unless the topic then holds every reading and tick."""
    with topic(kafka.bootstrap) as ends:
        before, begun = cpu_seconds(broker), time.perf_counter()
        with tempfile.TemporaryFile("w+") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "replay", str(path), "--json"],
                env=os.environ | {"GRIDWATCH_BROKER": kafka.bootstrap, "GRIDWATCH_TIMEZONE": "UTC"},
                stdout=out,
                stderr=subprocess.DEVNULL,
            )
            _, status, used = os.wait4(process.pid, 0)
            wall, broker_cpu = time.perf_counter() - begun, cpu_seconds(broker) - before
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            summary = json.loads(out.read()) if process.returncode == 0 else {}
        expected = summary.get("rows", 0) + summary.get("tick_records", 0)
        if not expected or ends() != expected:
            raise RuntimeError(f"{path}: {expected:,} records expected, {ends():,} found")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(
        order,
        summary["rows"],
        wall,
        summary["seconds"],
        used.ru_utime + used.ru_stime,
        broker_cpu,
        used.ru_maxrss * unit / 1e6,
    )


@contextmanager
def topic(bootstrap: str, name: str = RAW.name) -> Iterator[Callable[[], int]]:
    """A temporary topic; yields a function that counts its records."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config=RAW.config)])[name].result(30)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench"})

    def ends() -> int:
        return sum(
            consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=30)[1]
            for partition in range(PARTITIONS)
        )

    try:
        yield ends
    finally:
        consumer.close()
        admin.delete_topics([name])[name].result(30)
        until("the topic is gone", lambda: name not in admin.list_topics(timeout=30).topics, TIMEOUT_SECONDS)


def steps(path: Path, kafka: EmbeddedKafka) -> dict[str, float]:
    """CPU seconds of all threads of this process for the steps up to each one."""
    request, policy = Request((path,)), load_settings().policy()
    plan = EmissionPlan(policy.max_out_of_orderness, policy.grace)

    def read() -> Iterator[list[Any]]:
        return Inputs(request, "UTC", Summary()).read()

    def order() -> Iterator[list[Any]]:
        with TimeOrder(read) as ordered:
            yield from ordered.blocks()

    def through() -> None:
        settings = load_settings(broker=kafka.bootstrap)
        name = f"bench-{uuid.uuid4().hex[:8]}"
        with (
            topic(kafka.bootstrap, name),
            Sender(settings, name, "bench", Placement(PARTITIONS), (-1,) * PARTITIONS) as sender,
        ):
            number = 0
            for part in undisturbed(order(), plan):
                if isinstance(part, list):
                    sender.readings(number, part)
                    number += len(part)
                else:
                    sender.tick(number, part.instant)
                    number += 1
            sender.flush()

    def exhaust(made: Iterator[Any]) -> None:
        for _ in made:
            pass

    works: dict[str, Callable[[], None]] = {
        "lines to rows, once": lambda: exhaust(read()),
        "survey, order": lambda: exhaust(order()),
        "ticks": lambda: exhaust(undisturbed(order(), plan)),
        "JSON, record batches, sending": through,
    }
    found = {}
    for name, work in works.items():
        begun = time.process_time()
        with rarely_collected():
            work()
        found[name] = time.process_time() - begun
    return found


def report(runs: list[Run], gone: list[dict[str, float]]) -> dict[str, Any]:
    """Print medians with their spread; returns them."""
    rows = runs[0].rows
    click.echo(f"{rows:,} readings of {METERS:,} meters, {PARTITIONS} partitions; medians of {len(gone)}")
    click.echo(
        f"{'file is sorted':<15}{'readings/s, all':>22}{'while sending':>22}{'per CPU-s':>12}"
        f"{'with broker':>13}{'memory':>9}"
    )
    found: dict[str, Any] = {}
    for order in ("by time", "by meter"):
        of = [run for run in runs if run.order == order]
        whole = [rows / run.wall for run in of]
        sending = [rows / run.sending for run in of]
        cpu = median(rows / run.cpu for run in of)
        both = median(rows / (run.cpu + run.broker_cpu) for run in of)
        peak = max(run.peak_megabytes for run in of)
        click.echo(
            f"{order:<15}{_spread(whole):>22}{_spread(sending):>22}{cpu:>12,.0f}{both:>13,.0f}"
            f"{peak:>6,.0f} MB"
        )
        found[order] = {
            "wall": median(whole),
            "sending": median(sending),
            "per_cpu_second": cpu,
            "per_cpu_second_with_broker": both,
        }
    click.echo(f"\n{'µs of CPU a reading':<34}{'step':>8}{'so far':>8}")
    so_far = 0.0
    found["steps"] = {}
    for name in gone[0]:
        whole_cost = 1e6 * median(one[name] for one in gone) / rows
        click.echo(f"{name:<34}{whole_cost - so_far:>8.2f}{whole_cost:>8.2f}")
        found["steps"][name] = whole_cost - so_far
        so_far = whole_cost
    return found


def _spread(values: list[float]) -> str:
    return f"{median(values):,.0f} ({min(values) / 1e3:,.0f}–{max(values) / 1e3:,.0f}k)"


@click.command(epilog="Example:  python -m benchmarks.replay --rows 1000000 --rounds 3")
@click.option("--rows", type=click.IntRange(1), default=2_000_000, show_default=True, help="Of each file.")
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="Rounds for the medians."
)
def main(rows: int, rounds: int) -> None:
    """Measure the replay from CSV to Kafka at full speed, and the cost of each step per reading."""
    exit_when_terminated()
    days = -(-rows // (METERS * 48))
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-bench-") as name,
        EmbeddedKafka(Path(name) / "kafka") as kafka,
    ):
        files = {"by time": Path(name) / "by-time.csv", "by meter": Path(name) / "by-meter.csv"}
        for order, path in files.items():
            with path.open("w", encoding="utf-8") as file:
                file.writelines(lines(METERS, days, 30, 0, MONDAY, order == "by time"))
        broker = next(one for one in psutil.Process().children() if "kafka.Kafka" in one.cmdline())
        runs, gone = [], []
        for _ in range(rounds):
            runs += [send(path, order, kafka, broker) for order, path in files.items()]
            gone.append(steps(files["by time"], kafka))
        found = report(runs, gone)
    found |= {"rows": runs[0].rows, "rounds": rounds, "python": platform.python_version()}
    found |= {"cores": os.cpu_count(), "runs": [asdict(run) for run in runs]}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    click.echo(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
