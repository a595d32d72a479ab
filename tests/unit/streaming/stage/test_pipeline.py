"""A batch is made safe in the order outputs, changelog, store, and leaves its partition at its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from gridwatch.domain.reading import LogRecord
from gridwatch.streaming.faust.batches import RecordBatch, TakeOverEvent
from gridwatch.streaming.stage import pipeline as module
from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.streaming.stage.pipeline import PORTION, STEPS
from gridwatch.tables.store import TopicIdentity
from gridwatch.topics import (
    DEAD_LETTERS,
    GAP_ALERTS,
    LATE_EVENTS,
    RAW,
    REGIONAL_PARTIALS,
    VALIDATED,
    changelog,
)
from tests.batches import batch_of
from tests.unit.streaming.stage.rig import Rig

TEN = 1_704_103_200_000_000  # 2024-01-01T10:00:00Z
MINUTE = 60_000_000


def reading(number: int = 0, meter: str = "M1", minutes: int | None = None) -> dict[str, Any]:
    """A clean reading of a meter, half an hour after the one numbered before it."""
    at = 30 * number if minutes is None else minutes
    return {
        "meter_id": meter,
        "timestamp": f"2024-01-{1 + (600 + at) // 1440:02}T{(600 + at) // 60 % 24:02}:{at % 60:02}:00Z",
        "consumption_kwh": 1.5,
    }


def record(offset: int, value: Any, minutes: int = 0) -> LogRecord:
    """A raw record, stamped so many minutes after ten; bytes are what they are, anything else is JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return LogRecord(offset, TEN + minutes * MINUTE, raw)


def readings(*offsets: int) -> list[LogRecord]:
    """A clean reading at each offset."""
    return [record(offset, reading(offset), 30 * offset) for offset in offsets]


def batch(records: Sequence[LogRecord], start: int | None = None, end: int | None = None) -> RecordBatch:
    return batch_of(RAW.name, 0, records, start, end)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(tmp_path, monkeypatch)


# -- the order of a commit


def test_outputs_are_acked_before_the_append_and_the_append_before_the_store_buffers(rig: Rig) -> None:
    steps: list[str] = []
    rig.pipeline.watch = steps.append
    assert rig.work(batch([*readings(0), record(1, b"no reading")])) == [2]
    assert rig.journal[-3:] == ["append", "appended", "buffered"]
    topics = (VALIDATED.name, DEAD_LETTERS.name)
    assert sorted(rig.journal[:-3]) == sorted(
        f"{did} {topic}" for topic in topics for did in ("sent", "acked")
    )
    assert steps == [step for step in STEPS if step != "cut"]
    assert rig.stored_position() == 2
    assert dict(rig.changelog.commits[0]) == dict(rig.store.rows(0))
    assert rig.store.applied_offset(0) == rig.changelog.end - 1


def test_an_append_that_is_refused_goes_to_whoever_asked_and_leaves_the_store_as_it_was(rig: Rig) -> None:
    rig.work(batch(readings(0)))
    before = dict(rig.store.rows(0))
    rig.changelog.failure = FencedError("taken by another")
    with pytest.raises(FencedError, match="taken by another"):
        rig.work(batch(readings(1)))
    assert dict(rig.store.rows(0)) == before
    assert rig.journal[-1] == "append"


def test_a_batch_of_a_partition_revoked_between_outputs_and_append_is_dropped(rig: Rig) -> None:
    rig.work(batch(readings(0)))
    rig.on("outputs acked", lambda: setattr(rig.app, "consumer_generation_id", 2))
    assert rig.work(batch(readings(1, 2))) == [1]
    assert 0 not in rig.pipeline.owned
    assert len(rig.changelog.commits) == 1
    assert rig.stored_position() == 1
    assert rig.journal[-1] == f"acked {VALIDATED.name}"


def test_a_batch_of_a_partition_released_between_outputs_and_append_is_dropped_and_the_writer_closed(
    rig: Rig,
) -> None:
    def release() -> None:
        rig.pipeline.owned.clear()

    rig.on("outputs acked", release)
    assert rig.work(batch(readings(5), start=0)) == [0]
    assert rig.changelog.commits == []
    rig.pipeline.watch = lambda step: None
    assert rig.work(batch(readings(5), start=0)) == [6]
    assert rig.taken == 2
    asyncio.run(rig.pipeline.release())
    assert (rig.changelog.closed, rig.pipeline.owned) == (1, {})


def test_outputs_of_a_dropped_batch_are_emitted_again_with_the_same_ids_and_counted_once(rig: Rig) -> None:
    rig.on("outputs acked", lambda: setattr(rig.app, "consumer_generation_id", 2))
    rig.work(batch(readings(0, 1)))
    rig.pipeline.watch = lambda step: None
    rig.work(batch(readings(0, 1)))
    emitted = [one["id"] for one in rig.emitter.delivered[VALIDATED.name]]
    assert emitted == ["0-0-0", "0-1-0"] * 2
    assert rig.pipeline.owned[0].state.meters == 1


# -- where a batch lies


def test_outputs_are_counted_by_topic_once_they_are_acked_and_again_where_they_are_repeated(rig: Rig) -> None:
    rig.on("outputs acked", rig.pipeline.owned.clear)
    given = [*readings(0, 1), record(2, b"no reading")]
    rig.work(batch(given))
    assert rig.pipeline.emitted[0] == {topic: len(some) for topic, some in rig.emitter.delivered.items()}
    assert rig.pipeline.emitted[0][VALIDATED.name] == 2
    rig.on("outputs acked", lambda: None)
    rig.work(batch(given))
    assert rig.pipeline.emitted[0] == {topic: len(some) for topic, some in rig.emitter.delivered.items()}
    assert rig.pipeline.emitted[0][VALIDATED.name] == 4
    assert rig.pipeline.emitted[0][REGIONAL_PARTIALS.name] > 0  # of the source, wherever they went


def test_a_batch_that_begins_after_the_position_changes_nothing(rig: Rig) -> None:
    rig.work(batch(readings(0)))
    rig.journal.clear()
    assert rig.work(batch(readings(2, 3))) == [1]
    assert rig.journal == []
    assert rig.pipeline.owned[0].state.next_offset == 1


def test_a_batch_wholly_before_the_position_is_skipped_once_the_log_is_seen_to_reach_that_far(
    rig: Rig,
) -> None:
    rig.work(batch(readings(0, 1, 2)))
    rig.journal.clear()
    assert rig.work(batch(readings(0, 1)), batch(readings(0, 1, 2))) == [3, 3]
    assert rig.journal == ["asked for the raw end, from 3"] * 2
    assert len(rig.changelog.commits) == 1


def test_of_a_batch_across_the_position_only_the_records_after_it_are_processed(rig: Rig) -> None:
    rig.work(batch(readings(0, 1)))
    assert rig.work(batch(readings(0, 1, 2))) == [3]
    assert [one["offset"] for one in rig.emitter.delivered[VALIDATED.name]] == [0, 1, 2]
    assert not [line for line in rig.journal if "raw end" in line]


def test_a_range_without_records_moves_the_position_to_its_end_in_one_commit(rig: Rig) -> None:
    assert rig.work(batch([], 0, 7)) == [7]
    assert rig.changelog.positions() == [(7, 0)]
    assert rig.emitter.delivered == {}
    assert rig.stored_position() == 7


@pytest.mark.parametrize("count", [1, 3, PORTION, PORTION + 1])
def test_offsets_after_the_last_record_are_part_of_the_same_commit(rig: Rig, count: int) -> None:
    records = [record(offset, b"x") for offset in range(count)]
    assert rig.work(batch(records, 0, count + 4)) == [count + 4]
    assert rig.changelog.positions() == [(count + 4, 0)]
    assert len(rig.emitter.delivered[DEAD_LETTERS.name]) == count


def test_a_batch_of_several_portions_is_one_commit_and_each_of_its_readings_is_emitted_once(rig: Rig) -> None:
    count = 2 * PORTION + 1
    records = [record(offset, reading(offset, minutes=offset), offset) for offset in range(count)]
    assert rig.work(batch(records)) == [count]
    assert [one["offset"] for one in rig.emitter.delivered[VALIDATED.name]] == list(range(count))
    assert rig.changelog.positions() == [(count, 0)]
    assert rig.pipeline.owned[0].batch_records == count


def test_offsets_without_records_before_and_between_are_skipped(rig: Rig) -> None:
    assert rig.work(batch(readings(3, 9), 0, 12), batch(readings(14), 12, 15)) == [12, 15]
    assert [one["offset"] for one in rig.emitter.delivered[VALIDATED.name]] == [3, 9, 14]
    assert rig.changelog.positions() == [(12, 0), (15, 0)]


def test_a_take_over_event_returns_the_position_and_commits_nothing_where_nothing_is_left_to_do(
    rig: Rig,
) -> None:
    rig.work(batch(readings(0, 1)))
    assert rig.work(TakeOverEvent(RAW.name, 0)) == [2]
    assert len(rig.changelog.commits) == 1


def test_a_take_over_event_takes_a_partition_over(rig: Rig) -> None:
    assert rig.work(TakeOverEvent(RAW.name, 0)) == [0]
    assert rig.taken == 1
    assert rig.changelog.commits == []
    assert rig.work(TakeOverEvent(RAW.name, 0)) == [0]
    assert rig.taken == 1


def test_a_meter_that_a_commit_removed_is_unknown_to_the_next_batch(rig: Rig) -> None:
    nine_days = 9 * 24 * 60
    rig.work(batch(readings(0)))
    tick = LogRecord(1, TEN + nine_days * MINUTE, b"2024-01-10T10:00:00Z", tick=True)
    rig.work(batch([tick]))
    assert (b"M1", None) in rig.changelog.commits[-1]
    assert rig.store.row(0, b"M1") is None
    rig.work(batch([record(2, reading(0, minutes=nine_days), nine_days)]))
    first, again = rig.emitter.delivered[VALIDATED.name]
    assert "FIRST" in first["flags"]
    assert "FIRST" in again["flags"]


# -- commits that are cut


def test_a_cut_commit_is_several_with_the_position_inside_and_the_last_one_at_the_end(rig: Rig) -> None:
    rig.pipeline.commit_bytes = 1
    array = [reading(0, f"M{number}") for number in range(3)]
    assert rig.work(batch([record(0, array), record(1, reading(1), 30)], 0, 5)) == [5]
    # Before the last ones the readings are done; what the watermark has reached is settled, and then its
    # windows are emitted, each with a commit of its own.
    assert rig.changelog.positions() == [(0, 1), (0, 2), (1, 0), *[(2, 0)] * 4, (5, 0)]
    emitted = [(one["offset"], one["index"]) for one in rig.emitter.delivered[VALIDATED.name]]
    assert emitted == [(0, 0), (0, 1), (0, 2), (1, 0)]
    steps = [line for line in rig.journal if line in ("append", "buffered")]
    assert steps == ["append", "buffered"] * 8


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_worker_that_ends_between_the_commits_of_a_batch_resumes_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    def whole() -> RecordBatch:
        array = [reading(0, f"M{number}") for number in range(3)]
        return batch([record(0, array), record(1, reading(1), 30)], 0, 5)

    first = Rig(tmp_path, monkeypatch)
    first.pipeline.commit_bytes = 1

    def after_some() -> None:
        if len(first.changelog.commits) == commits:
            first.changelog.failure = FencedError("the end")

    first.on("written", after_some)
    with pytest.raises(FencedError):
        first.work(whole())
    asyncio.run(first.store.stop())
    second = Rig(tmp_path, monkeypatch)
    assert second.work(whole()) == [5]
    emitted = [one["id"] for one in second.emitter.delivered[VALIDATED.name]]
    assert emitted == ["0-0-0", "0-0-1", "0-0-2", "0-1-0"][commits:]
    assert second.pipeline.owned[0].state.meters == 3


def test_a_cut_settlement_is_finished_by_a_take_over_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Rig(tmp_path, monkeypatch)
    meters = [f"M{number}" for number in range(4)]
    first.work(batch([record(0, [reading(0, meter) for meter in meters])]))
    # Three hours later a reading of a new meter raises the watermark past the deadlines of the others.
    first.pipeline.commit_bytes = 1
    first.on("written", lambda: setattr(first.changelog, "failure", FencedError("the end")))
    with pytest.raises(FencedError):
        first.work(batch([record(1, reading(6, "new"), 180)]))
    assert first.stored_position() == 2
    asyncio.run(first.store.stop())
    second = Rig(tmp_path, monkeypatch)
    assert second.work(TakeOverEvent(RAW.name, 0)) == [2]
    assert {one["meter_id"] for one in second.emitter.delivered[GAP_ALERTS.name]} == set(meters)
    assert len(second.changelog.commits) == 1


# -- what cannot be worked


def test_a_partition_with_a_truncated_source_is_not_processed(rig: Rig) -> None:
    rig.work(batch(readings(0, 1, 2)))
    rig.lost = "partition 0: the raw topic ends at offset 1"
    rig.journal.clear()
    assert rig.work(batch(readings(0))) == [None]
    assert rig.pipeline.owned[0].lost == rig.lost
    rig.lost = ""
    assert rig.work(batch(readings(3)), TakeOverEvent(RAW.name, 0)) == [None, None]
    assert rig.journal == ["asked for the raw end, from 3"]


def test_a_raw_topic_that_ends_before_the_position_at_the_assignment_is_checked_again_and_not_processed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.work(batch(readings(0, 1, 2)))
    logs = {
        changelog("gridwatch").name: TopicIdentity(b"changelog", {0: 0}, {0: 99}),
        RAW.name: TopicIdentity(b"raw", {0: 0}, {0: 2}),
    }

    async def describe_topic(settings: Any, topic: str) -> TopicIdentity | None:
        return logs[topic]

    monkeypatch.setattr(module, "describe_topic", describe_topic)
    asyncio.run(rig.pipeline.describe_topics())
    assert rig.store.changelog == logs[changelog("gridwatch").name]
    rig.store.on_gap("log", 0, 7)
    assert rig.app.rereads.counts["changelog"] == 1
    rig.lost = "readings are lost"
    asyncio.run(rig.pipeline.release())
    assert rig.work(TakeOverEvent(RAW.name, 0)) == [None]
    assert rig.journal[-1] == "asked for the raw end, from 3"
    logs[RAW.name] = TopicIdentity(b"raw", {0: 0}, {0: 3})
    asyncio.run(rig.pipeline.describe_topics())
    asyncio.run(rig.pipeline.release())
    assert rig.work(TakeOverEvent(RAW.name, 0)) == [3]


# -- what is noted of a feed


def test_good_readings_and_dead_letters_are_counted_for_the_feed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch, dead_letter_run=3)
    tick = LogRecord(3, TEN, b"2024-01-01T09:00:00Z", tick=True)
    rig.work(batch([record(0, b"x"), *readings(1), record(2, b"x"), tick, record(4, b"{}")]))
    feed = rig.pipeline.feeds[0]
    assert (feed.run, feed.problem()) == (2, "")  # a tick is no reading
    rig.work(batch([record(5, b"no JSON")]))
    assert feed.run == 3
    assert "the last 3 readings are all dead letters" in feed.problem()
    letter = rig.emitter.delivered[DEAD_LETTERS.name][-1]
    assert f"{' '.join(letter['reasons'])}: {letter['message']}" in feed.problem()
    rig.work(batch([record(6, reading(2), 60)]))
    assert (feed.run, feed.problem()) == (0, "")


def test_a_reading_that_came_too_late_is_no_dead_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch, dead_letter_run=1)
    rig.work(batch([record(0, reading(20), 600), record(1, b"x")]))
    assert rig.pipeline.feeds[0].run == 1
    rig.work(batch([record(2, reading(0, minutes=1), 600)]))
    assert len(rig.emitter.delivered[LATE_EVENTS.name]) == 1
    assert rig.pipeline.feeds[0].run == 0


def test_what_is_read_again_is_not_counted_again(rig: Rig) -> None:
    rig.work(batch([record(0, b"x"), record(1, b"x")]))
    rig.work(batch([record(0, b"x"), record(1, b"x")]), batch([record(1, b"x"), record(2, b"x")]))
    assert rig.pipeline.feeds[0].run == 3


def test_the_feed_of_a_cut_batch_is_counted_once(rig: Rig) -> None:
    rig.pipeline.commit_bytes = 1
    rig.work(batch([record(0, b"x"), *readings(1, 2), record(3, b"x"), record(4, b"x")]))
    assert len(rig.changelog.commits) > 1
    assert rig.pipeline.feeds[0].run == 2


# -- what others ask


def test_the_duration_of_a_batch_is_stored_and_a_take_over_event_does_not_clear_it(rig: Rig) -> None:
    rig.work(batch(readings(0, 1)))
    owned = rig.pipeline.owned[0]
    assert owned.batch_records == 2
    assert owned.batch_seconds > 0
    assert owned.last_commit > 0
    before = owned.batch_seconds
    rig.work(TakeOverEvent(RAW.name, 0))
    assert (owned.batch_records, owned.batch_seconds) == (2, before)


def test_partitions_not_taken_over_are_listed_and_the_others_have_a_lag(rig: Rig) -> None:
    rig.assigned = {TP(RAW.name, 0), TP(RAW.name, 1), TP("other", 2)}
    assert rig.pipeline.not_taken_over() == [0, 1]
    rig.work(batch(readings(0)))
    assert rig.pipeline.not_taken_over() == [1]
    lags: Mapping[int, int] = {partition: rig.pipeline.lag(partition) for partition in (0, 1)}
    assert lags == {0: 8, 1: 0}


BAD = {"meter_id": "B", "timestamp": "x", "consumption_kwh": 1}


def test_an_array_with_one_bad_element_does_not_make_its_good_ones_dead_letters(rig: Rig) -> None:
    rig.work(batch([record(offset, [BAD, reading(offset)], 30 * offset) for offset in range(120)]))
    assert rig.pipeline.feeds[0].run == 0


def test_the_bad_elements_at_the_end_of_an_array_are_so_many_readings(rig: Rig) -> None:
    rig.work(batch([record(0, [reading(0), BAD, BAD]), record(1, [BAD] * 3)]))
    assert rig.pipeline.feeds[0].run == 5


def test_a_commit_cut_at_a_tick_forgets_no_dead_letters_before_it(rig: Rig) -> None:
    rig.work(batch([record(0, [reading(0, f"M{number}") for number in range(6)])]))
    rig.pipeline.commit_bytes = 500
    tick = LogRecord(4, TEN + 180 * MINUTE, b"2024-01-01T13:00:00Z", tick=True)
    bad = [record(offset, b"x") for offset in (2, 3, 5, 6)]
    rig.work(batch([record(1, reading(1), 30), *bad[:2], tick, *bad[2:]]))
    assert rig.pipeline.feeds[0].run == 4
