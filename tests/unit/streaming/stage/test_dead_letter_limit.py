"""A feed is wrong as a whole by its run of dead letters, or by their share, until good readings come."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gridwatch.settings import load_settings
from gridwatch.streaming.stage.dead_letter_limit import (
    DeadLetterLimit,
    DeadLetterPolicy,
    run_at_end,
)

RUN_ALONE = DeadLetterPolicy(run=5, ratio=0, window=10)
RATIO_ALONE = DeadLetterPolicy(run=0, ratio=0.5, window=10)


def observed(policy: DeadLetterPolicy, readings: str) -> DeadLetterLimit:
    """A feed of readings one by one: `g` is good, `b` is bad."""
    feed = DeadLetterLimit(policy)
    observe(feed, readings)
    return feed


def observe(feed: DeadLetterLimit, readings: str) -> None:
    for one in readings:
        feed.observe(int(one == "g"), int(one == "b"), int(one == "b"), "why")


def test_the_policy_is_that_of_the_settings() -> None:
    settings = load_settings(dead_letter_run=7, dead_letter_ratio=0.25, dead_letter_window=40)
    assert DeadLetterPolicy.of(settings) == DeadLetterPolicy(7, 0.25, 40)
    assert DeadLetterPolicy.of(load_settings()) == DeadLetterPolicy()


def test_a_feed_of_which_nothing_has_come_has_no_problem() -> None:
    assert DeadLetterLimit(DeadLetterPolicy(1, 0.1, 1)).problem() == ""


def test_so_many_dead_letters_in_a_row_are_a_problem_and_one_less_is_none() -> None:
    assert observed(RUN_ALONE, "bbbb").problem() == ""
    assert (
        observed(RUN_ALONE, "bbbbb").problem()
        == "the last 5 readings are all dead letters, the last one: why"
    )
    assert observed(RUN_ALONE, "bbbbgbbbb").problem() == ""
    assert observed(RUN_ALONE, "g" * 50 + "b" * 5).problem() != ""


def test_so_large_a_share_is_a_problem_and_one_less_is_none() -> None:
    assert (
        observed(RATIO_ALONE, "bg" * 5).problem()
        == "5 of the last 10 readings are dead letters, the last one: why"
    )
    assert observed(RATIO_ALONE, "bgbgbgbggg").problem() == ""


def test_a_share_needs_a_whole_window() -> None:
    assert observed(RATIO_ALONE, "b" * 9).problem() == ""
    assert observed(RATIO_ALONE, "b" * 10).problem() != ""


def test_zero_switches_a_limit_off() -> None:
    assert observed(DeadLetterPolicy(run=0, ratio=0.5, window=1000), "b" * 500).problem() == ""
    assert observed(DeadLetterPolicy(run=1000, ratio=0, window=10), "b" * 500).problem() == ""
    assert observed(DeadLetterPolicy(run=0, ratio=0, window=1), "b" * 500).problem() == ""
    # Also while nothing is bad, when any share would be reached.
    assert observed(DeadLetterPolicy(run=0, ratio=0, window=1), "g").problem() == ""
    assert observed(DeadLetterPolicy(run=0, ratio=1.0, window=10), "b" * 9 + "g").problem() == ""
    assert observed(DeadLetterPolicy(run=0, ratio=1.0, window=10), "b" * 10).problem() != ""


def test_one_good_reading_ends_a_run_and_enough_of_them_end_a_share() -> None:
    feed = observed(RUN_ALONE, "b" * 8)
    observe(feed, "g")
    assert (feed.run, feed.problem()) == (0, "")
    feed = observed(RATIO_ALONE, "b" * 10)
    observe(feed, "ggggg")
    assert feed.problem() != ""
    observe(feed, "g")
    assert feed.problem() == ""


def test_what_has_left_the_window_counts_no_more() -> None:
    feed = observed(RATIO_ALONE, "b" * 1000 + "g" * 10)
    assert feed.problem() == ""
    observe(feed, "bbbb")
    assert feed.problem() == ""
    observe(feed, "b")
    assert "5 of the last 10" in feed.problem()


def test_readings_that_gave_nothing_to_count_change_nothing() -> None:
    feed = observed(RUN_ALONE, "bbbbb")
    before = feed.problem()
    feed.observe(0, 0)
    assert (feed.run, feed.problem()) == (5, before)


def test_a_run_that_began_in_an_earlier_chunk_goes_on_only_if_nothing_good_came_between() -> None:
    feed = DeadLetterLimit(RUN_ALONE)
    feed.observe(3, 4, run=2)
    assert feed.run == 2
    feed.observe(0, 3)
    assert feed.run == 5
    feed.observe(1, 9, run=1)
    assert feed.run == 1


@given(
    chunks=st.lists(st.lists(st.booleans(), min_size=1, max_size=12), max_size=40),
    run=st.integers(0, 6),
    ratio=st.sampled_from([0, 0.1, 0.5, 1.0]),
    window=st.integers(1, 20),
)
def test_chunks_of_any_size_give_the_result_of_a_slow_model(
    chunks: Sequence[Sequence[bool]], run: int, ratio: float, window: int
) -> None:
    """A run is that of the readings one by one, a share that of the fewest last chunks that hold a window."""
    policy = DeadLetterPolicy(run, ratio, window)
    feed = DeadLetterLimit(policy)
    for count, chunk in enumerate(chunks, 1):
        bad = chunk.count(False)
        feed.observe(len(chunk) - bad, bad, trailing(chunk), "why")
        observed_so_far = chunks[:count]
        everything = [good for one in observed_so_far for good in one]
        lately: list[bool] = []
        for one in reversed(observed_so_far):
            lately = [*one, *lately]
            if len(lately) >= window:
                break
        in_a_row = trailing(everything)
        share = len(lately) >= window and lately.count(False) >= ratio * len(lately)
        assert feed.run == in_a_row
        if run and in_a_row >= run:
            assert feed.problem().startswith(f"the last {in_a_row} readings")
        elif ratio and share:
            assert feed.problem().startswith(f"{lately.count(False)} of the last {len(lately)} readings")
        else:
            assert feed.problem() == ""


@given(readings=st.lists(st.booleans(), max_size=80), window=st.integers(1, 20))
def test_one_by_one_the_window_has_exactly_so_many_readings(readings: Sequence[bool], window: int) -> None:
    feed = DeadLetterLimit(DeadLetterPolicy(run=0, ratio=0.3, window=window))
    for good in readings:
        feed.observe(int(good), int(not good), int(not good))
    last = readings[-window:]
    wrong = len(last) == window and last.count(False) >= 0.3 * window
    expected = f"{last.count(False)} of the last {window} readings are dead letters" if wrong else ""
    assert feed.problem() == expected


def trailing(readings: Sequence[bool]) -> int:
    """How many bad ones end them."""
    return next((number for number, good in enumerate(reversed(readings)) if good), len(readings))


def test_the_run_at_the_end_is_of_the_records_after_the_last_one_that_is_not_bad() -> None:
    assert run_at_end([], {1}) == 0
    assert run_at_end([1, 2, 3], set()) == 0
    assert run_at_end([1, 2, 3], {1, 2}) == 0
    assert run_at_end([1, 5, 9], {1, 9}) == 1
    assert run_at_end(iter([1, 5, 9]), {1, 5, 9}) == 3


def test_the_example_is_the_last_dead_letter_and_not_longer_than_a_line() -> None:
    feed = DeadLetterLimit(RUN_ALONE)
    feed.observe(0, 5, 5, "first")
    feed.observe(0, 1, 1, "NOT_JSON: " + "x" * 10_000)
    assert feed.problem().endswith("the last one: NOT_JSON: " + "x" * 190)
    feed = DeadLetterLimit(RUN_ALONE)
    feed.observe(0, 5, 5)
    assert feed.problem() == "the last 5 readings are all dead letters"


def test_a_good_reading_does_not_clear_the_example() -> None:
    feed = DeadLetterLimit(RATIO_ALONE)
    feed.observe(0, 9, 9, "NOT_JSON: no")
    feed.observe(1, 0)
    assert feed.problem() == "9 of the last 10 readings are dead letters, the last one: NOT_JSON: no"
