"""Readiness and metrics of the MQTT entrance.

Ready means that a message which is published now gets into Kafka: the MQTT broker is connected and subscribed
to, the brokers of Kafka answer and have the topics, and no ack is overdue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridwatch.bridge.bridge import Bridge
from gridwatch.bridge.session import Session
from gridwatch.health.checks import Observed
from gridwatch.health.exposition import Samples
from gridwatch.health.metrics import BRIDGE
from gridwatch.kafka.broker_monitor import BrokerMonitor
from gridwatch.settings import Settings

AWAY_SECONDS: Final = 3.0


class BridgeHealth:
    """Observes the session, the appender and the brokers; changes none of them."""

    def __init__(self, settings: Settings, topics: Sequence[str], bridge: Bridge, session: Session) -> None:
        self._broker = BrokerMonitor(settings, "gridwatch-bridge-health", topics)
        self._bridge = bridge
        self._session = session
        self._translator = bridge.translator
        self._appender = bridge.appender
        self.stopping = False
        self.close = self._broker.close

    async def observe(self) -> Observed:
        """Ask the brokers of Kafka, then observe."""
        view = await self._broker.view()
        return Observed(
            BRIDGE,
            stopping=self.stopping,
            brokers=(*((self._session.problem,) if self._session.problem else ()), *view.problems),
            ack_wait=self._appender.waited,
            ack_problem=self._appender.problem,
            stalled_after=AWAY_SECONDS,
        )

    def ending(self) -> list[str]:
        """Why it is stopping; empty if it is not."""
        return Observed(BRIDGE, stopping=self.stopping).reasons()

    async def reasons(self) -> list[str]:
        """Why it is not ready; empty if it is."""
        return (await self.observe()).reasons()

    def warnings(self) -> list[str]:
        """Messages that were dropped."""
        dropped = self._bridge.dropped
        return [f"{dropped} messages of QoS 0 were dropped while Kafka was away"] if dropped else []

    async def samples(self) -> Samples:
        """Every metric's value now."""
        observed = await self.observe()
        samples = Samples(BRIDGE)
        samples.put("ready", not observed.reasons())
        samples.put("connected", self._session.connected)
        samples.put("connections", self._session.connections)
        samples.put("ack_wait_seconds", self._appender.waited)
        samples.put("unacknowledged_messages", self._bridge.unacknowledged)
        samples.put("dropped_messages", self._bridge.dropped)
        for rule, counts in self._translator.counts.items():
            samples.put("messages", counts.messages, rule)
            samples.put("redelivered_messages", counts.redelivered, rule)
            samples.put("retained_messages", counts.retained, rule)
            samples.put("ignored_messages", counts.ignored, rule)
            samples.put("measurements", counts.measurements, rule)
            samples.put("time_assigned", counts.assigned, rule)
            samples.put("readings", counts.readings, rule)
            for reason, count in sorted(counts.reasons.items()):
                samples.put("dead_letters", count, rule, reason)
        return samples
