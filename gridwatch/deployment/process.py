"""A command as a child process: one run at a time, restarted any number of times.

It never outlives this process (`embedded/process.py`).
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gridwatch.deployment.polling import PAUSE_SECONDS, Answer, WaitTimeoutError, until
from gridwatch.embedded.process import ServerProcess
from gridwatch.errors import GridwatchError

#: How long a graceful stop may take before the process is killed.
GRACE_SECONDS = 60.0
_EXCERPT_LINES = 40
_FAILURE = re.compile(r"\[CRITICAL\]|^Traceback ")


class ChildProcess:
    """`command` in `folder`, where its log is; in `environment`, or ours if there is none.

    A context manager that kills it at the end.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = list(command)
        self._environment = environment
        self._grace = grace
        self._process: ServerProcess | None = None

    def command(self) -> list[str]:
        """The command line of the next start."""
        return self._command

    @property
    def started(self) -> bool:
        """Whether it was started at all."""
        return self._process is not None

    @property
    def process(self) -> ServerProcess:
        """The last run; GridwatchError before the first."""
        if self._process is None:
            raise GridwatchError(f"{self.name} was never started")
        return self._process

    @property
    def running(self) -> bool:
        """Whether its process exists, frozen or not."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.process.pid if self.running else None

    def start(self) -> Self:
        """Start it; does nothing when it runs already."""
        if self.running:
            return self
        if self._process is not None:
            self._process.kill()  # it has ended; this releases the resources of that run
        self._process = ServerProcess(
            self.name, self.command(), self.log, environment=self._environment, grace=self._grace
        )
        return self

    def stop(self) -> float:
        """Stop it gracefully, by SIGKILL after the grace period; returns the seconds that it took."""
        began = time.monotonic()
        if self._process is not None:
            self._process.stop()
        return time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL it, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP, if it runs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT, if it runs."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, number)

    def require_running(self) -> None:
        """GridwatchError with an excerpt of its log when it has exited by itself."""
        if not self.running:
            raise GridwatchError(f"{self.name} ended by itself; from its log:\n{self.excerpt()}")

    def until(
        self, what: str, condition: Callable[[], Answer], seconds: float, *, pause: float = PAUSE_SECONDS
    ) -> Answer:
        """`polling.until`; GridwatchError, with its log, as soon as it has exited by itself."""

        def running_and_condition() -> Answer:
            self.require_running()
            return condition()

        try:
            return until(what, running_and_condition, seconds, pause=pause)
        except WaitTimeoutError as problem:
            raise WaitTimeoutError(f"{problem}; from its log:\n{self.excerpt()}") from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def excerpt(self) -> str:
        """The end of its log, after the first failure in it where that is further up."""
        return excerpt(self.process.lines())


def excerpt(lines: Sequence[str], most: int = _EXCERPT_LINES) -> str:
    """At most so many lines of a log: its end, or its first failure and its end."""
    failure = next((number for number, line in enumerate(lines) if _FAILURE.search(line)), len(lines))
    if failure >= len(lines) - most:
        return "\n".join(lines[-most:])
    half = most // 2
    return "\n".join([*lines[failure : failure + half], "…", *lines[-half:]])
