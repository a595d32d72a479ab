"""Whether a broker answers, for readiness: a Kafka client hides an outage by trying again for ever."""

from __future__ import annotations

import asyncio
import time

from aiokafka.client import AIOKafkaClient

from gridwatch.settings import Settings
from gridwatch.streaming.producers import aiokafka_security

#: How long one answer holds, and how long one is waited for, seconds.
_HOLDS = 5.0
_PATIENCE = 3.0


class BrokerCheck:
    """Asks the brokers for metadata over a connection of its own, at most once every few seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked = float("-inf")
        self._answer: list[str] = []
        self._asking = asyncio.Lock()

    async def reasons(self) -> list[str]:
        """What is wrong with the brokers; empty when one answers."""
        async with self._asking:
            if time.monotonic() - self._asked > _HOLDS:
                self._answer = await self._ask()
                self._asked = time.monotonic()
        return self._answer

    async def _ask(self) -> list[str]:
        client = AIOKafkaClient(
            bootstrap_servers=self._settings.bootstrap,
            client_id="gridwatch-sink-ready",
            request_timeout_ms=int(_PATIENCE * 1000),
            **aiokafka_security(self._settings),
        )
        try:
            await asyncio.wait_for(client.bootstrap(), _PATIENCE)
        except Exception as error:  # whatever the client raises, the answer is that none answered
            return [f"no broker answers at {self._settings.bootstrap}: {error or 'no answer in time'}"]
        finally:
            await client.close()
        return []
