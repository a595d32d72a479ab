"""The machinery does for a second stage what it does for readings: `tests/sums`, against an exact sum.

Upstream crashes write some outputs again; the stage's own crashes lose what was not committed; commits are
cut anywhere. In the end each reading counts once.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.streaming.stage.pipeline import STEPS
from gridwatch.topics import DEAD_LETTERS, VALIDATED
from tests.batches import batch_of
from tests.sums.rules import EVERY
from tests.sums.stage import LAYOUT, STAGE, SUMS
from tests.unit.streaming.stage.rig import Rig


class Fetched(NamedTuple):
    """A record of a fetch, as the parser makes it."""

    offset: int
    timestamp: int
    value: bytes


class Reading(NamedTuple):
    """One reading upstream."""

    meter: str
    wh: int
    origin: tuple[int, int]


def message(reading: Reading) -> bytes:
    """Its validated record."""
    offset, index = reading.origin
    return json.dumps(
        {
            "id": f"0-{offset}-{index}",
            "meter_id": reading.meter,
            "timestamp": "2024-01-01T10:00:00Z",
            "consumption_kwh": reading.wh / 1000,
            "interval_minutes": 30,
            "status": "OK",
            "delay_seconds": 0.0,
            "flags": [],
            "watermark": "2024-01-01T10:00:00Z",
            "partition": 0,
            "offset": offset,
            "index": index,
        }
    ).encode()


@st.composite
def upstream(draw: st.DrawFn) -> tuple[list[Reading], list[bytes]]:
    """Readings in order of their origins, and the source's records: runs that were restarted, and garbage."""
    meters = st.sampled_from(["A", "B", "C"])
    readings = [
        Reading(meter, wh, (number // 3, number % 3))
        for number, (meter, wh) in enumerate(
            draw(st.lists(st.tuples(meters, st.integers(0, 5)), max_size=3 * EVERY))
        )
    ]
    records: list[bytes] = []
    reached = 0
    for end in [*draw(st.lists(st.integers(0, len(readings)), max_size=5)), len(readings)]:
        records += map(message, readings[draw(st.integers(0, reached)) : end])
        reached = max(reached, end)
        records += draw(st.sampled_from([[], [], [b"no reading"]]))
    return readings, records


def exact(readings: Sequence[Reading]) -> tuple[dict[str, tuple[int, int]], dict[str, dict[str, Any]]]:
    """Each meter's (readings, µWh), and every sum to be emitted, by its id."""
    count: Counter[str] = Counter()
    micro_kwh: Counter[str] = Counter()
    emitted = {}
    for reading in readings:
        meter = reading.meter
        count[meter] += 1
        micro_kwh[meter] += reading.wh * 1000
        if not count[meter] % EVERY:
            name = f"{meter}@{count[meter]}"
            emitted[name] = {
                "id": name, "meter_id": meter, "readings": count[meter], "micro_kwh": micro_kwh[meter]
            }  # fmt: skip
    return {meter: (count[meter], micro_kwh[meter]) for meter in count}, emitted


class Run:
    """A worker of the stage over a log: batches cut, commits cut, crashes, restarts from what is stored."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, records: list[bytes]) -> None:
        self._folder, self._patch = folder, patch
        self.log = [Fetched(offset, 1000 + offset, value) for offset, value in enumerate(records)]
        self.emitted: dict[str, dict[str, Any]] = {}
        self.letters: set[str] = set()
        self.contradictions: list[str] = []
        self.restart()

    def restart(self) -> None:
        """A new worker on the same store."""
        self.rig = Rig(self._folder, self._patch, STAGE)

    def work(self, start: int, end: int, commit_bytes: int, crash_at: tuple[str, int] | None) -> int:
        """Work the records [start, end), and crash at the n-th pass of a step: where the position is then."""
        self.rig.pipeline.commit_bytes = commit_bytes
        passes: Counter[str] = Counter()

        def watch(step: str) -> None:
            passes[step] += 1
            if (step, passes[step]) == crash_at:
                raise FencedError("the end")

        self.rig.pipeline.watch = watch
        fetched = STAGE.unpack(self.log[start:end])
        try:
            self.rig.work(batch_of(VALIDATED.name, 0, fetched, start, end))
        except FencedError:
            self._note()
            asyncio.run(self.rig.store.stop())
            self.restart()
        else:
            self._note()
        return self.rig.stored_position() or 0

    def _note(self) -> None:
        for one in self.rig.emitter.delivered.pop(SUMS.name, []):
            if self.emitted.setdefault(one["id"], one) != one:
                self.contradictions.append(f"{one} and {self.emitted[one['id']]}")
        self.letters |= {one["id"] for one in self.rig.emitter.delivered.pop(DEAD_LETTERS.name, [])}

    def sums(self) -> dict[str, tuple[int, int]]:
        """What is stored."""
        rows = self.rig.store.rows(0)
        return {
            key.decode(): tuple(LAYOUT.decode(key.decode(), row)) for key, row in rows if LAYOUT.is_state(key)
        }


@settings(max_examples=25, deadline=None)
@given(upstream(), st.data())
def test_each_reading_counts_once_whatever_is_repeated_cut_or_crashed(
    log: tuple[list[Reading], list[bytes]], data: st.DataObject
) -> None:
    readings, records = log
    sums, emitted = exact(readings)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        run = Run(Path(folder), patch, records)
        position = crashes = 0
        while position < len(records):
            end = data.draw(st.integers(position + 1, len(records)))
            crash = None
            if crashes < 6 and data.draw(st.booleans()):
                crash = data.draw(st.tuples(st.sampled_from(STEPS), st.integers(1, 3)))
                crashes += 1
            again = max(0, position - data.draw(st.integers(0, 3)))  # what lies before is delivered again
            position = run.work(again, end, data.draw(st.sampled_from([1, 60, 10_000])), crash)
        assert run.sums() == sums
        assert run.emitted == emitted
        assert run.contradictions == []
        bad = {f"{VALIDATED.name}-{offset}" for offset, value in enumerate(records) if value == b"no reading"}
        assert run.letters == bad
        if records:
            row = dict(run.rig.store.rows(0))[b"\x00partition"]
            assert LAYOUT.decode_partition(row)[0].row_count == len(sums)


def test_the_feed_of_a_stage_is_judged_by_its_own_dead_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, monkeypatch, [b"no reading"] * 3)
    run.work(0, 3, 10_000, None)
    assert run.rig.pipeline.feeds[0]._bad == 3
