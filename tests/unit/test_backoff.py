"""Delays between tries grow up to a maximum; tries end where there is a limit."""

from __future__ import annotations

import asyncio

import pytest

from gridwatch import backoff
from gridwatch.backoff import BackOff, Retries


def test_delays_double_from_the_first_up_to_the_longest() -> None:
    back_off = BackOff(first=0.1, most=5.0)
    assert [back_off.delay(tries) for tries in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert [back_off.delay(tries) for tries in (7, 1000, 10**9)] == [5.0, 5.0, 5.0]


def test_another_factor_grows_by_that() -> None:
    assert [BackOff(first=1.0, factor=3.0, most=20.0).delay(tries) for tries in (1, 2, 3, 4)] == [1, 3, 9, 20]


def test_without_a_limit_there_is_always_another_try() -> None:
    assert not any(BackOff().is_spent(tries) for tries in (1, 100, 10**9))


def test_a_limit_is_the_number_of_tries_not_of_delays() -> None:
    back_off = BackOff(limit=3)
    assert [back_off.is_spent(tries) for tries in (1, 2, 3, 4)] == [False, False, True, True]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays, none of which is really waited for."""
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    monkeypatch.setattr(backoff.asyncio, "sleep", sleep)
    return delays


def waits(retries: Retries, times: int) -> list[bool]:
    """The results of so many failed tries."""

    async def scenario() -> list[bool]:
        return [await retries.wait() for _ in range(times)]

    return asyncio.run(scenario())


def test_the_last_try_is_not_waited_after(slept: list[float]) -> None:
    assert waits(Retries(BackOff(first=1.0, most=10.0, limit=4)), 4) == [True, True, True, False]
    assert slept == [1, 2, 4]


def test_retries_without_a_limit_go_on(slept: list[float]) -> None:
    assert waits(Retries(BackOff(first=1.0, most=2.0)), 4) == [True] * 4
    assert slept == [1, 2, 2, 2]


def test_the_retries_of_one_operation_do_not_lengthen_the_delays_of_another(slept: list[float]) -> None:
    back_off = BackOff(first=1.0)
    waits(Retries(back_off), 3)
    waits(Retries(back_off), 1)
    assert slept == [1, 2, 4, 1]
