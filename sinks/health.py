"""Whether the sink is ready, and what it counts: `/live/`, `/ready/`, `/metrics/`.

Ready means that a record which arrives now gets into the database: partitions are assigned, a broker
answers, and so does the database. Waiting is not failing, so it is said and nothing stops for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from faust.exceptions import ConsumerNotStarted
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from gridwatch.settings import Settings
from sinks.broker_check import BrokerCheck
from sinks.dead_letters import DeadLetterOffice
from sinks.store import BatchStore
from sinks.writer import Writer, WriterState

#: A transaction that runs for longer than this is a reason not to be ready, seconds.
SLOW_TRANSACTION = 30.0


def database_reasons(address: str, state: WriterState, now: float) -> list[str]:
    """What is wrong with the database at Unix time `now`; empty when nothing is."""
    reasons = []
    if state.waiting_since is not None:
        waited = now - state.waiting_since
        reasons.append(f"waiting for the database at {address} for {waited:.0f} s: {state.last_error}")
    elif state.writing_since is not None and now - state.writing_since > SLOW_TRANSACTION:
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


class SinkCollector(Collector):
    """What Prometheus reads, taken at the moment of the scrape."""

    def __init__(self, app: Any, writer: Writer, store: BatchStore, office: DeadLetterOffice) -> None:
        self._app = app
        self._writer = writer
        self._store = store
        self._office = office

    def describe(self) -> Iterable[Metric]:
        """Nothing known beforehand."""
        return []

    def collect(self) -> Iterable[Metric]:
        """All metric families of this moment."""
        state = self._writer.state
        rows = CounterMetricFamily(
            "gridwatch_sink_rows", "rows committed to the database, repetitions included", labels=["topic"]
        )
        refused = CounterMetricFamily(
            "gridwatch_sink_refused_rows", "rows that the database refused", labels=["topic"]
        )
        for topic in state.rows:
            rows.add_metric([topic], state.rows[topic])
            refused.add_metric([topic], state.refused[topic])
        yield rows
        yield refused
        for counter, meaning, count in (
            ("commits", "transactions committed", state.commits),
            ("retries", "transactions tried again because the database was away", state.retries),
            ("dead_letters", "dead letters sent by the sink", self._office.sent),
            ("lost_dead_letters", "dead letters that no row can hold", self._store.lost_letters),
            ("commit_seconds", "time spent in transactions, seconds", state.commit_seconds_total),
        ):
            yield CounterMetricFamily(f"gridwatch_sink_{counter}", meaning, value=count)
        waiting = 0.0 if state.waiting_since is None else time.time() - state.waiting_since
        for gauge, meaning, value in (
            ("last_commit_seconds", "time the last transaction took, seconds", state.commit_seconds),
            (
                "last_commit_timestamp_seconds",
                "when the last transaction ended, Unix time",
                state.last_commit,
            ),
            ("waiting_seconds", "how long the database has been waited for, 0 when it is there", waiting),
            ("partitions_assigned", "topic partitions read by this sink", len(assignment(self._app))),
        ):
            yield GaugeMetricFamily(f"gridwatch_sink_{gauge}", meaning, value=value)


def register(
    app: Any, settings: Settings, writer: Writer, store: BatchStore, office: DeadLetterOffice
) -> None:
    """Declare the pages."""
    broker = BrokerCheck(settings)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SinkCollector(app, writer, store, office))
    ProcessCollector(registry=registry)

    @app.page("/live/")  # type: ignore[untyped-decorator, unused-ignore]
    async def live(view: Any, request: Any) -> Any:
        """200 as long as the event loop answers."""
        return view.json({"live": True})

    @app.page("/ready/")  # type: ignore[untyped-decorator, unused-ignore]
    async def ready(view: Any, request: Any) -> Any:
        """200 when records get into the database, 503 with the reasons when not."""
        reasons = application_reasons(app)
        reasons += await broker.reasons()
        reasons += database_reasons(writer.address, writer.state, time.time())
        return view.json({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    @app.page("/metrics/")  # type: ignore[untyped-decorator, unused-ignore]
    async def metrics(view: Any, request: Any) -> Any:
        """Prometheus text."""
        return view.bytes(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
