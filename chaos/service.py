"""A worker or a sink as a process that is ended and started again, and a supervisor that does the latter.

Like the supervisor of any real deployment it starts what has ended, after a short pause. What ended although
nobody had ended it is noted, with the end of its log; one that does nothing else is a crash loop.
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
from typing import TYPE_CHECKING

from chaos.entry import DONE_SUFFIX
from chaos.subject import GRIDWATCH
from gridwatch.deployment.service import Service
from gridwatch.doctor.services import judge_partitions

if TYPE_CHECKING:
    from typing_extensions import Self

RESTART_PAUSE_SECONDS = 0.3
#: A service that ends by itself more often than this in one run is in a crash loop.
MOST_EXITS = 8
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Exit:
    """A process that ended although nobody had ended it."""

    service: str
    said: str


class SupervisedService(Service):
    """One worker or sink, whose steps are watched, and which is started again when it ends.

    worker: the Faust application of a worker. commit_bytes: how much changed state a commit of one takes, 0:
    any.
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
        #: By how much its wall clock is off, seconds; from its next start on.
        self.clock = 0.0
        self.orders = folder / f"{name}.orders"
        self._expected = False
        self._ended = 0.0
        self._held = False
        self.lock = threading.RLock()

    def command(self) -> list[str]:
        """What to run."""
        entry = [self.app, str(self.orders), str(self.clock), str(self.commit_bytes)]
        # Its application may be anywhere that we can import from.
        found = f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))}"
        return ["env", found, sys.executable, "-m", "chaos.entry", *entry, "-l", "info"]

    def sees_owners(self, partitions: int) -> bool:
        """Whether each of so many partitions has an owner that answers, as this worker sees it."""
        try:
            page = self.page("/partitions/")
            return judge_partitions(page["partitions"], partitions, page["incomplete"]).ok
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def start(self) -> Self:
        """Start it, and have it started again whenever it ends."""
        with self.lock:
            self.wanted = True
            if not self.running:
                self.starts += 1
                self._expected = False
                super().start()
        return self

    def kill(self) -> None:
        """kill -9; the supervisor starts it again, unless it is held or not wanted."""
        with self.lock:
            self._expected = True
            super().kill()
            self._ended = time.monotonic()

    def stop(self) -> float:
        """SIGTERM; likewise."""
        with self.lock:
            self._expected = True
            seconds = super().stop()
            self._ended = time.monotonic()
        return seconds

    def leave(self, how: str) -> None:
        """End it for good: `stop` or `kill`."""
        self.wanted = False
        if how == "stop":
            self.stop()
        else:
            self.kill()

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts the supervisor does not start it again."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def _signal(self, number: signal.Signals) -> None:
        with self.lock:
            super()._signal(number)

    def watch_over(self) -> None:
        """Start it again if it is wanted and has ended; note it if nobody ended it."""
        with self.lock:
            if not self.started or self.running or self._held or not self.wanted:
                return
            if not self._expected:
                self._expected = True
                self._ended = time.monotonic()
                if self.orders_done():
                    self.withdraw_orders()
                else:
                    self.exits.append(Exit(self.name, self.excerpt()))
            if time.monotonic() - self._ended >= RESTART_PAUSE_SECONDS:
                self.start()

    def give_orders(self, step: str, passes: int, number: int, times: int = 1) -> None:
        """Let it send itself a signal at the n-th pass of a step from now on; or, of a place where batches
        can be dropped, drop so many from the n-th on."""
        self.withdraw_orders()
        unfinished = self.orders.with_suffix(".unfinished")
        order = {"step": step, "pass": passes, "signal": int(number), "times": times}
        unfinished.write_text(json.dumps(order))
        unfinished.rename(self.orders)

    def orders_given(self) -> bool:
        """Whether there are orders that were not carried out yet."""
        return self.orders.exists()

    def orders_done(self) -> bool:
        """Whether the last orders were carried out."""
        return self.orders.with_name(self.orders.name + DONE_SUFFIX).exists()

    def withdraw_orders(self) -> None:
        """Forget orders."""
        self.orders.unlink(missing_ok=True)
        self.orders.with_name(self.orders.name + DONE_SUFFIX).unlink(missing_ok=True)


class Supervisor:
    """Looks after services in a thread of its own; a context manager that leaves none running."""

    def __init__(self, services: Sequence[SupervisedService]) -> None:
        self._services = services
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def _run(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            for service in self._services:
                service.watch_over()

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        for service in self._services:
            service.leave("kill")
