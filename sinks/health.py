"""Whether the sink is ready, and what it counts: `/live/`, `/ready/`, `/metrics/`.

Ready means that a record which arrives now gets into the database: partitions are assigned, the brokers
answer and have every topic, so does the database, and where records wait the committed position moves.
Waiting is not failing, so it is said and nothing stops for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from faust.exceptions import ConsumerNotStarted
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from gridwatch.health.progress import Progress
from gridwatch.health.prometheus import CAUSE_COUNTERS
from gridwatch.kafka.broker_monitor import BrokerMonitor, BrokerView
from gridwatch.kafka.open_transactions import OpenTransactions, held_reason
from gridwatch.settings import Settings
from gridwatch.streaming.faust.fetching import undecodable_reason
from gridwatch.streaming.stage.dead_letter_limit import feed_reason
from sinks import tables
from sinks.dead_letters import DeadLetterOffice
from sinks.pool import Pool
from sinks.writer import WriterState

#: How often the progress of each partition is noted, so that a stall is timed from its beginning, seconds.
LOOK_SECONDS = 5.0

#: Every metric of the sink, with its meaning: counted by topic, counted, and measured.
TOPIC_COUNTERS = {
    "rows": "rows committed to the database, repetitions included",
    "refused_rows": "rows that the database refused",
}
COUNTERS = {
    "commits": "transactions committed",
    "retries": "transactions tried again because the database was away",
    "dead_letters": "dead letters sent by the sink",
    "lost_dead_letters": "dead letters that no row can hold",
    "commit_seconds": "time spent in transactions, seconds",
}
GAUGES = {
    "ready": "1 when the sink is ready, 0 when not (the reasons are at /ready/)",
    "last_commit_seconds": "time the last transaction took, seconds",
    "last_commit_timestamp_seconds": "when the last transaction ended, Unix time",
    "waiting_seconds": "how long the database has been waited for, 0 when it is there",
    "partitions_assigned": "topic partitions read by this sink",
    "broker_problems": "what is wrong with brokers and topics, as many as /ready/ names",
}
PARTITION_GAUGES = {
    "lag_records": "records of the topic partition beyond what this sink has committed",
    "standing_seconds": "how long records have been waiting without a commit, 0 while it goes on",
}
PREFIX = "gridwatch_sink_"


def database_reasons(address: str, state: WriterState, now: float, slow: float) -> list[str]:
    """What is wrong with the database at Unix time `now`; a transaction of `slow` seconds is."""
    reasons = []
    if state.waiting_since is not None:
        waited = now - state.waiting_since
        reasons.append(f"waiting for the database at {address} for {waited:.0f} s: {state.last_error}")
    elif state.writing_since is not None and now - state.writing_since > slow:
        running = now - state.writing_since
        reasons.append(f"a transaction at {address} has been running for {running:.0f} s")
    return reasons


def application_reasons(app: Any) -> list[str]:
    """What keeps the application itself from working; empty when nothing does."""
    if app.should_stop or app.crashed:
        return ["the sink is stopping: a part of it failed, or it was told to"]
    if app.rebalancing:
        return ["partitions are being handed out anew (rebalance)"]
    if not assignment(app):
        return ["no partition is assigned to this sink"]
    return []


def assignment(app: Any) -> set[Any]:
    """Topic partitions that are ours; none before the consumer has started."""
    try:
        return set(app.consumer.assignment())
    except ConsumerNotStarted:
        return set()


class Watch:
    """Looks at brokers, partitions and the writer; changes none of them."""

    def __init__(self, app: Any, settings: Settings, pool: Pool, office: DeadLetterOffice) -> None:
        self._app = app
        self._stalled_after = settings.stalled_after.total_seconds()
        self._pool = pool
        self._office = office
        topics = tables.topics()
        self._broker = BrokerMonitor(settings, "gridwatch-sink-health", topics, topics)
        self._view = BrokerView()
        self._progress = Progress()
        self._transactions = OpenTransactions()
        self.close = self._broker.close

    async def reasons(self) -> list[str]:
        """Why the sink is not ready; empty when it is."""
        self._view = await self._broker.look()
        reasons = [*application_reasons(self._app), *self._view.problems]
        pool = self._pool
        reasons += database_reasons(pool.address, pool.state, time.time(), self._stalled_after)
        reasons += self._hindrances()
        return reasons + [
            f"{topic}[{partition}]: records wait, and nothing was committed for {seconds:.0f} s"
            for (topic, partition), seconds in sorted(self.standing().items())
            if seconds >= self._stalled_after
        ]

    def _hindrances(self) -> list[str]:
        """What is wrong with single partitions, each with its remedy."""
        mine = {(tp.topic, tp.partition) for tp in assignment(self._app)}
        held = self._transactions.observe(time.monotonic(), self._view.stable, self._view.ends)
        stopped = self._app.consumer.undecodable if mine else {}
        committed = {place: done for place, (done, _) in self.positions().items()}
        return [
            *(undecodable_reason(tp.topic, tp.partition, stop) for tp, stop in sorted(stopped.items())),
            *(
                held_reason(place, one)
                for place, one in sorted(held.items())
                if place in mine
                and one.seconds >= self._stalled_after
                and committed.get(place, 0) <= one.offset
            ),
            *(
                feed_reason(*place, problem)
                for place, problem in self._pool.worthless_feeds.items()
                if place in mine
            ),
        ]

    def positions(self) -> dict[tuple[str, int], tuple[int, int]]:
        """(committed, end) of each topic partition that is ours, as far as both are known."""
        known = {}
        for tp in assignment(self._app):
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

    def standing(self) -> dict[tuple[str, int], float]:
        """Seconds for which records have been waiting without a commit, of each topic partition."""
        return self._progress.observe(time.monotonic(), self.positions())

    async def families(self) -> Iterable[Metric]:
        """All metric families of this moment."""
        ready = not await self.reasons()
        state = self._pool.state
        by_topic = {"rows": state.rows, "refused_rows": state.refused}
        counted = {
            "commits": state.commits,
            "retries": state.retries,
            "dead_letters": self._office.sent,
            "lost_dead_letters": self._pool.lost_letters,
            "commit_seconds": state.commit_seconds_total,
        }
        measured = {
            "ready": float(ready),
            "last_commit_seconds": state.commit_seconds,
            "last_commit_timestamp_seconds": state.last_commit,
            "waiting_seconds": 0.0 if state.waiting_since is None else time.time() - state.waiting_since,
            "partitions_assigned": len(assignment(self._app)),
            "broker_problems": len(self._view.problems),
        }
        lags = {place: float(max(0, end - done)) for place, (done, end) in self.positions().items()}
        by_partition = {"lag_records": lags, "standing_seconds": self.standing()}
        return [
            *(
                _labelled(CounterMetricFamily, name, TOPIC_COUNTERS[name], by_topic[name])
                for name in by_topic
            ),
            *(CounterMetricFamily(PREFIX + name, COUNTERS[name], value=counted[name]) for name in counted),
            *(
                _labelled(CounterMetricFamily, name, meaning, self._app.rereads.counts)
                for name, meaning in CAUSE_COUNTERS.items()
            ),
            *(GaugeMetricFamily(PREFIX + name, GAUGES[name], value=measured[name]) for name in measured),
            *(
                _labelled(GaugeMetricFamily, name, PARTITION_GAUGES[name], by_partition[name])
                for name in by_partition
            ),
        ]


def _labelled(family: Any, name: str, meaning: str, values: Mapping[Any, float]) -> Any:
    """A family by topic, by cause, or by (topic, partition)."""
    label = "topic" if name in TOPIC_COUNTERS else "cause" if name in CAUSE_COUNTERS else ""
    made = family(PREFIX + name, meaning, labels=[label] if label else ["topic", "partition"])
    for place, value in sorted(values.items()):
        made.add_metric([place] if isinstance(place, str) else [str(part) for part in place], value)
    return made


class Families(Collector):
    """Metric families taken before, as a registry takes them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Those families."""
        return self._families


def register(app: Any, settings: Settings, pool: Pool, office: DeadLetterOffice) -> None:
    """Declare the pages."""
    watch = Watch(app, settings, pool, office)

    @app.timer(LOOK_SECONDS, name="look_at_progress")  # type: ignore[untyped-decorator, unused-ignore]
    async def look_at_progress() -> None:
        """Note how far each partition has come."""
        await watch.reasons()

    app.after_stop.append(watch.close)

    @app.page("/live/")  # type: ignore[untyped-decorator, unused-ignore]
    async def live(view: Any, request: Any) -> Any:
        """200 as long as the event loop answers."""
        return view.json({"live": True})

    @app.page("/ready/")  # type: ignore[untyped-decorator, unused-ignore]
    async def ready(view: Any, request: Any) -> Any:
        """200 when records get into the database, 503 with the reasons when not."""
        reasons = await watch.reasons()
        return view.json({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    @app.page("/metrics/")  # type: ignore[untyped-decorator, unused-ignore]
    async def metrics(view: Any, request: Any) -> Any:
        """Prometheus text."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Families(await watch.families()))
        ProcessCollector(registry=registry)
        return view.bytes(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
