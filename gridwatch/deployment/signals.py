"""Signals that end a command: raised at once, deferred to the end of a block, or ignored."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: Ctrl-C, `kill`, and the closing of the terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, "FrameType | None"], object]


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block on SIGTERM and SIGHUP, as on Ctrl-C."""
    # A shell starts background jobs with SIGINT ignored, so that one is set here too.
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Defer an interrupt to the end of the block.

    By handlers, not by a mask: children inherit a mask, and would not receive the signal that stops them.
    """
    received: list[int] = []
    with _handled_by(lambda number, _frame: received.append(number)):
        yield
    if received:
        raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: _Handler) -> Iterator[None]:
    former = {one: signal.signal(one, handler) for one in SIGNALS}
    try:
        yield
    finally:
        for one, before in former.items():
            signal.signal(one, before)


def ignore_signals() -> None:
    """Ignore signals from here on: what is left to do is the clean-up."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)


def exit_when_terminated() -> None:
    """Exit with 143 on SIGTERM, by SystemExit: context managers and `finally` run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
