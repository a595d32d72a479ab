"""A large file sorted by meter, replayed in order of time in bounded memory: `python -m benchmarks.merge`.

The file has the layout of London's, one household after another (`gridwatch sample --profile london`), and is
sent with `gridwatch replay --profile london --memory 500M` to a real Kafka. Measured meanwhile: the memory of
all of the replay's processes and the disk space of its sorted runs. Afterwards the topic must hold every
reading and tick, each partition in order of time, and the temporary folder must be empty.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import msgspec
import psutil
from confluent_kafka import Consumer, TopicPartition

from benchmarks.race.race import cpu_seconds
from benchmarks.replay import PARTITIONS, topic
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import RAW, ROW_HEADER, TICK_HEADER
from replay.cli.options import SizeType
from replay.sample.lines import FORMS

RESULTS = Path(__file__).with_name("results") / "merge.json"
HOUSEHOLDS = 5_500
_POLL_SECONDS = 0.25
#: How many records of each partition are checked for order, at either end.
_LOOKED_AT = 50_000


@dataclass(frozen=True)
class Result:
    """Of one run. Seconds and bytes; `sending` is from the first record on, by the clock."""

    file_bytes: int
    rows: int
    limit: int
    memory: int
    room: int
    room_reckoned: int
    wall: float
    sending: float
    cpu: float
    broker_cpu: float


class _Reading(msgspec.Struct):
    timestamp: str


def make(path: Path, size: int) -> None:
    """Write a file of about `size` bytes."""
    form = FORMS["london"]
    line = len(form.line.format(form.meter.format(1), form.stamp(0), 0.0))
    days = max(1, round(size / line / HOUSEHOLDS / 48))
    command = [sys.executable, "-m", "gridwatch", "sample", "--profile", "london", "--order", "meter"]
    options = ["--meters", str(HOUSEHOLDS), "--days", str(days), "-o", str(path)]
    subprocess.run([*command, *options], check=True)


def run(path: Path, kafka: EmbeddedKafka, limit: int, temporary: Path) -> Result:
    """Replay the file. RuntimeError unless the topic is complete and in order afterwards."""
    broker = next(one for one in psutil.Process().children() if "kafka.Kafka" in one.cmdline())
    environment = os.environ | {
        "GRIDWATCH_BROKER": kafka.bootstrap,
        "GRIDWATCH_TIMEZONE": "UTC",
        "TMPDIR": str(temporary),
    }
    command = [sys.executable, "-m", "replay", str(path), "--profile", "london", "--memory", str(limit)]
    with topic(kafka.bootstrap) as ends, (temporary / "replay.json").open("w+") as out:
        before, begun = cpu_seconds(broker), time.perf_counter()
        process = subprocess.Popen([*command, "--json"], env=environment, stdout=out)
        memory = room = 0
        cpu = 0.0
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                all_of_it = [tree, *tree.children(recursive=True)]
                memory = max(memory, sum(one.memory_info().rss for one in all_of_it))
                cpu = cpu_seconds(tree)
            except psutil.NoSuchProcess:
                break
            room = max(room, _size(temporary))
            time.sleep(_POLL_SECONDS)
        wall = time.perf_counter() - begun
        if process.wait() != 0:
            raise RuntimeError("the replay failed")
        out.seek(0)
        summary = json.loads(out.read())
        left = [one.name for one in temporary.iterdir() if one.name != "replay.json"]
        if left:
            raise RuntimeError(f"left behind: {left}")
        expected = summary["readings"] + summary["tick_records"]
        if summary["readings"] != summary["rows"] or ends() != expected:
            raise RuntimeError(f"{expected:,} records expected, {ends():,} found")
        _check_order(kafka.bootstrap)
        return Result(
            path.stat().st_size,
            summary["rows"],
            limit,
            memory,
            room,
            summary["temp_bytes_estimated"],
            wall,
            summary["seconds"],
            cpu,
            cpu_seconds(broker) - before,
        )


def _size(folder: Path) -> int:
    total = 0
    for one in folder.rglob("run-*"):
        try:
            total += one.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _check_order(bootstrap: str) -> None:
    """Check both ends of each partition: timestamps never decrease, row numbers increase."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False})
    stamp_of = msgspec.json.Decoder(_Reading).decode
    for partition in range(PARTITIONS):
        low, high = consumer.get_watermark_offsets(TopicPartition(RAW.name, partition), timeout=30)
        for start in (low, max(low, high - _LOOKED_AT)):
            consumer.assign([TopicPartition(RAW.name, partition, start)])
            stamp, number = "", -1
            for message in consumer.consume(min(_LOOKED_AT, high - start), 60):
                headers = dict(message.headers())
                row = int(headers[ROW_HEADER])
                at = stamp if TICK_HEADER in headers else stamp_of(message.value()).timestamp
                if row <= number or at < stamp:
                    raise RuntimeError(f"partition {partition} is out of order at {message.offset()}")
                stamp, number = at, row
    consumer.close()


def report(result: Result) -> None:
    """Print the result."""
    click.echo(
        f"{result.rows:,} readings, {result.file_bytes / 1e9:.2f} GB sorted by household, "
        f"--memory {result.limit / 1e6:,.0f} MB\n"
        f"memory      {result.memory / 1e6:,.0f} MB at most, all processes of the replay\n"
        f"on disk     {result.room / 1e9:.2f} GB at most (reckoned {result.room_reckoned / 1e9:.2f} GB), "
        "nothing left\n"
        f"by clock    {result.wall:,.0f} s: {result.wall - result.sending:,.0f} s to read and sort, "
        f"{result.sending:,.0f} s to merge and send: {result.rows / result.wall:,.0f} readings/s in all\n"
        f"per CPU-s   {result.rows / result.cpu:,.0f} readings; with the broker's "
        f"{result.rows / (result.cpu + result.broker_cpu):,.0f}"
    )


@click.command(epilog="Example:  python -m benchmarks.merge --size 200M --memory 200M")
@click.option("--size", type=SizeType(), default="2000M", show_default=True, help="Of the file.")
@click.option("--memory", type=SizeType(), default="500M", show_default=True, help="For the whole replay.")
@click.option("--file", type=click.Path(exists=True, path_type=Path), help="Use this file instead.")
def main(size: int, memory: int, file: Path | None) -> None:
    """Replay a large file that is sorted by meter, and measure memory, disk space and time."""
    exit_when_terminated()
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-bench-") as name,
        EmbeddedKafka(Path(name) / "kafka") as kafka,
    ):
        temporary = Path(name) / "temporary"
        temporary.mkdir()
        if file is None:
            file = Path(name) / "london.csv"
            make(file, size)
        result = run(file, kafka, memory, temporary)
    report(result)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(asdict(result), indent=2) + "\n")
    click.echo(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
