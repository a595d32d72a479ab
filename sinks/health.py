"""What the sink knows of itself, for `/live/`, `/ready/` and `/metrics/`.

Ready means that a record which arrives now gets into the database. Waiting is not failing, so it is said and
nothing stops for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from faust.exceptions import ConsumerNotStarted

from gridwatch.health import faust_pages
from gridwatch.health.checks import Database, Observed, Partition
from gridwatch.health.exposition import Samples
from gridwatch.health.metrics import SINK
from gridwatch.health.pages import HealthPages
from gridwatch.health.progress import Progress
from gridwatch.kafka.broker_monitor import BrokerMonitor, BrokerView
from gridwatch.kafka.open_transactions import OpenTransactions
from gridwatch.settings import Settings
from sinks import tables
from sinks.dead_letters import DeadLetterOffice
from sinks.pool import Pool
from sinks.writer import WriterState

#: How often the progress of each partition is noted, so that a stall is timed from its beginning, seconds.
LOOK_SECONDS = 5.0


def assignment(app: Any) -> set[Any]:
    """Topic partitions that are ours; none before the consumer has started."""
    try:
        return set(app.consumer.assignment())
    except ConsumerNotStarted:
        return set()


def application(app: Any) -> Observed:
    """What Faust knows of itself: without brokers, database, partitions and progress."""
    return Observed(
        SINK,
        assigned=bool(assignment(app)),
        rebalancing=bool(app.rebalancing),
        stopping=bool(app.should_stop or app.crashed),
    )


def database(address: str, state: WriterState, now: float) -> Database:
    """How the database is doing at Unix time `now`, as the writers know it."""
    return Database(
        address,
        waited=None if state.waiting_since is None else now - state.waiting_since,
        error=state.last_error,
        running=None if state.writing_since is None else now - state.writing_since,
    )


class SinkHealth:
    """Looks at brokers, partitions and the writers; changes none of them.

    Args:
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        app: Any,
        settings: Settings,
        pool: Pool,
        office: DeadLetterOffice,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._stalled_after = settings.stalled_after.total_seconds()
        self._pool = pool
        self._office = office
        self._clock = clock
        topics = tables.topics()
        self._broker = BrokerMonitor(settings, "gridwatch-sink-health", topics, topics)
        self._view = BrokerView()
        self._progress = Progress()
        self._transactions = OpenTransactions()
        self.close = self._broker.close

    # -- readiness

    async def look(self) -> Observed:
        """Ask the brokers, then observe; takes note of each partition's progress."""
        self._view = await self._broker.view()
        return replace(
            application(self._app),
            brokers=self._view.problems,
            database=database(self._pool.address, self._pool.state, time.time()),
            partitions=self._partitions(),
            stalled_after=self._stalled_after,
        )

    async def reasons(self) -> list[str]:
        """Why the sink is not ready; empty when it is."""
        return (await self.look()).reasons()

    def ending(self) -> list[str]:
        """Why the sink will not live on; empty when it will."""
        return Observed(SINK, stopping=application(self._app).stopping).reasons()

    def warnings(self) -> list[str]:
        """None: whatever is wrong keeps records from the database."""
        return []

    def _partitions(self) -> list[Partition]:
        now, positions = self._clock(), self.positions()
        mine = sorted((tp.topic, tp.partition) for tp in assignment(self._app))
        stalled = self._progress.observe(now, positions)
        held = self._transactions.observe(now, self._view.stable, self._view.ends)
        stopped: Mapping[Any, Any] = self._app.consumer.undecodable if mine else {}
        feeds = self._pool.worthless_feeds
        found = []
        for topic, number in mine:
            place = (topic, number)
            one = held.get(place)
            beyond = one is not None and positions.get(place, (0, 0))[0] > one.offset
            found.append(
                Partition(
                    topic,
                    number,
                    undecodable=stopped.get(place),
                    held=None if beyond else one,
                    feed=feeds.get(place, ""),
                    stalled=stalled.get(place),
                )
            )
        return found

    def positions(self) -> dict[tuple[str, int], tuple[int, int]]:
        """(committed, end) of each topic partition that is ours, as far as both are known."""
        known = {}
        for tp in sorted(assignment(self._app)):
            # What an open transaction holds back nobody can store.
            end = self._view.stable.get((tp.topic, tp.partition))
            if end is not None:
                committed = self._app.consumer._committed_offset.get(tp) or 0
                # What retention has removed lies behind everybody.
                known[tp.topic, tp.partition] = (
                    max(committed, self._view.starts[tp.topic, tp.partition]),
                    end,
                )
        return known

    # -- numbers

    async def samples(self) -> Samples:
        """Everything that Prometheus reads, as of now."""
        observed = await self.look()
        state, waited = self._pool.state, observed.database.waited if observed.database else None
        samples = Samples(SINK)
        samples.put("ready", not observed.reasons())
        samples.put("last_commit_seconds", state.commit_seconds)
        samples.put("last_commit_timestamp_seconds", state.last_commit)
        samples.put("waiting_seconds", waited or 0.0)
        samples.put("partitions_assigned", len(assignment(self._app)))
        samples.put("broker_problems", len(observed.brokers))
        samples.put("commits", state.commits)
        samples.put("retries", state.retries)
        samples.put("dead_letters", self._office.sent)
        samples.put("lost_dead_letters", self._pool.lost_letters)
        samples.put("commit_seconds", state.commit_seconds_total)
        for name, by_topic in (("rows", state.rows), ("refused_rows", state.refused)):
            for topic, count in sorted(by_topic.items()):
                samples.put(name, count, topic)
        for cause, count in self._app.rereads.counts.items():
            samples.put("reread_batches", count, cause)
        for place, (committed, end) in self.positions().items():
            samples.put("lag_records", max(0, end - committed), *place)
        for one in observed.partitions:
            samples.put("stalled_seconds", one.stalled, one.topic, one.number)
        return samples


def register(app: Any, settings: Settings, pool: Pool, office: DeadLetterOffice) -> None:
    """Put the pages on the sink's web server."""
    health = SinkHealth(app, settings, pool, office)
    faust_pages.serve(app, HealthPages(health))

    @app.timer(LOOK_SECONDS, name="look_at_progress")  # type: ignore[untyped-decorator, unused-ignore]
    async def look_at_progress() -> None:
        """Note how far each partition has come."""
        await health.look()

    app.after_stop.append(health.close)
