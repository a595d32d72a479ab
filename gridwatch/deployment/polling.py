"""Polling: until a condition holds, or until something that makes progress is complete."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from gridwatch.errors import GridwatchError

Answer = TypeVar("Answer")
PAUSE_SECONDS = 0.02


class WaitTimeoutError(GridwatchError):
    """A condition did not hold in time."""


class StalledError(GridwatchError):
    """What was waited for has stopped making progress."""


def until(
    what: str,
    condition: Callable[[], Answer],
    seconds: float,
    *,
    pause: float = PAUSE_SECONDS,
    transient: tuple[type[Exception], ...] = (),
) -> Answer:
    """Poll until the answer is true, and return it; WaitTimeoutError names `what` when it is not in time.

    transient: errors of an attempt that do not end the waiting; the last one is the cause of that error.
    """
    deadline = time.monotonic() + seconds
    while True:
        problem: Exception | None = None
        try:
            answer = condition()
            if answer:
                return answer
        except transient as error:
            problem = error
        if time.monotonic() > deadline:
            reason = f": {problem}" if problem else ""
            raise WaitTimeoutError(f"timed out after {seconds:g} s waiting until {what}{reason}") from problem
        time.sleep(pause)


def until_complete(
    who: str,
    poll: Callable[[], tuple[bool, object]],
    seconds: float,
    *,
    pause: float = PAUSE_SECONDS,
) -> None:
    """Return once `poll` reports completion; StalledError when nothing changed for `seconds`.

    poll: whether it is complete, and how far it is, in any form that can be compared.
    """
    before: object = None
    since = time.monotonic()
    while True:
        complete, progress = poll()
        if complete:
            return
        if progress != before:
            before, since = progress, time.monotonic()
        if time.monotonic() - since > seconds:
            raise StalledError(f"{who} has made no progress for {seconds:g} s")
        time.sleep(pause)
