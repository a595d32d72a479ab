"""The stage `regions` through the runtime: bundles repeat, commits are cut, workers crash and resume.

The outputs are those of one run over the log, and so are the rows.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.agents.regions import REGIONS, sources_of
from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import Bundle
from gridwatch.domain.regions.records import Incident, RegionRow, SourceOut
from gridwatch.settings import load_settings
from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.streaming.stage.pipeline import STEPS
from gridwatch.tables.layout import FENCE_KEY
from gridwatch.topics import (
    DEAD_LETTERS,
    INCIDENTS,
    REGIONAL_AGGREGATES,
    REGIONAL_PARTIALS,
    SOURCE_OUT_HEADER,
)
from tests.batches import batch_of
from tests.unit.domain.regions.feed import LATENESS, NOON, random_log, random_source
from tests.unit.domain.regions.slow import Slow
from tests.unit.streaming.stage.rig import Rig

HOURS = 3 * 3_600_000_000
FLOWS = ("smartmeter", "night", "solar")
OUTPUTS = (REGIONAL_AGGREGATES, INCIDENTS)


class Fetched(NamedTuple):
    """A record of a fetch, as the parser makes it."""

    offset: int
    timestamp: int
    value: bytes
    headers: list[tuple[str, bytes]]


def value_of(content: Bundle | SourceOut) -> bytes:
    """The JSON of a record."""
    body: dict[str, Any] = {"flow": content.flow, "partition": content.partition}
    if isinstance(content, Bundle):
        windows = [one._asdict() | {"window_start": format_instant(one.start)} for one in content.windows]
        groups = [
            one._asdict() | {"openings": [(format_instant(at), count) for at, count in one.openings]}
            for one in content.groups
        ]
        limits = [
            one._asdict() | {"valid_from": one.valid_from and format_instant(one.valid_from)}
            for one in content.limits
        ]
        body |= {"version": 1, "watermark": format_instant(content.watermark)}
        body |= {"windows": windows, "groups": groups, "regions": limits}
    return json.dumps(body).encode()


def log_of(chance: Random) -> list[Bundle | SourceOut]:
    """A log of three flows, of one partition each."""
    feeds = [random_source(chance, number, NOON + HOURS) for number in range(len(FLOWS))]
    log = random_log(chance, feeds, outs=True)
    return [one._replace(flow=FLOWS[one.partition], partition=0) for one in log]


class Worker:
    """A worker of the stage over a log that crashes, and restarts from what is stored."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, values: list[tuple[bytes, bool]]) -> None:
        self._folder, self._patch = folder, patch
        self.log = [
            Fetched(offset, 1000 + offset, value, [(SOURCE_OUT_HEADER, b"1")] if out else [])
            for offset, (value, out) in enumerate(values)
        ]
        self.emitted: dict[tuple[str, str, int, str], dict[str, Any]] = {}
        self.letters: set[str] = set()
        self.contradictions: list[Any] = []
        self.restart()

    def restart(self) -> None:
        """A new worker on the same store."""
        self.rig = Rig(self._folder, self._patch, REGIONS, region_flows=",".join(FLOWS))

    def work(self, start: int, end: int, commit_bytes: int, crash_at: tuple[str, int] | None) -> int:
        """Work the records [start, end), and crash at the n-th pass of a step; the position then."""
        self.rig.pipeline.commit_bytes = commit_bytes
        passes: Counter[str] = Counter()

        def watch(step: str) -> None:
            passes[step] += 1
            if (step, passes[step]) == crash_at:
                raise FencedError("the end")

        self.rig.pipeline.watch = watch
        fetched = REGIONS.unpack(self.log[start:end])
        try:
            self.rig.work(batch_of(REGIONAL_PARTIALS.name, 0, fetched, start, end))
        except FencedError:
            self._note()
            asyncio.run(self.rig.store.stop())
            self.restart()
        else:
            self._note()
        return self.rig.stored_position() or 0

    def _note(self) -> None:
        for topic in OUTPUTS:
            for one in self.rig.emitter.delivered.pop(topic.name, []):
                place = (topic.name, one["id"], one["revision"], one["state"])
                if self.emitted.setdefault(place, one) != one:
                    self.contradictions.append((one, self.emitted[place]))
        self.letters |= {one["id"] for one in self.rig.emitter.delivered.pop(DEAD_LETTERS.name, [])}

    def rows(self) -> dict[bytes, bytes]:
        """What is stored."""
        return {key: row for key, row in self.rig.store.rows(0) if key != FENCE_KEY}


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1 << 32), st.data())
def test_rows_and_incidents_are_those_of_one_run_whatever_is_cut_or_crashed(
    seed: int, data: st.DataObject
) -> None:
    contents = log_of(Random(seed))
    values = [(value_of(one), isinstance(one, SourceOut)) for one in contents]
    values.insert(len(values) // 2, (b"no bundle", False))
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as other,
        pytest.MonkeyPatch.context() as patch,
    ):
        worker = Worker(Path(folder), patch, values)
        position = crashes = 0
        while position < len(values):
            end = data.draw(st.integers(position + 1, len(values)))
            crash = None
            if crashes < 6 and data.draw(st.booleans()):
                crash = data.draw(st.tuples(st.sampled_from(STEPS), st.integers(1, 3)))
                crashes += 1
            again = max(0, position - data.draw(st.integers(0, 3)))
            position = worker.work(again, end, data.draw(st.sampled_from([1, 3000, 1 << 20])), crash)
        assert worker.contradictions == []
        assert worker.letters == {f"regional_partials-0-{len(contents) // 2}-0"}
        wanted = Slow([f"{flow}/0" for flow in FLOWS], LATENESS).run(contents)
        names = {RegionRow: REGIONAL_AGGREGATES.name, Incident: INCIDENTS.name}
        assert sorted(worker.emitted) == sorted(
            (names[type(one)], one.id, one.revision, one.state) for one in wanted
        )
        whole = Worker(Path(other), patch, values)
        whole.work(0, len(values), 1 << 20, None)
        assert worker.emitted == whole.emitted
        assert worker.rows() == whole.rows()


def test_the_sources_are_all_partitions_of_the_flows_that_take_part() -> None:
    made = load_settings(partitions=2, region_flows="smartmeter,night")
    assert sources_of(made) == ["smartmeter/0", "smartmeter/1", "night/0", "night/1"]
