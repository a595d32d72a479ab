"""A server as a child process: with a log file, in a session of its own, and never outliving us.

Between us and the server stands the watchdog, which holds the other end of a pipe (`watchdog.py` says why).
The session of its own keeps the terminal's Ctrl-C away from the server: we get it, and stop the server in order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gridwatch.embedded.account import Account
from gridwatch.errors import GridwatchError

_WATCHDOG = Path(__file__).with_name("watchdog.py")


class ServerEnded(GridwatchError):
    """The server ended by itself before it was ready."""


class ServerProcess:
    """One run of one server. Orderly end by `stop_signal`, and by SIGKILL after `grace` seconds."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 30.0,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._grace = grace
        self._log_start = log.stat().st_size if log.exists() else 0
        user, group = (str(account.uid), str(account.gid)) if account else ("-", "-")
        watchdog = [sys.executable, "-I", "-S", str(_WATCHDOG), str(os.getpid()), str(int(stop_signal)), str(grace)]
        with log.open("ab") as output:
            self._watchdog = subprocess.Popen(
                [*watchdog, user, group, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                bufsize=0,
                start_new_session=True,
                cwd=log.parent,
                env=None if environment is None else dict(environment),
            )
        assert self._watchdog.stdout is not None
        with self._watchdog.stdout as answer:
            line = answer.readline()
        if not line:
            self._watchdog.wait()
            self._close_pipe()
            raise GridwatchError(f"{name} could not be started", f"see {log}\n{self.said()}")
        self.pid = int(line)
        """The server's own process id, for tests that send it signals."""

    @property
    def running(self) -> bool:
        return self._watchdog.poll() is None

    def stop(self) -> None:
        """End it in order and wait until it is gone; does nothing if it is gone already."""
        self._ask(b"s")
        self._wait(self._grace + 10)

    def kill(self) -> None:
        """SIGKILL it, as a crash would, and wait until it is gone."""
        self._ask(b"k")
        self._wait(10)

    def said(self, lines: int = 15) -> str:
        """The end of what this run wrote to its log."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])

    def _ask(self, what: bytes) -> None:
        try:
            assert self._watchdog.stdin is not None
            self._watchdog.stdin.write(what)
        except (OSError, ValueError):
            pass  # it has ended, or we have already said so

    def _wait(self, seconds: float) -> None:
        try:
            self._watchdog.wait(seconds)
        finally:
            self._close_pipe()

    def _close_pipe(self) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()


def wait_until_ready(process: ServerProcess, ready: Callable[[], bool], *, seconds: float) -> None:
    """Poll `ready` until it says yes; GridwatchError with the end of the log if the server ends or time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not process.running:
            raise ServerEnded(f"{process.name} ended while starting", f"see {process.log}\n{process.said()}")
        if time.monotonic() > deadline:
            said = process.said()
            process.kill()
            raise GridwatchError(f"{process.name} was not ready within {seconds:g} s", f"see {process.log}\n{said}")
        time.sleep(0.05)
