"""A worker or a sink as a process that is killed, and a supervisor that restarts it.

Like the supervisor of any real deployment it restarts a process that has exited, after a short pause. An exit
that no fault caused is recorded, with an excerpt of the log; too many of them are a crash loop.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chaos.entry import FIRED_SUFFIX
from chaos.subject import GRIDWATCH
from gridwatch.cli.doctor.services import check_partitions
from gridwatch.deployment.service import Service

RESTART_PAUSE_SECONDS = 0.3
#: A service that exits by itself more often than this in one run is in a crash loop.
MOST_EXITS = 8
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Exit:
    """The exit of a process that no fault caused."""

    service: str
    log_excerpt: str


class SupervisedService(Service):
    """One worker or sink with a failpoint, restarted when it exits.

    worker: the Faust application of a worker. commit_bytes: the maximum of changed state in a commit of it,
    0: no maximum.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        folder: Path,
        settings: Mapping[str, object],
        *,
        worker: str = GRIDWATCH.app,
        commit_bytes: int = 0,
    ) -> None:
        super().__init__(kind, name, folder, settings, grace=_STOP_SECONDS)
        self.app = worker if kind == "worker" else "sinks.app"
        self.commit_bytes = commit_bytes
        self.wanted = False
        self.exits: list[Exit] = []
        self.starts = 0
        #: The offset of its wall clock, seconds; from its next start on.
        self.clock = 0.0
        self.failpoint = folder / f"{name}.failpoint"
        self._expected = False
        self._ended = 0.0
        self._held_down = False
        self.lock = threading.RLock()

    def command(self) -> list[str]:
        """The command line of the next start."""
        if self.kind.name not in {"worker", "sink"}:
            return super().command()
        entry = [self.app, str(self.failpoint), str(self.clock), str(self.commit_bytes)]
        # Its application may be anywhere on our own import path.
        found = f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))}"
        return ["env", found, sys.executable, "-m", "chaos.entry", *entry, "-l", "info"]

    def sees_owners(self, partitions: int) -> bool:
        """Whether this worker sees an owner that answers for each of so many partitions."""
        try:
            page = self.page("/partitions/")
            return check_partitions(page["partitions"], partitions, page["incomplete"]).ok
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def start(self) -> Self:
        """Start it, and let the supervisor restart it whenever it exits."""
        with self.lock:
            self.wanted = True
            if not self.running:
                self.starts += 1
                self._expected = False
                super().start()
        return self

    def kill(self) -> None:
        """SIGKILL it; the supervisor restarts it, unless it is held down or not wanted."""
        with self.lock:
            self._expected = True
            super().kill()
            self._ended = time.monotonic()

    def stop(self) -> float:
        """Stop it with SIGTERM; likewise."""
        with self.lock:
            self._expected = True
            seconds = super().stop()
            self._ended = time.monotonic()
        return seconds

    def leave(self, how: str) -> None:
        """End it for good, by `stop` or `kill`."""
        self.wanted = False
        if how == "stop":
            self.stop()
        else:
            self.kill()

    @contextmanager
    def held_down(self) -> Iterator[None]:
        """Keep the supervisor from restarting it meanwhile."""
        self._held_down = True
        try:
            yield
        finally:
            self._held_down = False

    def _signal(self, number: signal.Signals) -> None:
        with self.lock:
            super()._signal(number)

    def supervise(self) -> None:
        """Restart it if it is wanted and has exited; record the exit if no fault caused it."""
        with self.lock:
            if not self.started or self.running or self._held_down or not self.wanted:
                return
            if not self._expected:
                self._expected = True
                self._ended = time.monotonic()
                if self.failpoint_fired():
                    self.disarm_failpoint()
                else:
                    self.exits.append(Exit(self.name, self.excerpt()))
            if time.monotonic() - self._ended >= RESTART_PAUSE_SECONDS:
                self.start()

    def arm_failpoint(self, step: str, passes: int, number: int, times: int = 1) -> None:
        """Arm its failpoint: a signal at the n-th pass of a step from now on, or dropped batches at a drop
        point, so many from the n-th on."""
        self.disarm_failpoint()
        unfinished = self.failpoint.with_suffix(".unfinished")
        armed = {"step": step, "pass": passes, "signal": int(number), "times": times}
        unfinished.write_text(json.dumps(armed))
        unfinished.rename(self.failpoint)

    def failpoint_armed(self) -> bool:
        """Whether the failpoint is armed and has not fired yet."""
        return self.failpoint.exists()

    def failpoint_fired(self) -> bool:
        """Whether the failpoint has fired."""
        return self.failpoint.with_name(self.failpoint.name + FIRED_SUFFIX).exists()

    def disarm_failpoint(self) -> None:
        """Remove the failpoint, fired or not."""
        self.failpoint.unlink(missing_ok=True)
        self.failpoint.with_name(self.failpoint.name + FIRED_SUFFIX).unlink(missing_ok=True)


class Supervisor:
    """Restarts services from a thread of its own; a context manager that kills all of them at the end."""

    def __init__(self, services: Sequence[SupervisedService]) -> None:
        self._services = services
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def _run(self) -> None:
        while not self._done.wait(_POLL_SECONDS):
            for service in self._services:
                service.supervise()

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for service in self._services:
            service.leave("kill")
