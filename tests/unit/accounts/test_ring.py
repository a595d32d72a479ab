"""The keys in memory: what is known, for how long, and what is not decided without knowing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gridwatch.accounts import ring as ring_module
from gridwatch.accounts.keys import Key, new_key
from gridwatch.accounts.ring import STALE_SECONDS, KeyRing, KeysUnknownError

SECOND = 1_000_000
NOW = 1_767_225_600 * SECOND


class Table:
    """The database and the clock."""

    def __init__(self, *keys: Key) -> None:
        self.keys: Sequence[Key] = keys
        self.now = NOW
        self.problem: Exception | None = None
        self.reads = 0
        self.read_often = threading.Event()

    def read(self) -> Sequence[Key]:
        self.reads += 1
        if self.reads == 4:
            self.read_often.set()
        if self.problem:
            raise self.problem
        return self.keys

    def ring(self) -> KeyRing:
        return KeyRing(self.read, lambda: self.now)


KEY, TEXT = new_key("n", ("ingest",), NOW)


def test_before_the_first_read_nobody_can_say() -> None:
    table = Table(KEY)
    ring = table.ring()
    assert not ring.known
    with pytest.raises(KeysUnknownError, match="not been read"):
        ring.find(TEXT)
    table.problem = OSError("no route")
    asyncio.run(ring.refresh())
    with pytest.raises(KeysUnknownError, match="no route"):
        ring.find("no key at all")


def test_a_key_is_found_by_its_text_and_nothing_else() -> None:
    _, other = new_key("o", ("ingest",), NOW)
    ring = Table(KEY).ring()
    asyncio.run(ring.refresh())
    assert ring.find(TEXT) == KEY
    for wrong in (other, TEXT[:-1], TEXT + "x", TEXT[:16] + other[16:], other[:16] + TEXT[16:], "", KEY.id):
        assert ring.find(wrong) is None


def test_a_key_opens_nothing_from_its_end_on_without_another_read() -> None:
    table = Table(replace(KEY, expires=NOW + 10 * SECOND))
    ring = table.ring()
    asyncio.run(ring.refresh())
    table.now += 10 * SECOND - 1
    assert ring.find(TEXT) is not None
    table.now += 1
    assert ring.find(TEXT) is None


def test_a_revoked_or_removed_key_opens_nothing_after_the_next_read() -> None:
    table = Table(KEY)
    ring = table.ring()
    for keys in ([replace(KEY, revoked=NOW)], []):
        table.keys = [KEY]
        asyncio.run(ring.refresh())
        assert ring.find(TEXT) == KEY
        table.keys = keys
        asyncio.run(ring.refresh())
        assert ring.find(TEXT) is None


def test_keys_that_were_read_go_on_for_15_minutes_while_the_database_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = Table(KEY)
    ring = table.ring()
    asyncio.run(ring.refresh())
    table.problem = OSError("gone")
    table.now += int(STALE_SECONDS) * SECOND
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            asyncio.run(ring.refresh())
    assert len(caplog.records) == 1, "said once"
    assert (STALE_SECONDS, ring.known, ring.problem) == (900, True, "gone")
    assert ring.find(TEXT) == KEY
    table.now += 1
    assert not ring.known
    with pytest.raises(KeysUnknownError, match="gone"):
        ring.find(TEXT)
    table.problem = None
    asyncio.run(ring.refresh())
    assert (ring.known, ring.problem) == (True, "")
    assert ring.find(TEXT) == KEY


def test_age_counts_from_the_beginning_of_a_read() -> None:
    table = Table(KEY)

    def slow() -> Sequence[Key]:
        table.now += 60 * SECOND
        return [KEY]

    ring = KeyRing(slow, lambda: table.now)
    asyncio.run(ring.refresh())
    table.now = NOW + int(STALE_SECONDS) * SECOND + 1
    assert not ring.known


def test_keys_are_read_again_and_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "READ_SECONDS", 0.001)
    table = Table(KEY)
    table.problem = ValueError("strange")

    async def keep() -> None:
        keeping = asyncio.ensure_future(table.ring().keep_fresh())
        assert await asyncio.to_thread(table.read_often.wait, 5)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(keep())
