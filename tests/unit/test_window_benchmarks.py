"""The benchmarks of windows: which sums are right, and when a minute is over."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from benchmarks.peers.windows.rules import LENGTH, WAIT, minute_of, over_at, row, time_of
from benchmarks.race.readings import START, Span
from benchmarks.windows.latency import closed_at
from benchmarks.windows.live import whole_minutes
from benchmarks.windows.minutes import MinuteFeed, readings
from benchmarks.windows.pair import to_without
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, VALIDATED

METERS = 20
FIRST = int(START.timestamp())
PEER = "a-peer's-output"


class Produced:
    """Takes what a producer is given."""

    def __init__(self, config: object) -> None:
        pass

    def produce(self, *_: object, **__: object) -> None:
        pass

    def poll(self, _: float) -> None:
        pass

    def flush(self) -> None:
        pass


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> MinuteFeed:
    monkeypatch.setattr("benchmarks.race.readings.Producer", Produced)
    feed = MinuteFeed("", "raw", 6, METERS)
    feed.extend(METERS * 6 * 16)
    return feed


def rows(feed: MinuteFeed, output: str, scale: float = 1e9) -> list[bytes]:
    sums = feed.sums(output).items()
    return [json.dumps(row(meter, start, energy / scale)).encode() for (meter, start), energy in sums]


def plain_sums(count: int) -> dict[tuple[str, int], float]:
    """By meter and minute, kWh, without anything of the feed."""
    sums: dict[tuple[str, int], float] = {}
    for name, value in islice(readings(METERS), count):
        reading = json.loads(value)
        minute = (name, minute_of(time_of(reading["timestamp"])))
        sums[minute] = sums.get(minute, 0.0) + reading["consumption_kwh"]
    return sums


def test_the_sums_that_are_right_are_those_of_all_whole_minutes(feed: MinuteFeed) -> None:
    plain = {
        minute: energy for minute, energy in plain_sums(feed.count).items() if minute[1] < FIRST + 16 * LENGTH
    }
    sums = feed.sums(PEER)
    assert feed.count == METERS * (16 * 6 + 2)
    assert len(sums) == feed.wanted(PEER) == feed.wanted(AGGREGATES_1M.name) == METERS * 16
    assert {minute: energy / 1e9 for minute, energy in sums.items()} == pytest.approx(plain)


def test_a_quarter_of_an_hour_is_the_sum_of_its_minutes_and_counts_when_it_is_over(feed: MinuteFeed) -> None:
    quarters = feed.sums(AGGREGATES_15M.name)
    minutes = feed.sums(AGGREGATES_1M.name)
    assert {start for _, start in quarters} == {FIRST}
    assert len(quarters) == feed.wanted(AGGREGATES_15M.name) == METERS
    name = "METER_0000007"
    of_it = [minutes[name, FIRST + number * LENGTH] for number in range(15)]
    assert quarters[name, FIRST] == sum(of_it)


@pytest.mark.parametrize("output", [PEER, AGGREGATES_1M.name, AGGREGATES_15M.name])
def test_each_window_once_with_its_sum_is_right(feed: MinuteFeed, output: str) -> None:
    assert feed.problem(output, rows(feed, output)) == ""


@pytest.mark.parametrize("output", [PEER, AGGREGATES_1M.name])
def test_windows_that_are_missing_repeated_or_not_over_are_wrong(feed: MinuteFeed, output: str) -> None:
    right = rows(feed, output)
    too_early = json.dumps(row("METER_0000001", FIRST + 16 * LENGTH, 0.1)).encode()
    assert "lacks 1 windows" in feed.problem(output, right[1:])
    assert "again" in feed.problem(output, [*right, right[0]])
    assert "not over" in feed.problem(output, [*right, too_early])


def test_a_peers_sum_may_be_off_by_rounding_of_floats_and_ours_by_nothing(feed: MinuteFeed) -> None:
    barely = rows(feed, PEER, scale=1e9 * (1 + 2e-10))
    wrong = rows(feed, PEER, scale=1e9 * (1 + 2e-8))
    one_less = {**json.loads(rows(feed, PEER)[0])}
    one_less["energy_kwh_sum"] -= 1e-9
    off = [json.dumps(one_less).encode(), *rows(feed, PEER)[1:]]
    assert feed.problem(PEER, barely) == ""
    assert "wrong sum" in feed.problem(PEER, wrong)
    assert "wrong sum" in feed.problem(AGGREGATES_1M.name, off)


def test_validated_readings_are_judged_as_in_the_other_job(feed: MinuteFeed) -> None:
    assert feed.wanted(VALIDATED.name) == feed.count
    assert feed.problem(VALIDATED.name, []).startswith("wrote: 0 readings")


def test_written_minutes_tell_how_many_readings_were_processed(feed: MinuteFeed) -> None:
    assert feed.processed(Span(PEER, [0], [0])) == 0
    assert feed.processed(Span(PEER, [5], [5 + METERS])) == METERS * 8
    assert feed.processed(Span(PEER, [0], [feed.wanted(PEER)])) == feed.count
    assert feed.processed(Span(VALIDATED.name, [0], [7])) == 7


def test_readings_out_of_order_are_in_their_minute_before_it_is_over() -> None:
    highest: dict[str, float] = {}
    late = 0
    for name, value in islice(readings(METERS), METERS * 6 * 60):
        time = time_of(json.loads(value)["timestamp"])
        before = highest.get(name, time)
        assert minute_of(time) > over_at(before)
        late += time < before
        highest[name] = max(before, time)
    assert late > 20


def test_an_input_ends_with_a_reading_of_every_meter_that_closes_its_last_minute(feed: MinuteFeed) -> None:
    newest: dict[str, float] = {}
    for name, value in islice(readings(METERS), feed.count):
        time = time_of(json.loads(value)["timestamp"])
        newest[name] = max(time, newest.get(name, time))
    assert len(newest) == METERS
    assert {over_at(time) for time in newest.values()} == {FIRST + 15 * LENGTH}


def test_a_minute_is_over_when_a_reading_is_ten_seconds_beyond_its_end() -> None:
    end = FIRST + LENGTH
    assert over_at(end + WAIT) == FIRST
    assert over_at(end + WAIT - 0.001) == FIRST - LENGTH


def test_a_record_of_a_minute_names_meter_start_and_energy() -> None:
    expected: dict[str, Any] = {
        "meter_id": "A",
        "window_start": (START + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "energy_kwh_sum": 0.5,
    }
    assert row("A", FIRST + LENGTH, 0.5) == expected


def test_whole_minutes_begin_with_the_next_one() -> None:
    assert list(whole_minutes(10 * MINUTE, 2)) == [10 * MINUTE, 11 * MINUTE]
    assert list(whole_minutes(10 * MINUTE + 1, 1)) == [11 * MINUTE]


def test_a_minute_is_closed_by_the_first_reading_of_its_partition_beyond_the_wait() -> None:
    wait = WAIT * SECOND
    records = [
        (0, MINUTE + wait - 1, 1),
        (0, MINUTE + wait, 2),
        (0, MINUTE + wait - 1, 3),
        (0, MINUTE + wait + 5, 4),
        (1, 3 * MINUTE + wait, 5),
    ]
    assert closed_at(records, [0, MINUTE]) == {(0, 0): 2, (1, 0): 5, (1, MINUTE): 5}


def test_the_cost_of_windows_is_a_ratio_to_the_same_round_without() -> None:
    ratios = to_without({"without": [10.0, 20.0, 10.0], "windows": [9.0, 20.0, 9.9]})
    assert list(ratios) == ["windows"]
    assert (ratios["windows"].median, ratios["windows"].low) == (0.99, 0.9)
