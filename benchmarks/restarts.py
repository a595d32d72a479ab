"""`python -m benchmarks.restarts`: the worker is restarted repeatedly while readings flow.

Readings flow the whole time, a slice of them per restart. The cost of a restart is the pause in the outputs:
the longest time for which a partition had lag and emitted nothing. Several workers are restarted in turn.
Then the same raw topic is processed once more without restarts: every row of the database and the state of
every meter must be the same.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import click
import psycopg2
from confluent_kafka import KafkaException

from chaos.compare.changelog import State
from chaos.feed import Feed
from chaos.input import START, Raw
from chaos.servers import Servers
from chaos.site import RULES, Site, new_site
from chaos.subject import GRIDWATCH
from gridwatch.deployment.polling import until
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import MINUTE
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import COMMIT_BYTES
from gridwatch.topics import LATE_EVENTS, RAW, VALIDATED
from sinks import tables

_INTERVAL = 30 * MINUTE
#: One reading in so many does not come; in its place one of some slots ago comes again with another value.
_LEFT_OUT = 50
_SLOTS_AGO = 3
#: How long a slice of the readings takes to send: as long as a restart, about.
_SLICE_SECONDS = 4.0
_BEATS_A_SECOND = 4
_POLL_SECONDS = 0.05


class Readings(Sequence[Raw]):
    """So many readings of so many meters, a slot after the other, made when they are asked for."""

    def __init__(self, count: int, meters: int) -> None:
        self._count = count
        self._meters = [f"METER_{number:06d}" for number in range(meters)]
        self._partitions = [partition_of(name, RULES["partitions"]) for name in self._meters]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Raw: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Raw]: ...
    def __getitem__(self, place: int | slice) -> Raw | Sequence[Raw]:
        if isinstance(place, slice):
            return [self._reading(number) for number in range(*place.indices(self._count))]
        return self._reading(place)

    def _reading(self, number: int) -> Raw:
        slot, meter = divmod(number, len(self._meters))
        kwh = number % 1000 / 400
        if (slot + meter) % _LEFT_OUT == 0 and slot >= _SLOTS_AGO:
            slot, kwh = slot - _SLOTS_AGO, kwh + 3
        name, stamp = self._meters[meter], format_instant(START + slot * _INTERVAL)
        value = f'{{"meter_id":"{name}","timestamp":"{stamp}","consumption_kwh":{kwh}}}'
        return Raw(self._partitions[meter], name.encode(), value.encode())


class Silence(threading.Thread):
    """Polls raw topic and outputs, and records for how long a partition had lag and emitted nothing."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="silence", daemon=True)
        self._positions = Positions(settings)
        self._partitions = range(settings.partitions)
        self._emitted = dict.fromkeys(self._partitions, 0)
        self._since = dict.fromkeys(self._partitions, time.monotonic())
        self._longest = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        """Until it is ended."""
        while not self._ended.wait(_POLL_SECONDS):
            with suppress(GridwatchError, KafkaException):
                self._look(self._positions.ends([RAW.name, VALIDATED.name, LATE_EVENTS.name]))

    def _look(self, ends: dict[tuple[str, int], int]) -> None:
        now = time.monotonic()
        for partition in self._partitions:
            emitted = ends[VALIDATED.name, partition] + ends[LATE_EVENTS.name, partition]
            if emitted != self._emitted[partition] or emitted >= ends[RAW.name, partition]:
                self._emitted[partition], self._since[partition] = emitted, now
            self._longest = max(self._longest, now - self._since[partition])

    def over_since(self, began: float) -> bool:
        """Whether every partition has emitted since then, or had no lag (monotonic time)."""
        return min(self._since.values()) > began

    def longest(self) -> float:
        """The longest silence since this was asked before, seconds."""
        longest, self._longest = self._longest, 0.0
        return longest

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()


@dataclass(frozen=True)
class Restart:
    """What one cost, in seconds: SIGTERM until the process had ended, and the silence of a partition."""

    stopping: float
    silent: float


def left(site: Site) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of each table its row count and a hash over all rows; the state of every meter and partition."""
    found: dict[str, Any] = {}
    session = psycopg2.connect(site.settings.database)
    try:
        with session.cursor() as cursor:
            for table in tables.TABLES:
                cursor.execute(
                    "SELECT count(*), sum(hashtextextended(one::text, 0)::numeric)"
                    f" FROM (SELECT * FROM {table.name} WHERE {table.comparison.where}) AS one"
                )
                found[table.name] = cursor.fetchone()
    finally:
        session.close()
    state = State(site.settings, GRIDWATCH.stages[0])
    try:
        state.read()
        return found, state.plain()
    finally:
        state.close()


def with_restarts(site: Site, readings: Readings, restarts: int, workers: int) -> tuple[list[Restart], float]:
    """What each restart cost, and the seconds that everything took."""
    for service in [*site.workers[:workers], site.sinks[0]]:
        service.start()
    site.wait_until_ready()
    slices = restarts + 1
    burst = max(1, round(len(readings) / slices / _SLICE_SECONDS / _BEATS_A_SECOND))
    began = time.monotonic()
    feed = Feed(site.settings, readings, burst)
    silence = Silence(site.settings)
    silence.start()
    found = []
    try:
        for number in range(restarts):
            feed.allow((number + 1) / slices)
            service = site.workers[number % workers]
            silence.longest()
            stopping = service.stop()
            service.start()
            site.wait_until_ready()
            ready = time.monotonic()
            until("every partition is worked on", lambda since=ready: silence.over_since(since), 60)
            feed.wait()
            found.append(Restart(stopping, silence.longest()))
            click.echo(
                f"{number + 1:3d}  stopped in {stopping:4.1f} s, silent {found[-1].silent:4.1f} s", err=True
            )
        feed.finish()
        site.drain()
    finally:
        silence.end()
        feed.stop()
    return found, time.monotonic() - began


def say(what: str, seconds: Sequence[float]) -> None:
    """Median and worst."""
    click.echo(f"{what:<44} median {statistics.median(seconds):5.2f} s, worst {max(seconds):5.2f} s")


@click.command(epilog="Example:  python -m benchmarks.restarts --readings 1000000 --restarts 50")
@click.option("--readings", default=1_000_000, show_default=True, help="Readings that flow meanwhile.")
@click.option("--meters", default=2000, show_default=True, help="Meters that send them.")
@click.option("--restarts", default=50, show_default=True, help="Restarts, of one worker after the other.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 3), help="Workers.")
def main(readings: int, meters: int, restarts: int, workers: int) -> None:
    """Restart workers while readings flow; exit 1 if the result differs from a run without restarts."""
    with tempfile.TemporaryDirectory(prefix="gridwatch-restarts-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        servers = Servers(folder)
        try:
            servers.start()
            with new_site(
                servers, folder / "restarted", "restarted", compacted=False, commit_bytes=COMMIT_BYTES
            ) as site:
                costs, seconds = with_restarts(site, Readings(readings, meters), restarts, workers)
                site.stop()
                found = left(site)
                exits = site.exits
            with new_site(
                servers, folder / "calm", "calm", compacted=False, raw=False, commit_bytes=COMMIT_BYTES
            ) as site:
                for service in (site.workers[0], site.sinks[0]):
                    service.start()
                began = time.monotonic()
                site.drain()
                calm = time.monotonic() - began
                site.stop()
                wanted = left(site)
        finally:
            servers.stop()
    click.echo(f"{readings:,} readings of {meters:,} meters, {restarts} restarts, {workers} worker(s)")
    click.echo(f"all of it took {seconds:.0f} s; the same readings at once, without restarts, {calm:.0f} s")
    say("stopping in order", [one.stopping for one in costs])
    say("silence of a partition for each restart", [one.silent for one in costs])
    click.echo(f"silent in all {sum(one.silent for one in costs):.0f} s; {len(exits)} exits by itself")
    rows = sum(count for count, _ in wanted[0].values())
    same = found == wanted
    click.echo(
        f"{rows:,} rows and {len(wanted[1]):,} states compared: {'all the same' if same else 'NOT THE SAME'}"
    )
    if not same:
        click.echo(f"{found[0]}\n{wanted[0]}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
