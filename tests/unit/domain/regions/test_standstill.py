"""A source is put out when it has stood still while another one is ahead of it, once for each standstill."""

from __future__ import annotations

from gridwatch.domain.regions.kept import Source
from gridwatch.domain.regions.standstill import Standstill

AFTER = 300


def sources(**watermarks: int) -> dict[str, Source]:
    return {name: Source(watermark) for name, watermark in watermarks.items()}


def test_a_source_that_stands_still_is_due_after_the_time() -> None:
    one, given = Standstill(), sources(a=7, b=9)
    assert one.due(given, 1000, AFTER) == []
    assert one.due(given, 1299, AFTER) == []
    assert one.due(given, 1300, AFTER) == ["a"]


def test_progress_begins_again() -> None:
    one = Standstill()
    one.due(sources(a=7, b=9), 1000, AFTER)
    assert one.due(sources(a=8, b=9), 1300, AFTER) == []
    assert one.due(sources(a=8, b=9), 1599, AFTER) == []
    assert one.due(sources(a=8, b=9), 1600, AFTER) == ["a"]


def test_what_nothing_waits_for_is_left_alone() -> None:
    one, given = Standstill(), sources(a=7, b=7)
    one.due(given, 0, AFTER)
    assert one.due(given, AFTER, AFTER) == []


def test_a_source_that_was_never_heard_is_due_too() -> None:
    one = Standstill()
    given = {"a": Source(), "b": Source(1)}
    one.due(given, 0, AFTER)
    assert one.due(given, AFTER, AFTER) == ["a"]
    assert Standstill().due({"a": Source(), "b": Source()}, AFTER, AFTER) == []


def test_it_is_put_out_once_for_a_standstill() -> None:
    one, given = Standstill(), sources(a=7, b=9)
    one.due(given, 0, AFTER)
    assert one.due(given, AFTER, AFTER) == ["a"]
    assert one.due(given, AFTER + 1, AFTER) == ["a"]  # the record could not be sent
    one.put_out("a")
    assert one.due(given, AFTER + 2, AFTER) == []
    given["a"].watermark = 8
    one.due(given, 1000, AFTER)
    assert one.due(given, 1000 + AFTER, AFTER) == ["a"]


def test_one_that_is_out_by_the_log_is_not_put_out_by_the_next_owner() -> None:
    one, given = Standstill(), sources(a=7, b=9)
    given["a"].out = True
    one.due(given, 0, AFTER)
    assert one.due(given, AFTER, AFTER) == []
