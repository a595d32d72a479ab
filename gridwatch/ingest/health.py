"""Readiness and metrics of the HTTP entrance.

Ready means that readings which come now are acknowledged: the brokers answer and have the raw topic, and no
ack is overdue. Where keys are required they have to be known, too.
"""

from __future__ import annotations

from gridwatch.accounts.ring import KeyRing
from gridwatch.health.checks import Observed
from gridwatch.health.exposition import Samples
from gridwatch.health.metrics import INGEST
from gridwatch.ingest.api import AWAY_SECONDS, Entrance
from gridwatch.kafka.broker_monitor import BrokerMonitor
from gridwatch.settings import Settings


class IngestHealth:
    """Observes brokers, appender and keys; opens the entrance once the raw topic is there."""

    def __init__(self, settings: Settings, entrance: Entrance, ring: KeyRing | None) -> None:
        self._broker = BrokerMonitor(settings, "gridwatch-ingest-health", [entrance.topic])
        self._entrance = entrance
        self._ring = ring
        self.stopping = False
        self.close = self._broker.close

    async def observe(self) -> Observed:
        """Ask the brokers, then observe."""
        view = await self._broker.view()
        if not view.problems:
            self._entrance.closed = ""
        elif self._entrance.closed:
            self._entrance.closed = "; ".join(view.problems)
        appender = self._entrance.appender
        return Observed(
            INGEST,
            stopping=self.stopping,
            brokers=view.problems,
            ack_wait=appender.waited,
            ack_problem=appender.problem,
            stalled_after=AWAY_SECONDS,
        )

    def ending(self) -> list[str]:
        """Why it is stopping; empty if it is not."""
        return Observed(INGEST, stopping=self.stopping).reasons()

    async def reasons(self) -> list[str]:
        """Why it is not ready; empty if it is."""
        return [*(await self.observe()).reasons(), *self._key_problems()]

    def warnings(self) -> list[str]:
        """Keys that could not be read the last time: the former ones are used."""
        if self._ring is None or not self._ring.known or not self._ring.problem:
            return []
        return [f"the API keys could not be read, the former ones are used: {self._ring.problem}"]

    def _key_problems(self) -> list[str]:
        if self._ring is None or self._ring.known:
            return []
        return [f"the API keys are not known: {self._ring.problem or 'they have not been read yet'}"]

    async def samples(self) -> Samples:
        """Every metric's value now."""
        observed = await self.observe()
        counts, appender = self._entrance.counts, self._entrance.appender
        samples = Samples(INGEST)
        samples.put("ready", not observed.reasons() and not self._key_problems())
        samples.put("ack_wait_seconds", appender.waited)
        samples.put("pending_bytes", appender.pending_bytes)
        samples.put("accepted_readings", counts.accepted)
        samples.put("received_bytes", counts.received_bytes)
        samples.put("request_seconds", counts.seconds)
        for status, count in sorted(counts.answers.items()):
            samples.put("answers", count, status)
        for reason, count in sorted(counts.rejected.items()):
            samples.put("rejected_readings", count, reason)
        return samples
