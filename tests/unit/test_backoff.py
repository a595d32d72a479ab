"""Pauses between tries grow, and not for ever."""

from __future__ import annotations

from gridwatch.backoff import BackOff


def test_pauses_double_from_the_first_up_to_the_longest() -> None:
    back_off = BackOff(first=0.1, most=5.0)
    assert [back_off.delay(tries) for tries in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert [back_off.delay(tries) for tries in (7, 1000, 10**9)] == [5.0, 5.0, 5.0]


def test_another_factor_grows_by_that() -> None:
    assert [BackOff(first=1.0, factor=3.0, most=20.0).delay(tries) for tries in (1, 2, 3, 4)] == [1, 3, 9, 20]
