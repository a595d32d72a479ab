"""Taking a partition over: every stored deadline is read once, however many slices that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from gridwatch.agents.readings import READINGS
from gridwatch.domain.meter.state import MeterState
from gridwatch.streaming.stage import take_over as module
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.meter_rows import METER

SLICE = 3


class Stored:
    """The rows of a partition as the store gives them: in order of their keys."""

    def __init__(self, meters: dict[str, int]) -> None:
        self._rows = {PARTITION_KEY: b"the partition", FENCE_KEY: b""}
        for meter_id, due in meters.items():
            state = MeterState(0, 60)
            state.due = due
            self._rows[meter_id.encode()] = METER.encode(state)

    def rows_from(self, partition: int, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        assert partition == 4
        yield from sorted((key, row) for key, row in self._rows.items() if key >= start)


@pytest.mark.parametrize("count", range(3 * SLICE + 2))
def test_every_deadline_is_read_exactly_once(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(module, "SLICE_ROWS", SLICE)
    # Each key is the beginning of the next one: whatever is between two of them is a key, too.
    meters = {"M" * (number + 1): 1_000 + number for number in range(count)}
    store: Any = Stored(meters)
    due = asyncio.run(module._index(READINGS, store, 4))
    assert due == (count, [(at, meter_id, 0) for meter_id, at in meters.items()])


def test_others_have_their_turn_between_two_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE_ROWS", SLICE)
    store: Any = Stored({f"M{number}": number for number in range(3 * SLICE)})
    turns = 0

    async def scenario() -> None:
        nonlocal turns
        reading = asyncio.ensure_future(module._index(READINGS, store, 4))
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1

    asyncio.run(scenario())
    assert turns > 3
