"""A client that finds no broker tries again after a pause, as often as it is asked."""

from __future__ import annotations

import asyncio
import inspect
import time
from types import SimpleNamespace
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.structs import BrokerMetadata

from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.kafka.metadata import pace_updates


def test_only_failed_attempts_are_followed_by_a_pause() -> None:
    answers = [False, True, False, True]

    async def update(_cluster: Any, _topics: Any) -> bool:
        return answers.pop(0)

    client = SimpleNamespace(_metadata_update=update)
    pace_updates(client, 0.05)

    async def took() -> tuple[bool, float]:
        began = time.monotonic()
        return await client._metadata_update(None, None), time.monotonic() - began

    async def all_of_them() -> list[tuple[bool, float]]:
        return [await took() for _ in range(4)]

    found = asyncio.run(all_of_them())
    assert [updated for updated, _ in found] == [False, True, False, True]
    assert all((seconds >= 0.05) is not updated for updated, seconds in found)


def test_a_real_client_does_not_ask_all_the_time_while_its_broker_is_away() -> None:
    assert list(inspect.signature(AIOKafkaClient._metadata_update).parameters) == [
        "self",
        "cluster_metadata",
        "topics",
    ]

    async def asked() -> int:
        client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:{free_ports(1)[0]}")
        broker = BrokerMetadata(1, LOOPBACK, free_ports(1)[0], None)
        client.cluster._brokers = {1: broker}
        tries = 0
        connect = client._get_conn

        async def counted(*place: Any, **options: Any) -> Any:
            nonlocal tries
            tries += 1
            return await connect(*place, **options)

        client._get_conn = counted
        pace_updates(client, 0.05)
        client._sync_task = asyncio.ensure_future(client._md_synchronizer())
        ends = time.monotonic() + 0.5
        while time.monotonic() < ends:  # as a producer does whose partitions have no known leader
            await client.force_metadata_update()
        await client.close()
        return tries

    assert 2 <= asyncio.run(asked()) <= 12
