"""Whether this worker is ready, and if not, why not.

Live means that the loop answers. Ready means that readings which arrive now are worked on: partitions
are assigned, no rebalance and no recovery is going on, the broker answers, and where readings wait the
committed position moves. A stalled worker must not look healthy, so no progress is a reason in itself,
whatever its cause.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from gridwatch.settings import Settings
from gridwatch.streaming.producers import aiokafka_security

#: Readings wait and the committed position has not moved for this long: not ready, seconds.
STALLED_AFTER = 30.0
#: How long one answer about the broker holds, seconds.
_BROKER_ANSWER_HOLDS = 5.0
_BROKER_PATIENCE = 3.0


class Progress:
    """Since when a partition has readings waiting without its committed position moving."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, float]] = {}

    def observe(self, now: float, positions: Mapping[int, tuple[int, int]]) -> dict[int, float]:
        """Take note of (committed, end) of each partition; returns the seconds each has been standing.

        A partition with nothing waiting, or seen for the first time, stands for 0 seconds.
        """
        standing = {}
        for partition, (committed, end) in positions.items():
            before = self._seen.get(partition)
            if before is None or before[0] != committed or committed >= end:
                before = (committed, now)
            self._seen[partition] = before
            standing[partition] = now - before[1]
        for gone in self._seen.keys() - positions.keys():
            del self._seen[gone]
        return standing


@dataclass(frozen=True)
class Condition:
    """What readiness is judged by."""

    assigned: bool
    rebalancing: bool = False
    recovering: bool = False
    stopping: bool = False
    broker: str = ""
    standing: Mapping[int, float] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether the state of the worker's partitions is there whole, and stays there."""
        return not (self.rebalancing or self.recovering or self.stopping)

    def reasons(self) -> list[str]:
        """Why the worker is not ready; empty when it is."""
        reasons = []
        if self.stopping:
            reasons.append("the worker is stopping: a part of it failed, or it was told to")
        if self.rebalancing:
            reasons.append("partitions are being handed out anew (rebalance)")
        elif not self.assigned:
            reasons.append("no partition is assigned to this worker")
        if self.recovering:
            reasons.append("state is being recovered from the changelog")
        if self.broker:
            reasons.append(self.broker)
        reasons += [
            f"partition {partition}: readings wait, and nothing was committed for {seconds:.0f} s"
            for partition, seconds in sorted(self.standing.items())
            if seconds >= STALLED_AFTER
        ]
        return reasons


class BrokerCheck:
    """Asks the brokers for metadata over a connection of its own, at most once every few seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked = float("-inf")
        self._answer = ""
        self._asking = asyncio.Lock()

    async def problem(self) -> str:
        """Empty when a broker answers, else what is wrong."""
        async with self._asking:
            if time.monotonic() - self._asked > _BROKER_ANSWER_HOLDS:
                self._answer = await self._ask()
                self._asked = time.monotonic()
        return self._answer

    async def _ask(self) -> str:
        client = AIOKafkaClient(
            bootstrap_servers=self._settings.bootstrap,
            client_id="gridwatch-ready",
            request_timeout_ms=int(_BROKER_PATIENCE * 1000),
            **aiokafka_security(self._settings),
        )
        try:
            await asyncio.wait_for(client.bootstrap(), _BROKER_PATIENCE)
        except (KafkaConnectionError, asyncio.TimeoutError):
            return f"no broker answers at {self._settings.bootstrap}"
        except Exception as error:  # such as a refused login: whatever it is, it is a reason
            return f"the brokers at {self._settings.bootstrap} refuse: {error or type(error).__name__}"
        finally:
            await client.close()
        return ""


def condition(app: Any, assigned: bool) -> Condition:
    """The application's condition as Faust knows it, without broker and progress."""
    return Condition(
        assigned=assigned,
        rebalancing=bool(app.rebalancing),
        recovering=bool(app.in_recovery) or (assigned and not app.tables.actives_ready),
        stopping=bool(app.should_stop or app.crashed),
    )
