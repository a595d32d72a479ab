"""The worker's or the sink's own program, its steps watched: ends or freezes itself where it was ordered to.

    python -m gridwatch.chaos.entry worker|sink ORDERS CLOCK_SECONDS COMMIT_BYTES [Faust's own arguments]

ORDERS: a file that may hold `{"step": …, "pass": n, "signal": number}`: at the n-th pass of that step from
then on the process sends itself the signal. The file is renamed first, so that who gave the order knows that
it was carried out. CLOCK_SECONDS: by how much the wall clock is off. COMMIT_BYTES: how much changed state a
commit of the worker takes; small, so that commits are cut.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path

#: What the file of orders is called once they were carried out.
DONE_SUFFIX = ".done"


class Orders:
    """Watches the steps of commits and batches and carries out what the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._step = ""
        self._left = 0
        self._signal = 0
        self._lock = threading.Lock()

    def __call__(self, step: str) -> None:
        """A step has been reached, in any thread."""
        with self._lock:
            if not self._left:
                self._read()
            if self._left and step == self._step:
                self._left -= 1
                if not self._left:
                    self._carry_out()

    def _read(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            order = json.loads(self._file.read_text(encoding="utf-8"))
            self._step, self._left, self._signal = order["step"], order["pass"], order["signal"]

    def _carry_out(self) -> None:
        # Withdrawn in this very moment, or not withdrawn any more.
        with contextlib.suppress(FileNotFoundError):
            self._file.rename(self._file.with_name(self._file.name + DONE_SUFFIX))
            os.kill(os.getpid(), self._signal)


def set_clock(seconds: float) -> None:
    """Let this process's wall clock be off by so much."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 1e9)


def main(arguments: list[str]) -> None:
    """Run it."""
    kind, orders, clock, commit_bytes, *others = arguments
    if float(clock):
        set_clock(float(clock))
    from gridwatch.commands.faust import run_faust

    if kind == "worker":
        from gridwatch.app import pipeline

        pipeline.watch = Orders(Path(orders))
        pipeline.commit_bytes = int(commit_bytes)
        run_faust("gridwatch.app", "worker", tuple(others))
    else:
        from sinks.app import pool

        pool.watch(Orders(Path(orders)))
        run_faust("sinks.app", "worker", tuple(others))


if __name__ == "__main__":
    main(sys.argv[1:])
