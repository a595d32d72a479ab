"""`python -m benchmarks.latency`: the latency from a sent reading to its validated record, and to its row.

At a steady rate below the maximum, measured outside of the contestant: a reading carries its send time
(`pacer.py`), a contestant copies that, and a consumer here takes the time when the validated record arrives.
The contestant is started before, and the first third of the time is excluded: only the steady state counts.

To the database: PostgreSQL records the commit time of each transaction (`track_commit_timestamp`), and a row
names its raw record, which has the send time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import msgspec
import psycopg2
from confluent_kafka import Consumer, TopicPartition

from benchmarks.measuring.pacer import FIRST
from benchmarks.measuring.percentiles import Latency, latency_of, steady
from benchmarks.race import options
from benchmarks.race.contestants import BROKER, GRIDWATCH, Contestant, Run, Site, gridwatch_settings
from benchmarks.race.environments import ROOT
from benchmarks.race.race import TIMEOUT_SECONDS
from benchmarks.race.readings import records_of, written_to
from benchmarks.reporting import figures, published, report
from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.deployment.site import Site as Deployment
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import RAW
from sinks.schema.version import migrate

#: How long after the last sent reading its output is waited for, seconds.
_OUTPUT_SECONDS = 60.0
#: Of a row: when it could be read, µs since the epoch.
COMMITTED_AT = "(extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1e6)::bigint"


class _Stamped(msgspec.Struct):
    sent_at: str


_decode_stamped = msgspec.json.Decoder(_Stamped).decode


def measure(contestant: Contestant, partitions: int, meters: int, rate: float, seconds: float) -> Latency:
    """Run a contestant at a steady rate, on a broker of its own. RuntimeError if it cannot keep up."""
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-latency-") as name,
        EmbeddedKafka(Path(name) / "kafka", overrides=BROKER) as kafka,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=partitions)).create()
        site = Site(kafka.bootstrap, partitions, Path(name))
        started = Run(contestant, site, RAW.name, Path(name))
        try:
            pacer = pace(kafka.bootstrap, partitions, meters, rate, seconds)
            try:
                _awake(started, pacer)
                go(pacer)
                waits = _waits(started, site, int(rate * seconds), seconds)
            finally:
                pacer.kill()
                pacer.wait()
        finally:
            started.kill()
    return latency_of(contestant.name, rate, seconds, waits, load)


def pace(
    bootstrap: str, partitions: int, meters: int, rate: float, seconds: float
) -> subprocess.Popen[bytes]:
    """Start sending readings to the raw topic: the first ones at once, the rest after a line on stdin."""
    numbers = (partitions, meters, rate, seconds)
    command = [sys.executable, "-m", "benchmarks.measuring.pacer", bootstrap, RAW.name, *map(str, numbers)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)


def _awake(started: Run, pacer: subprocess.Popen[bytes]) -> None:
    """Wait until the first readings are validated."""

    def validated() -> bool:
        if pacer.poll() is not None:
            raise RuntimeError("the sender of readings has ended")
        return started.written()[0].count >= FIRST

    until("the first readings are validated", validated, TIMEOUT_SECONDS, pause=0.1)


def go(pacer: subprocess.Popen[bytes]) -> None:
    """Start the steady rate."""
    assert pacer.stdin is not None
    pacer.stdin.write(b"\n")
    pacer.stdin.flush()


def _waits(started: Run, site: Site, wanted: int, seconds: float) -> list[float]:
    """The latency of each reading in milliseconds, of those sent after the first third."""
    consumer = Consumer(
        {"bootstrap.servers": site.bootstrap, "group.id": "benchmarks", "enable.auto.commit": False}
        | {"fetch.wait.max.ms": 10, "fetch.min.bytes": 1, "log_level": 0}
    )
    output = started.written()[0]
    consumer.assign(
        [TopicPartition(output.topic, number, offset) for number, offset in enumerate(output.first)]
    )
    arrived: list[tuple[int, int]] = []
    last = time.monotonic() + seconds
    while len(arrived) < wanted:
        messages = consumer.consume(1000, timeout=0.05)
        now = time.time_ns() // 1000
        arrived += [(int(_decode_stamped(message.value()).sent_at), now) for message in messages]
        if messages:
            last = max(last, time.monotonic())
        elif time.monotonic() > last + _OUTPUT_SECONDS:
            started.written()
            raise RuntimeError(f"{len(arrived):,} of {wanted:,} readings validated, then nothing more")
    consumer.close()
    return steady(arrived, seconds)


@dataclass(frozen=True)
class Deployed:
    """A worker and a sink that run, on a Kafka and a PostgreSQL of their own, which knows when rows came."""

    bootstrap: str
    database: str
    sink: Service


@contextmanager
def deployed(contestant: Contestant, partitions: int) -> Iterator[Deployed]:
    """Start gridwatch with the settings of a contestant, and its sink; end both after the block."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-latency-") as name,
        EmbeddedKafka(Path(name) / "kafka", overrides=BROKER) as kafka,
        EmbeddedPostgres(Path(name) / "postgres", overrides={"track_commit_timestamp": "on"}) as postgres,
    ):
        Broker(load_settings(broker=kafka.bootstrap, partitions=partitions)).create()
        migrate(postgres.url)
        started = Run(contestant, Site(kafka.bootstrap, partitions, Path(name)), RAW.name, Path(name))
        settings = gridwatch_settings(kafka.bootstrap, partitions, started.mark)
        make = partial(Service, arguments=("-l", "warn", "--without-web"))
        sink = Deployment(Path(name), settings | {"database_url": postgres.url}, make).add("sink").start()
        try:
            yield Deployed(kafka.bootstrap, postgres.url, sink)
        finally:
            sink.kill()
            started.kill()


def to_database(partitions: int, meters: int, rate: float, seconds: float) -> tuple[Latency, float]:
    """A worker and a sink at a steady rate; also the bytes of a row in PostgreSQL, indexes included."""
    load = os.getloadavg()[0]
    with deployed(GRIDWATCH, partitions) as site:
        pacer = pace(site.bootstrap, partitions, meters, rate, seconds)
        try:
            _until_rows(site, FIRST, TIMEOUT_SECONDS)
            go(pacer)
            _until_rows(site, int(rate * seconds), seconds + _OUTPUT_SECONDS)
        finally:
            pacer.kill()
            pacer.wait()
        sent = {
            (record.partition(), record.offset()): int(_decode_stamped(record.value()).sent_at)
            for record in records_of(site.bootstrap, written_to(site.bootstrap, RAW.name, partitions))
        }
        with psycopg2.connect(site.database) as session, session.cursor() as cursor:
            cursor.execute(f"SELECT source_partition, source_offset, {COMMITTED_AT} FROM validated_readings")
            arrived = [(sent[partition, offset], at) for partition, offset, at in cursor.fetchall()]
            cursor.execute("SELECT pg_total_relation_size('validated_readings')")
            row_bytes = cursor.fetchone()[0] / len(arrived)
        session.close()
    return latency_of("gridwatch to the database", rate, seconds, steady(arrived, seconds), load), row_bytes


def _until_rows(site: Deployed, wanted: int, seconds: float) -> None:
    session = psycopg2.connect(site.database)
    session.autocommit = True

    def stored() -> bool:
        # Counted by the server's statistics: a count(*) would cost more than writing the rows.
        cursor.execute("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'validated_readings'")
        return (cursor.fetchone() or (0,))[0] >= wanted

    with session.cursor() as cursor:
        site.sink.until(f"{wanted:,} rows are in the database", stored, seconds, pause=0.2)
    session.close()


def say(measured: Latency) -> None:
    """Print one."""
    click.echo(
        f"{measured.contestant}: p50 {measured.p50:,.0f} ms, p99 {measured.p99:,.0f} ms, longest "
        f"{measured.worst:,.0f} ms at {measured.rate:,.0f} readings/s; load {measured.load:.1f} before"
    )


@click.command(epilog="Example:  python -m benchmarks.latency --rate 30000 --database-rate 10000")
@options.real("rate", "rate", 30_000, "Readings a second, to validated.", least=100)
@options.real("database-rate", "database_rate", 10_000, "The same, to the database.", least=100)
@options.real("seconds", "seconds", 20, "Duration of each.", least=3)
@options.whole("meters", 200_000, "Meters that send them.")
@options.whole("partitions", 6, "Partitions of every topic.")
@options.KEEP
def main(rate: float, database_rate: float, meters: int, partitions: int, seconds: float, keep: bool) -> None:
    """Measure gridwatch alone: from raw to validated, and from raw to a committed row."""
    exit_when_terminated()
    site = report.machine()
    say(validated := measure(GRIDWATCH, partitions, meters, rate, seconds))
    database, row_bytes = to_database(partitions, meters, database_rate, seconds)
    say(database)
    results = {
        "machine": site,
        "validated": asdict(validated),
        "database": asdict(database),
        "row_bytes": row_bytes,
    }
    published.write("latency", results, keep=keep)
    if keep:
        figures.renew()


if __name__ == "__main__":
    main()
