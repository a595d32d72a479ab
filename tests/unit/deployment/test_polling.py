"""Polling: ends when the condition holds, names the one that timed out, and tells slow from stalled."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gridwatch.deployment.polling import StalledError, WaitTimeoutError, until, until_complete


def test_the_answer_that_is_true_is_returned() -> None:
    answers = iter([None, 0, [], ["found"], ["too late"]])
    assert until("it is found", lambda: next(answers), 5, pause=0.001) == ["found"]


def test_a_timeout_names_what_was_waited_for() -> None:
    with pytest.raises(WaitTimeoutError, match=r"timed out after 0\.02 s waiting until the broker answers"):
        until("the broker answers", lambda: False, 0.02, pause=0.001)


def test_the_condition_is_polled_once_more_after_the_deadline() -> None:
    begun = time.monotonic()
    assert until("time has passed", lambda: time.monotonic() - begun > 0.03, 0.02, pause=0.04)


def test_transient_errors_do_not_end_the_waiting_and_others_do() -> None:
    def attempts() -> Iterator[str]:
        yield ""
        yield "answer"

    tries = attempts()

    def answer() -> str:
        if not next(tries):
            raise ConnectionRefusedError("nobody there")
        return "answer"

    assert until("it answers", answer, 5, pause=0.001, transient=(OSError,)) == "answer"
    tries = attempts()
    with pytest.raises(ConnectionRefusedError):
        until("it answers", answer, 5, pause=0.001, transient=(ValueError,))


def test_the_last_transient_error_is_the_reason() -> None:
    def answer() -> bool:
        raise ConnectionRefusedError("nobody there")

    with pytest.raises(WaitTimeoutError, match="until it answers: nobody there") as raised:
        until("it answers", answer, 0.01, pause=0.001, transient=(OSError,))
    assert isinstance(raised.value.__cause__, ConnectionRefusedError)


def test_slow_progress_is_waited_for_longer_than_a_stall() -> None:
    begun = time.monotonic()

    def poll() -> tuple[bool, int]:
        done = int((time.monotonic() - begun) / 0.02)
        return done >= 15, done

    until_complete("the worker", poll, 0.15, pause=0.005)
    assert time.monotonic() - begun >= 0.3


def test_a_stall_ends_the_waiting() -> None:
    with pytest.raises(StalledError, match=r"the worker has made no progress for 0\.02 s"):
        until_complete("the worker", lambda: (False, 7), 0.02, pause=0.001)
