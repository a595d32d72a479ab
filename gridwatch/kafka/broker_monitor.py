"""Asks the brokers for health, over a connection of its own: whether they answer, the topics, their offsets.

A consumer hides an outage by retrying for ever, and one that has stopped fetching keeps the last end offset
that it received: it looks caught up during the outage. So health asks the brokers itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from gridwatch.kafka.security import aiokafka_config
from gridwatch.settings import Settings

#: How long an answer is cached, and how long one is waited for, seconds.
CACHE_SECONDS = 5.0
_TIMEOUT = 3.0


@dataclass(frozen=True)
class BrokerView:
    """One answer: what is wrong, and the start, end and last stable offset of each partition of the topics
    asked for. The last stable offset is where the oldest open transaction begins, or the end."""

    problems: tuple[str, ...] = ()
    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    stable: Mapping[tuple[str, int], int] = field(default_factory=dict)


class BrokerMonitor:
    """Asks the brokers, at most once every few seconds.

    Args:
        client: its client id.
        topics: the required topics.
        read: those of them whose offsets are asked for.
    """

    def __init__(
        self, settings: Settings, client: str, topics: Collection[str] = (), read: Collection[str] = ()
    ) -> None:
        self._settings = settings
        self._client = client
        self._topics = topics
        self._read = read
        self._consumer: AIOKafkaConsumer | None = None
        self._asked = float("-inf")
        self._view = BrokerView()
        self._asking = asyncio.Lock()

    async def view(self) -> BrokerView:
        """The current answer, or one from a few seconds ago."""
        async with self._asking:
            if time.monotonic() - self._asked > CACHE_SECONDS:
                self._view = await self._ask()
                self._asked = time.monotonic()
        return self._view

    async def close(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(Exception):  # it is discarded because it does not work
                await asyncio.wait_for(consumer.stop(), _TIMEOUT)

    async def _ask(self) -> BrokerView:
        try:
            return await asyncio.wait_for(self._answer(), _TIMEOUT)
        except (TimeoutError, KafkaConnectionError, KafkaTimeoutError):
            problem = f"no broker answers at {self._settings.bootstrap}"
        except Exception as error:  # such as a failed login: any error is a reason
            problem = f"the brokers at {self._settings.bootstrap} refuse: {error or type(error).__name__}"
        await self.close()
        return BrokerView((problem,))

    async def _answer(self) -> BrokerView:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                client_id=self._client,
                request_timeout_ms=int(_TIMEOUT * 1000),
                **aiokafka_config(self._settings),
            )
            await self._consumer.start()
        # `topics()` would do the same, but does not return the partitions.
        metadata = await self._consumer._client.fetch_all_metadata()
        found = {topic: metadata.partitions_for_topic(topic) for topic in self._topics}
        counts = {topic: len(partitions) for topic, partitions in found.items() if partitions}
        asked = [
            TopicPartition(topic, partition)
            for topic in self._read
            for partition in range(counts.get(topic, 0))
        ]
        starts = await self._consumer.beginning_offsets(asked) if asked else {}
        stable = await self._ends(asked, READ_COMMITTED)  # first, so that it is never beyond the end
        ends = await self._ends(asked, READ_UNCOMMITTED)
        return BrokerView(
            tuple(topic_problems(counts, self._topics, self._settings.partitions)),
            {(tp.topic, tp.partition): start for tp, start in starts.items()},
            {(tp.topic, tp.partition): end for tp, end in ends.items()},
            {(tp.topic, tp.partition): end for tp, end in stable.items()},
        )

    async def _ends(self, asked: list[TopicPartition], isolation: int) -> Mapping[TopicPartition, int]:
        if self._consumer is None or not asked:
            return {}
        # This consumer fetches nothing, so the level only selects which end offset is returned.
        self._consumer._fetcher._isolation_level = isolation
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(asked)
        return ends


def topic_problems(counts: Mapping[str, int], topics: Collection[str], partitions: int) -> list[str]:
    """A reason with its remedy for each topic that is missing or has another partition count."""
    problems = [
        f"topic {topic} is missing; what belongs there waits; remedy: gridwatch topics create"
        for topic in topics
        if topic not in counts
    ]
    return problems + [
        f"topic {topic} has {counts[topic]} partitions, GRIDWATCH_PARTITIONS says {partitions}: "
        "what is in the others is not worked on; remedy: see gridwatch topics check"
        for topic in topics
        if topic in counts and counts[topic] != partitions
    ]
