"""The sink alone, from Kafka to committed rows: `python -m benchmarks.sink [--rows N]`.

A real Kafka holds N validated readings, a real PostgreSQL is empty, and a sink is started. Measured is the
CPU time of the sink's process from its start on, and that of all of PostgreSQL's processes, until every row
is committed. Then the same rows go through the sink's own steps one by one, without Kafka, to measure the
cost of each step per row: in this process, and in the server's backend.
"""

from __future__ import annotations

import gc
import io
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click
import msgspec
import psutil
import psycopg2
from confluent_kafka import Producer

from benchmarks.race.race import TIMEOUT_SECONDS, cpu_seconds
from benchmarks.reporting import published
from gridwatch.deployment.service import Service
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.deployment.site import Site
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.kafka.broker import Broker
from gridwatch.models.validated import Validated
from gridwatch.settings import load_settings
from gridwatch.topics import SMARTMETER, VALIDATED
from sinks import tables
from sinks.schema.version import migrate
from sinks.tables.copy_text import rows as copy_rows

METERS = 20_000
PARTITIONS = 6
START = datetime(2024, 1, 1, tzinfo=UTC)
#: Rows per batch of the single steps; as in a transaction of the sink.
BATCH_ROWS = 20_000
_COMMITTED = re.compile(rf'^gridwatch_sink_rows_total{{topic="{VALIDATED.name}"}} (\S+)', re.MULTILINE)


@dataclass
class Step:
    """The cost of a step: microseconds per row of CPU here, of CPU in the server, and of wall time."""

    ours: float = 0.0
    theirs: float = 0.0
    wall: float = 0.0


@dataclass
class Result:
    """The result of one run. Times in seconds."""

    rows: int
    connections: int
    sink_cpu: float
    start_cpu: float
    postgres_cpu: float
    wall: float
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows per CPU-second of the sink, its start included."""
        return self.rows / self.sink_cpu


def readings(count: int) -> Iterator[tuple[int, bytes]]:
    """`count` validated readings as (partition, JSON), slot by slot, as a worker emits them."""
    chance = random.Random(1)
    encode = msgspec.json.Encoder().encode
    places = [(f"METER_{n:07d}", f"north-{n % 12}") for n in range(METERS)]
    partitions = [partition_of(name, PARTITIONS) for name, _ in places]
    offsets = [0] * PARTITIONS
    for number in range(count):
        slot, meter = divmod(number, METERS)
        (name, region), partition = places[meter], partitions[meter]
        stamp = (START + slot * timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
        offset = offsets[partition]
        offsets[partition] += 1
        late = number % 100 == 0
        yield (
            partition,
            encode(
                Validated(
                    id=f"{partition}-{offset}-0",
                    meter_id=name,
                    timestamp=stamp,
                    consumption_kwh=round(chance.uniform(0.05, 2.5), 3),
                    interval_minutes=30,
                    status="LATE" if late else "OK",
                    delay_seconds=90.0 if late else 0.0,
                    flags=["FIRST"] if slot == 0 else [],
                    watermark=stamp,
                    partition=partition,
                    offset=offset,
                    index=0,
                    region=region,
                    voltage=230.0 + slot % 10 / 10,
                    power_factor=0.97,
                    interval_seconds=1800,
                    received_at=stamp,
                )
            ),
        )


def load(bootstrap: str, count: int) -> list[bytes]:
    """Create the topics and fill the one of validated readings; returns the values of some records."""
    _make_topics(bootstrap, "bench")
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 500_000, "enable.idempotence": True}
        | {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000}
    )
    kept = []
    for number, (partition, value) in enumerate(readings(count)):
        producer.produce(VALIDATED.name, value, partition=partition)
        if number < 10 * BATCH_ROWS:
            kept.append(value)
        if number % 10_000 == 0:
            producer.poll(0)
    if producer.flush(TIMEOUT_SECONDS):
        raise RuntimeError("the broker did not take the input")
    return kept


def _make_topics(bootstrap: str, app_id: str) -> None:
    Broker(load_settings(broker=bootstrap, partitions=PARTITIONS, app_id=app_id)).create()


def run(bootstrap: str, postgres: EmbeddedPostgres, folder: Path, count: int, connections: int) -> Result:
    """Run a sink until everything is written."""
    server = _server(postgres)
    app_id = f"bench-{connections}"
    _make_topics(bootstrap, app_id)
    settings = {
        "broker": bootstrap,
        "partitions": PARTITIONS,
        "database_url": postgres.url,
        "app_id": app_id,
        "sink_connections": connections,
    }
    before = cpu_seconds(server)
    start_cpu = 0.0
    with Site(folder, settings, partial(Service, arguments=("-l", "warn"))) as site:
        sink = site.add("sink", f"sink-{connections}")
        begun = time.monotonic()
        tree = psutil.Process(sink.start().process.pid)

        def all_committed() -> bool:
            nonlocal start_cpu
            committed = _committed(sink)
            if not committed:
                start_cpu = cpu_seconds(tree)
            return committed >= count

        sink.until("every row is committed", all_committed, TIMEOUT_SECONDS, pause=0.1)
        cpu, wall = cpu_seconds(tree), time.monotonic() - begun
        sink.stop()
    return Result(count, connections, cpu, start_cpu, cpu_seconds(server) - before, wall)


def _server(postgres: EmbeddedPostgres) -> psutil.Process:
    """PostgreSQL's first process, whose children all others are."""
    with psycopg2.connect(postgres.url) as session:
        parent = psutil.Process(session.info.backend_pid).parent()
    session.close()
    if parent is None:
        raise RuntimeError("PostgreSQL has ended")
    return parent


def _committed(sink: Service) -> int:
    """The committed rows by the sink's metrics; 0 while it does not answer."""
    try:
        found = _COMMITTED.search(sink.text("/metrics/"))
    except OSError:
        return 0
    return int(float(found[1])) if found else 0


def steps(url: str, values: list[bytes]) -> dict[str, Step]:
    """Measure the sink's steps per row, one after the other, one transaction per batch."""
    table = tables.of_topic(VALIDATED.name)
    costs = {name: Step() for name in ("decode", "COPY text", "COPY", "INSERT", "commit")}
    session = psycopg2.connect(url)
    server = psutil.Process(session.info.backend_pid)
    cursor = session.cursor()
    cursor.execute("SET TimeZone = 'UTC'")
    cursor.execute(table.create_staging_table)
    session.commit()
    # As in a sink's process (`gridwatch/streaming/faust/garbage.py`).
    gc.freeze()
    gc.disable()

    def timed(name: str, work: Callable[[], object]) -> object:
        ours, theirs, wall = time.process_time(), cpu_seconds(server), time.perf_counter()
        result = work()
        step = costs[name]
        step.wall += time.perf_counter() - wall
        step.theirs += cpu_seconds(server) - theirs
        step.ours += time.process_time() - ours
        return result

    def merge() -> None:
        for one in (table, *tables.derived_from(table)):
            cursor.execute(one.merge, {"flow": SMARTMETER.name})

    for first in range(0, len(values), BATCH_ROWS):
        batch = values[first : first + BATCH_ROWS]
        records = timed("decode", lambda batch=batch: [table.decode(value) for value in batch])
        text = timed(
            "COPY text", lambda records=records: copy_rows(table.copied(records, SMARTMETER).values())
        )
        timed("COPY", lambda text=text: cursor.copy_expert(table.copy, io.BytesIO(text), size=1 << 20))
        timed("INSERT", merge)
        timed("commit", session.commit)
    session.close()
    for step in costs.values():
        step.ours, step.theirs, step.wall = (
            1e6 * seconds / len(values) for seconds in (step.ours, step.theirs, step.wall)
        )
    return costs


def report(result: Result) -> None:
    """Print the result."""
    click.echo(
        f"{result.rows:,} rows over {result.connections} connection(s) in {result.wall:.1f} s:"
        f" {result.rate:,.0f} rows/CPU-s of the sink ({result.sink_cpu:.1f} s, {result.start_cpu:.1f} s of"
        f" them its start), {result.rows / (result.sink_cpu + result.postgres_cpu):,.0f} with PostgreSQL's"
        f" ({result.postgres_cpu:.1f} s)"
    )
    if not result.steps:
        return
    click.echo(f"{'µs a row':<12} {'sink':>8} {'server':>8} {'clock':>8}")
    working = 1e6 * (result.sink_cpu - result.start_cpu) / result.rows
    rest = working - sum(step.ours for step in result.steps.values())
    click.echo(f"{'fetch, rest':<12} {rest:>8.2f}")
    for name, step in result.steps.items():
        click.echo(f"{name:<12} {step.ours:>8.2f} {step.theirs:>8.2f} {step.wall:>8.2f}")


@click.command(epilog="Example:  python -m benchmarks.sink --rows 1000000 --connections 1 --connections 2")
@click.option("--rows", default=1_000_000, show_default=True, help="Validated readings in Kafka.")
@click.option(
    "--connections", multiple=True, default=(1, 2), show_default=True, help="Of the sink; each a run."
)
@click.option("--keep", is_flag=True, help="Keep these results for docs/capacity.md (`make docs`).")
def main(rows: int, connections: tuple[int, ...], keep: bool) -> None:
    """Measure the sink from Kafka to committed rows on plain PostgreSQL, and the cost of each step."""
    exit_when_terminated()
    outcomes = []
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-bench-") as name,
        EmbeddedKafka(Path(name) / "kafka") as kafka,
    ):
        folder = Path(name)
        values = load(kafka.bootstrap, rows)
        for number, wanted in enumerate(connections):
            data = folder / f"postgres-{number}"
            with EmbeddedPostgres(data, overrides={"max_wal_size": "4GB"}) as postgres:
                migrate(postgres.url)
                result = run(kafka.bootstrap, postgres, folder, rows, wanted)
                if number == len(connections) - 1:
                    with psycopg2.connect(postgres.url) as session, session.cursor() as cursor:
                        cursor.execute("TRUNCATE validated_readings, reading_revisions")
                    session.close()
                    result.steps = steps(postgres.url, values)
            report(result)
            outcomes.append(result)
    published.write("sink", [asdict(result) for result in outcomes], keep=keep)


if __name__ == "__main__":
    main()
