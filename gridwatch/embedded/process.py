"""A server as a child process: with a log file, in a session of its own, and never outliving this process.

The server's parent is the watchdog, which holds the other end of a pipe (see `watchdog.py`). In a session of
its own the server does not get the terminal's Ctrl-C: this process does, and stops the server gracefully.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gridwatch.embedded.account import Account
from gridwatch.errors import GridwatchError

_STACK_FRAME = re.compile(r"\tat |\t\.\.\. \d+ more")
_WATCHDOG = Path(__file__).with_name("watchdog.py")


class ServerProcess:
    """One run of one server, stopped by `stop_signal`, and by SIGKILL after `grace` seconds.

    lock: an open file that the server inherits; a lock on it is held as long as the server lives, even if it
    outlives the watchdog. environment: all of its variables, None for ours. account: the user to run it as,
    None for ours.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        lock: int | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 30.0,
        account: Account | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._grace = grace
        self._log_start = log.stat().st_size if log.exists() else 0
        user, group = (str(account.uid), str(account.gid)) if account else ("-", "-")
        inherited = "-" if lock is None else str(lock)
        arguments = [str(os.getpid()), str(int(stop_signal)), str(grace), user, group, inherited, *command]
        orders, control = os.pipe()
        answer, answers = os.pipe()
        self._control = os.fdopen(control, "wb", buffering=0)
        try:
            with log.open("ab") as output:
                self._watchdog = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_WATCHDOG), *arguments],
                    stdin=orders,
                    stdout=answers,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=[] if lock is None else [lock],
                    cwd=log.parent,
                    env=environment,
                )
        finally:
            os.close(orders)
            os.close(answers)
        try:
            with os.fdopen(answer, "rb") as reader:
                line = reader.readline()
        except BaseException:  # Ctrl-C while it starts: it must not outlive this command
            self.kill()
            raise
        if not line:
            self._wait(self._grace)
            raise GridwatchError(f"{name} could not be started", f"see {log}\n{self.log_tail()}")
        self.pid = int(line)
        """The server's own process id, for tests that send it signals."""

    @property
    def running(self) -> bool:
        return self._watchdog.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, 128 plus the signal's number if one ended it; None while it runs."""
        return self._watchdog.poll()

    def stop(self) -> None:
        """Stop it gracefully and wait until it has exited; does nothing if it has already."""
        self._send(b"s")
        self._wait(self._grace + 10)

    def kill(self) -> None:
        """SIGKILL it, as a crash would, and wait until it has exited."""
        self._send(b"k")
        self._wait(10)

    def log_tail(self, lines: int = 15) -> str:
        """The end of `lines()` as one text."""
        return "\n".join(self.lines()[-lines:])

    def lines(self) -> list[str]:
        """The log of this run, without the frames of Java's stack traces."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            written = log.read().decode("utf-8", "replace").splitlines()
        return [line for line in written if not _STACK_FRAME.match(line)]

    def _send(self, what: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):  # it has ended, or was ended before
            self._control.write(what)

    def _wait(self, seconds: float) -> None:
        try:
            self._watchdog.wait(seconds)
        finally:
            self._control.close()
