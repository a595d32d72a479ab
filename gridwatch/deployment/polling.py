"""Waiting by asking again: until a condition holds, or until something that makes progress is complete."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from gridwatch.errors import GridwatchError

Answer = TypeVar("Answer")
PAUSE_SECONDS = 0.02


class WaitedInVainError(GridwatchError):
    """What was waited for did not come in time."""


class StandstillError(GridwatchError):
    """What was waited for makes no progress any more."""


def until(
    what: str,
    holds: Callable[[], Answer],
    seconds: float,
    *,
    pause: float = PAUSE_SECONDS,
    passing: tuple[type[Exception], ...] = (),
) -> Answer:
    """Ask until the answer is true, and return it; WaitedInVainError says what did not come.

    passing: errors of an attempt that do not end the waiting; the last one is the cause of that error.
    """
    deadline = time.monotonic() + seconds
    while True:
        problem: Exception | None = None
        try:
            answer = holds()
            if answer:
                return answer
        except passing as error:
            problem = error
        if time.monotonic() > deadline:
            reason = f": {problem}" if problem else ""
            raise WaitedInVainError(f"waited {seconds:g} s in vain until {what}{reason}") from problem
        time.sleep(pause)


def until_complete(
    who: str,
    look: Callable[[], tuple[bool, object]],
    seconds: float,
    *,
    pause: float = PAUSE_SECONDS,
) -> None:
    """Return once `look` says that it is complete; StandstillError when nothing changed for `seconds`.

    look: whether it is complete, and how far it is, in any form that can be compared.
    """
    before: object = None
    since = time.monotonic()
    while True:
        complete, progress = look()
        if complete:
            return
        if progress != before:
            before, since = progress, time.monotonic()
        if time.monotonic() - since > seconds:
            raise StandstillError(f"{who} has stood still for {seconds:g} s")
        time.sleep(pause)
