"""A transaction is open for as long as the last stable offset has stood at its beginning."""

from __future__ import annotations

from gridwatch.kafka.open_transactions import OpenTransaction, OpenTransactions

PLACE = ("raw", 3)
OTHER = ("raw", 4)


def test_it_is_timed_from_when_it_was_first_seen() -> None:
    open_ones = OpenTransactions()
    assert open_ones.observe(100.0, {PLACE: 7}, {PLACE: 9}) == {PLACE: OpenTransaction(7, 2, 0.0)}
    assert open_ones.observe(104.5, {PLACE: 7}, {PLACE: 30}) == {PLACE: OpenTransaction(7, 23, 4.5)}


def test_a_stable_offset_that_moves_on_to_another_open_one_restarts_its_time() -> None:
    open_ones = OpenTransactions()
    open_ones.observe(0.0, {PLACE: 7}, {PLACE: 9})
    assert open_ones.observe(50.0, {PLACE: 8}, {PLACE: 9}) == {PLACE: OpenTransaction(8, 1, 0.0)}
    assert open_ones.observe(51.0, {PLACE: 8}, {PLACE: 9}) == {PLACE: OpenTransaction(8, 1, 1.0)}


def test_a_stable_offset_that_goes_back_restarts_its_time() -> None:
    open_ones = OpenTransactions()
    open_ones.observe(0.0, {PLACE: 7}, {PLACE: 9})
    assert open_ones.observe(50.0, {PLACE: 2}, {PLACE: 9})[PLACE].seconds == 0.0


def test_one_that_reached_the_end_is_forgotten() -> None:
    open_ones = OpenTransactions()
    open_ones.observe(0.0, {PLACE: 7}, {PLACE: 9})
    assert open_ones.observe(10.0, {PLACE: 9}, {PLACE: 9}) == {}
    assert open_ones.observe(20.0, {PLACE: 9}, {PLACE: 12}) == {PLACE: OpenTransaction(9, 3, 0.0)}
    # The end was asked for a moment earlier, or the topic was created again: nothing is blocked, either.
    assert open_ones.observe(30.0, {PLACE: 9}, {PLACE: 8}) == {}
    assert open_ones.observe(40.0, {PLACE: 9}, {PLACE: 12})[PLACE].seconds == 0.0


def test_where_the_end_is_not_known_nothing_is_held_back() -> None:
    assert OpenTransactions().observe(0.0, {PLACE: 7}, {}) == {}


def test_partitions_are_timed_apart() -> None:
    open_ones = OpenTransactions()
    ends = {PLACE: 9, OTHER: 9}
    open_ones.observe(0.0, {PLACE: 7, OTHER: 9}, ends)
    held = open_ones.observe(10.0, {PLACE: 7, OTHER: 5}, ends)
    assert held == {PLACE: OpenTransaction(7, 2, 10.0), OTHER: OpenTransaction(5, 4, 0.0)}


def test_a_request_without_an_answer_restarts_no_time() -> None:
    open_ones = OpenTransactions()
    open_ones.observe(0.0, {PLACE: 7}, {PLACE: 9})
    assert open_ones.observe(5.0, {}, {}) == {}
    assert open_ones.observe(10.0, {PLACE: 7}, {PLACE: 9})[PLACE].seconds == 10.0
