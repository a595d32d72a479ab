"""The owner of a partition of bundles puts a source out that stands still: once, and only if it is live."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gridwatch.agents.source_out import SourceCheck
from gridwatch.codecs.regions import partial_records
from gridwatch.domain.regions.kept import Source
from gridwatch.domain.regions.records import SourceOut
from gridwatch.domain.regions.state import PartitionState
from gridwatch.settings import load_settings
from gridwatch.topics import REGIONAL_PARTIALS, SOURCE_OUT_HEADER

SECOND = 1_000_000


class Emitter:
    """Accepts control records, unless told otherwise."""

    def __init__(self) -> None:
        self.accepts = True
        self.sent: list[tuple[str, int, Any, str, int]] = []

    async def offer_control(self, *record: Any) -> bool:
        if self.accepts:
            self.sent.append(record)
        return self.accepts


class Place:
    """A partition whose sources are seven and nine; the first one stands still."""

    def __init__(self) -> None:
        self.emitter = Emitter()
        self.behind = 0
        self.owned: dict[int, Any] = {}
        pipeline: Any = SimpleNamespace(
            owned=self.owned,
            lag=lambda partition: self.behind,
            stage=SimpleNamespace(source=REGIONAL_PARTIALS),
        )
        self.check = SourceCheck(load_settings(source_out_after="5m"), pipeline, self.emitter)  # type: ignore[arg-type]
        self.take_over()

    def take_over(self) -> None:
        state = PartitionState(3)
        state.sources = {"night/7": Source(7), "smartmeter/9": Source(9)}
        self.owned[3] = SimpleNamespace(partition=3, state=state, lost="")

    def run(self, *seconds: int) -> int:
        """Check at these times; how many records were sent."""
        before = len(self.emitter.sent)
        for second in seconds:
            asyncio.run(self.check.run(second * SECOND))
        return len(self.emitter.sent) - before


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_source_that_stands_still_is_put_out_once(place: Place) -> None:
    assert place.run(0, 299) == 0
    assert place.run(300, 301, 1000) == 1
    [(topic, partition, (key, value), header, stamp)] = place.emitter.sent
    assert (topic, partition, key, header) == (REGIONAL_PARTIALS.name, 3, b"night/7", SOURCE_OUT_HEADER)
    assert stamp == 300_000
    fetched = SimpleNamespace(offset=0, timestamp=0, value=value, headers=[(header, b"1")])
    assert partial_records([fetched])[0].content == SourceOut("night", 7)


def test_a_record_that_was_not_acked_is_sent_again(place: Place) -> None:
    place.emitter.accepts = False
    assert place.run(0, 300) == 0
    place.emitter.accepts = True
    assert place.run(301, 302) == 1


def test_nobody_is_put_out_by_an_owner_that_is_behind_or_cannot_read_on(place: Place) -> None:
    place.behind = 1
    assert place.run(0, 300, 600) == 0
    place.behind = 0
    place.owned[3].lost = "gone"
    assert place.run(900, 1200) == 0


def test_a_new_owner_begins_again(place: Place) -> None:
    place.run(0)
    place.take_over()
    assert place.run(300, 599) == 0
    assert place.run(600) == 1


def test_a_rebalance_begins_again(place: Place) -> None:
    place.run(0)
    place.check.forget()
    assert place.run(300, 599) == 0
    assert place.run(600) == 1
