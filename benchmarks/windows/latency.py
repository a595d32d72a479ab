"""`python -m benchmarks.windows.latency`: from the end of a minute to the rows of its windows.

Meters of 10 s report by the clock. A minute of a partition is over when its watermark passes the end: with
the first reading that is `max_out_of_orderness` beyond it. From the produce call of that reading, which a
reading carries, until the commit of the row of each meter, which PostgreSQL records, is what is measured.
The minute in which the worker starts is excluded. Exit 1 if the 99th percentile is not below 500 ms.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict

import click
import msgspec
import psycopg2

from benchmarks.latency import COMMITTED_AT, Deployed, deployed, say
from benchmarks.measuring.percentiles import Latency, latency_of
from benchmarks.peers.windows.rules import LENGTH, WAIT
from benchmarks.race import options
from benchmarks.race.environments import ROOT
from benchmarks.race.readings import records_of, written_to
from benchmarks.reporting import figures, published, report
from benchmarks.windows.contestants import GRIDWATCH
from benchmarks.windows.live import whole_minutes
from benchmarks.windows.minutes import INTERVAL_SECONDS
from gridwatch.deployment.signals import exit_when_terminated
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import SECOND
from gridwatch.topics import RAW

LIMIT_MS = 500.0
#: How long after the last reading the rows are waited for, seconds.
_ROWS_SECONDS = 60.0


class _Live(msgspec.Struct):
    timestamp: str
    sent_at: str


def closed_at(records: Iterable[tuple[int, int, int]], minutes: Iterable[int]) -> dict[tuple[int, int], int]:
    """When the reading that closes a minute was sent, by (partition, minute).

    records: (partition, stamp, sent) in the order of each partition; all times in µs.
    """
    closed: dict[tuple[int, int], int] = {}
    ends = [(minute, minute + (LENGTH + WAIT) * SECOND) for minute in minutes]
    for partition, stamp, sent in records:
        for minute, end in ends:
            if stamp >= end:
                closed.setdefault((partition, minute), sent)
    return closed


def measure(partitions: int, meters: int, minutes: int) -> Latency:
    """Run a worker and a sink for so many whole minutes. GridwatchError if rows are missing afterwards."""
    load = os.getloadavg()[0]
    rate = meters / INTERVAL_SECONDS
    with deployed(GRIDWATCH, partitions) as site:
        numbers = map(str, (partitions, meters, minutes))
        command = [sys.executable, "-m", "benchmarks.windows.live", site.bootstrap, RAW.name, *numbers]
        with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}) as sender:
            try:
                _until_ended(site, sender, (minutes + 2) * LENGTH)
            finally:
                sender.kill()
        records = list(_sent(site.bootstrap, partitions))
        wanted = whole_minutes(min(stamp for _, stamp, _ in records), minutes)
        rows = _rows(site, meters, wanted)
    waits = _waits(rows, closed_at(records, wanted))
    return latency_of("gridwatch, a minute to its rows", rate, minutes * LENGTH, waits, load)


def _until_ended(site: Deployed, sender: subprocess.Popen[bytes], seconds: float) -> None:
    site.sink.until("the last reading is sent", lambda: sender.poll() is not None, seconds, pause=1.0)
    if sender.returncode:
        raise RuntimeError("the sender of readings has failed")


def _sent(bootstrap: str, partitions: int) -> Iterable[tuple[int, int, int]]:
    """(partition, stamp, sent) of every reading, µs."""
    decode = msgspec.json.Decoder(_Live).decode
    for record in records_of(bootstrap, written_to(bootstrap, RAW.name, partitions)):
        live = decode(record.value())
        yield record.partition(), parse_instant(live.timestamp)[0], int(live.sent_at)


def _rows(site: Deployed, meters: int, minutes: range) -> list[tuple[int, int, int]]:
    """(partition, minute, when it could be read) of the row of every meter and minute, µs."""
    with psycopg2.connect(site.database) as session, session.cursor() as cursor:

        def stored() -> list[tuple[int, int, int]]:
            cursor.execute(
                f'SELECT source_partition, (extract(epoch FROM "time") * 1e6)::bigint, {COMMITTED_AT}'
                " FROM aggregates_1m WHERE revision = 1"
            )
            rows = [row for row in cursor.fetchall() if row[1] in minutes]
            return rows if len(rows) >= meters * len(minutes) else []

        found: list[tuple[int, int, int]] = site.sink.until(
            "every window is in the database", stored, _ROWS_SECONDS, pause=1.0
        )
    session.close()
    return found


def _waits(rows: Iterable[tuple[int, int, int]], closed: Mapping[tuple[int, int], int]) -> list[float]:
    """Milliseconds from the reading that closed a minute to each of its rows."""
    return [(at - closed[partition, minute]) / 1000 for partition, minute, at in rows]


@click.command(epilog="Example:  python -m benchmarks.windows.latency --minutes 2")
@options.whole("minutes", 5, "Whole minutes of readings; up to one more passes before them.")
@options.whole("meters", 5000, "Meters that send them, every 10 s.")
@options.whole("partitions", 6, "Partitions of every topic.")
@options.KEEP
def main(minutes: int, meters: int, partitions: int, keep: bool) -> None:
    """Measure how soon after the end of a minute its windows are in the database."""
    exit_when_terminated()
    site = report.machine()
    say(measured := measure(partitions, meters, minutes))
    results = {"machine": site, "meters": meters, "rows": asdict(measured)}
    published.write("windows-latency", results, keep=keep)
    if keep:
        figures.renew()
    sys.exit(measured.p99 >= LIMIT_MS)


if __name__ == "__main__":
    main()
