"""The sink's health, for `/live/`, `/ready/` and `/metrics/`.

Ready means that a record which arrives now gets into the database. Waiting is not failing: it is reported,
and nothing stops for it.
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
from sinks.dead_letters import DeadLetterProducer
from sinks.pool import Pool
from sinks.writer import WriterState

#: How often the progress of each partition is observed, so that a stall is timed from its start, seconds.
CHECK_SECONDS = 5.0


def assignment(app: Any) -> set[Any]:
    """The assigned topic partitions; none before the consumer has started."""
    try:
        return set(app.consumer.assignment())
    except ConsumerNotStarted:
        return set()


def application(app: Any) -> Observed:
    """The state of the Faust application, without brokers, database and partitions."""
    return Observed(
        SINK,
        assigned=bool(assignment(app)),
        rebalancing=bool(app.rebalancing),
        stopping=bool(app.should_stop or app.crashed),
    )


def database(address: str, state: WriterState, now: float) -> Database:
    """The state of the database at Unix time `now`, as the writers see it."""
    return Database(
        address,
        waited=None if state.waiting_since is None else now - state.waiting_since,
        error=state.last_error,
        running=None if state.writing_since is None else now - state.writing_since,
    )


class SinkHealth:
    """Observes brokers, partitions and the writers; changes none of them.

    Args:
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        app: Any,
        settings: Settings,
        pool: Pool,
        dead_letters: DeadLetterProducer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._stalled_after = settings.stalled_after.total_seconds()
        self._pool = pool
        self._dead_letters = dead_letters
        self._clock = clock
        topics = tables.topics(settings.flows)
        self._skipping = [topic for topic in topics if tables.of_topic(topic).stores is not None]
        self._broker = BrokerMonitor(settings, "gridwatch-sink-health", topics, topics)
        self._view = BrokerView()
        self._progress = Progress()
        self._transactions = OpenTransactions()
        self.close = self._broker.close

    # -- readiness

    async def observe(self) -> Observed:
        """Query the brokers, then observe; records each partition's progress."""
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
        return (await self.observe()).reasons()

    def ending(self) -> list[str]:
        """Why the sink is ending; empty when it is not."""
        return Observed(SINK, stopping=application(self._app).stopping).reasons()

    def warnings(self) -> list[str]:
        """None: every problem keeps records from the database."""
        return []

    def _partitions(self) -> list[Partition]:
        now, positions = self._clock(), self.positions()
        mine = sorted((tp.topic, tp.partition) for tp in assignment(self._app))
        stalled = self._progress.observe(now, positions)
        held = self._transactions.observe(now, self._view.stable, self._view.ends)
        stopped: Mapping[Any, Any] = self._app.consumer.undecodable if mine else {}
        feeds = self._pool.failing_feeds
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
        """(committed, end) of each assigned topic partition, as far as both are known."""
        known = {}
        for tp in sorted(assignment(self._app)):
            # Records beyond the last stable offset cannot be read yet.
            end = self._view.stable.get((tp.topic, tp.partition))
            if end is not None:
                committed = self._app.consumer._committed_offset.get(tp) or 0
                # Records that retention has removed are no lag.
                known[tp.topic, tp.partition] = (
                    max(committed, self._view.starts[tp.topic, tp.partition]),
                    end,
                )
        return known

    # -- numbers

    async def samples(self) -> Samples:
        """Every metric's value now."""
        observed = await self.observe()
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
        samples.put("dead_letters", self._dead_letters.sent)
        samples.put("lost_dead_letters", self._pool.lost_letters)
        samples.put("commit_seconds", state.commit_seconds_total)
        for name, by_topic in (("rows", state.rows), ("refused_rows", state.refused)):
            for topic, count in sorted(by_topic.items()):
                samples.put(name, count, topic)
        for topic in self._skipping:
            samples.put("skipped_records", self._pool.skipped[topic], topic)
        for cause, count in self._app.rereads.counts.items():
            samples.put("reread_batches", count, cause)
        for place, (committed, end) in self.positions().items():
            samples.put("lag_records", max(0, end - committed), *place)
        for one in observed.partitions:
            samples.put("stalled_seconds", one.stalled, one.topic, one.number)
        return samples


def register(app: Any, settings: Settings, pool: Pool, dead_letters: DeadLetterProducer) -> None:
    """Serve the pages on the sink's web server."""
    health = SinkHealth(app, settings, pool, dead_letters)
    faust_pages.serve(app, HealthPages(health))

    @app.timer(CHECK_SECONDS, name="observe_progress")  # type: ignore[untyped-decorator, unused-ignore]
    async def observe_progress() -> None:
        """Observe the progress of each partition."""
        await health.observe()

    app.after_stop.append(health.close)
