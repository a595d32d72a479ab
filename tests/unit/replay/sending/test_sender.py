"""What is handed over for sending, and what happens when the broker refuses it or stays silent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import END_HEADER, REPLAY_HEADER, ROW_HEADER, TICK_HEADER
from replay.files.rows import Row
from replay.sending.placement import Placement
from replay.sending.sender import Sender
from tests.unit.replay.rig import at, row

PARTITIONS = 2
ROWS = [row(f"M{number}", at("10:00")) for number in range(40)]


class Batch:
    """Takes so many records."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.records: list[dict[str, Any]] = []

    def append(self, **record: Any) -> bool | None:
        if len(self.records) == self.room:
            return None
        self.records.append(record)
        return True

    def record_count(self) -> int:
        return len(self.records)


class Broker:
    """An appender without a broker; acknowledges what it has when it is waited for."""

    def __init__(self, settings: Settings, topic: str, partitions: int) -> None:
        self.room = 1_000_000
        self.answers = True
        self.failure: Exception | None = None
        self.taken: list[list[dict[str, Any]]] = [[] for _ in range(partitions)]
        self.under_way = self.most_under_way = 0
        self.closed = False

    def batch(self) -> Batch:
        return Batch(self.room)

    def append(self, batches: Sequence[tuple[int, Batch]]) -> None:
        for partition, batch in batches:
            self.taken[partition] += batch.records
            self.under_way += len(batch.records)
        self.most_under_way = max(self.most_under_way, self.under_way)

    def wait(self, seconds: float) -> None:
        if self.answers:
            self.under_way = 0

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker(load_settings(), "raw", PARTITIONS)
    monkeypatch.setattr("replay.sending.sender.Appender", lambda *_: made)
    return made


@pytest.fixture
def sender(broker: Broker) -> Iterator[Sender]:
    with Sender(load_settings(), "raw", "run-1", Placement(PARTITIONS), (-1,) * PARTITIONS) as made:
        yield made


def rows_of(records: list[dict[str, Any]]) -> list[int]:
    return [int(dict(record["headers"])[ROW_HEADER]) for record in records]


def test_a_reading_has_key_value_run_and_row(sender: Sender, broker: Broker) -> None:
    reading: Row = (at("10:00"), 'M"1', 0.1, 30, ',"interval_minutes":30')
    assert sender.readings(7, [reading]) == 1
    sender.flush()
    (record,) = [record for records in broker.taken for record in records]
    assert record["key"] == b'M"1'
    assert record["value"] == (
        b'{"meter_id":"M\\"1","timestamp":"2024-01-01T10:00:00Z","consumption_kwh":0.1,"interval_minutes":30}'
    )
    assert record["headers"] == [(REPLAY_HEADER, b"run-1"), (ROW_HEADER, b"7")]


def test_a_tick_goes_to_all_partitions_behind_the_readings_before_it(sender: Sender, broker: Broker) -> None:
    sender.readings(0, ROWS)
    assert sender.tick(40, at("10:30")) == PARTITIONS
    sender.flush()
    for records in broker.taken:
        assert rows_of(records) == sorted(rows_of(records))
        assert records[-1]["value"] == b"2024-01-01T10:30:00Z"
        assert records[-1]["headers"][0] == (TICK_HEADER, b"")


def test_the_last_tick_has_the_end_of_the_run(sender: Sender, broker: Broker) -> None:
    sender.tick(40, at("10:30"))
    sender.tick(41, at("10:45"), at("10:30"))
    sender.flush()
    for records in broker.taken:
        ends = [dict(record["headers"]).get(END_HEADER) for record in records]
        assert ends == [None, b"2024-01-01T10:30:00Z"]


def test_what_a_partition_has_is_not_sent_again(broker: Broker) -> None:
    with Sender(load_settings(), "raw", "run-1", Placement(PARTITIONS), (9, 19)) as sender:
        new = sender.readings(0, ROWS)
        assert sender.tick(40, at("10:30")) == 2
        assert not sender.wants(9)
        assert sender.wants(10)
        sender.flush()
    assert new == sum(map(len, broker.taken)) - 2
    for records, before in zip(broker.taken, (9, 19), strict=True):
        assert min(rows_of(records)) > before


def test_full_batches_are_handed_over_in_order(sender: Sender, broker: Broker) -> None:
    broker.room = 3
    sender.flush()
    assert sender.readings(0, ROWS) == 40
    sender.flush()
    found = [rows_of(records) for records in broker.taken]
    assert found == [sorted(numbers) for numbers in found]
    assert sorted(number for numbers in found for number in numbers) == list(range(40))


def test_no_more_is_under_way_than_some_batches(
    sender: Sender, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_enough", 10)
    for start in range(0, 2_000, 5):
        sender.readings(start, ROWS[:5])
    sender.flush()
    assert sum(map(len, broker.taken)) == 2_000
    assert broker.most_under_way <= 20


def test_a_refusal_stops_the_replay_and_names_resume(sender: Sender, broker: Broker) -> None:
    sender.readings(0, ROWS)
    broker.failure = RuntimeError("not authorised")
    with pytest.raises(GridwatchError) as failure:
        sender.flush()
    assert "not authorised" in str(failure.value)
    assert "--resume" in str(failure.value.remedy)


def test_a_silent_broker_stops_the_replay_and_names_resume(
    sender: Sender, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.sending.sender.STALL_SECONDS", 0.05)
    broker.answers = False
    sender.readings(0, ROWS)
    with pytest.raises(GridwatchError, match="has not answered") as failure:
        sender.flush()
    assert "--resume" in str(failure.value.remedy)


def test_after_an_interruption_what_is_under_way_gets_a_last_chance(
    sender: Sender, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.readings(0, ROWS)
    sender.idle(0)
    sender.give_up()
    assert broker.under_way == 0
    monkeypatch.setattr("replay.sending.sender.LAST_FLUSH_SECONDS", 0.05)
    broker.answers = False
    sender.readings(40, ROWS)
    sender.idle(0)
    sender.give_up()
    assert broker.under_way == 40


def test_the_connection_is_closed_whatever_happens(broker: Broker) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        Sender(load_settings(), "raw", "run-1", Placement(PARTITIONS), (-1,) * PARTITIONS),
    ):
        raise ZeroDivisionError
    assert broker.closed
