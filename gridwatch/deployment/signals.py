"""What ends a command from outside: at once, at the end of a block, or not any more."""

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
    """SIGTERM and the closing of the terminal end the block as Ctrl-C does: by a KeyboardInterrupt."""
    # A shell starts background jobs with SIGINT ignored, so that one is set here too.
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def signals_held_back() -> Iterator[None]:
    """What would interrupt the block interrupts at its end instead.

    By handlers, not by a mask: children inherit a mask, and would be deaf to the signal that stops them.
    """
    held: list[int] = []
    with _handled_by(lambda number, _frame: held.append(number)):
        yield
    if held:
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
    """From here on nothing interrupts: what is left to do is to leave nothing behind."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)


def exit_when_terminated() -> None:
    """SIGTERM exits with 143, as it would anyway, but by SystemExit: what was started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
