"""Garbage: cycles go within a pause, those that lived longer within a round; nobody else looks."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from gridwatch.streaming.faust import garbage


class Node:
    """One end of a cycle."""

    def __init__(self) -> None:
        self.other = self


@pytest.fixture(autouse=True)
def the_usual_way_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "INTERVAL_SECONDS", 0.001)
    yield
    gc.unfreeze()
    gc.enable()


async def gone(node: weakref.ref[Node]) -> bool:
    for _ in range(500):
        if node() is None:
            return True
        await asyncio.sleep(0.002)
    return False


def test_a_new_cycle_is_collected_within_an_interval() -> None:
    async def run() -> None:
        task = asyncio.ensure_future(garbage.collect_garbage())
        await asyncio.sleep(0)
        assert not gc.isenabled()
        assert await gone(weakref.ref(Node()))
        task.cancel()

    asyncio.run(run())


def test_a_frozen_cycle_is_collected_by_the_next_full_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "INTERVALS_PER_FULL_COLLECTION", 20)

    async def run() -> None:
        task = asyncio.ensure_future(garbage.collect_garbage())
        node = Node()
        await asyncio.sleep(0.02)
        kept = weakref.ref(node)
        del node
        assert await gone(kept)
        task.cancel()

    asyncio.run(run())
