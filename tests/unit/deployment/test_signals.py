"""Signals that end a command: raised as Ctrl-C, deferred, or ignored."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from gridwatch.deployment.signals import SIGNALS, interrupted_by_signals, signals_deferred


@pytest.mark.parametrize("number", SIGNALS)
def test_every_signal_that_ends_a_command_interrupts_it_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupted_by_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_deferred_interrupt_is_raised_at_the_end() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), signals_deferred():
        signal.raise_signal(signal.SIGTERM)
        reached.append("the end of the block")
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


_TIDY = """
import signal
from gridwatch.deployment.signals import {name}
{name}()
try:
    signal.raise_signal(signal.SIGTERM)
    print("goes on")
finally:
    print("tidied up", flush=True)
"""


@pytest.mark.parametrize(
    ("name", "code", "printed"),
    [("exit_when_terminated", 143, "tidied up\n"), ("ignore_signals", 0, "goes on\ntidied up\n")],
)
def test_finally_blocks_run_in_spite_of_a_sigterm(name: str, code: int, printed: str) -> None:
    script = _TIDY.format(name=name)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ran.returncode, ran.stdout) == (code, printed)
