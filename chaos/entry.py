"""The program of a worker or sink with a failpoint: it kills, freezes or drops batches at a named step.

    python -m chaos.entry APP FAILPOINT CLOCK_SECONDS COMMIT_BYTES [Faust's own arguments]

APP: a Faust application, a worker's or the sink's. FAILPOINT: a file that may hold `{"step": …, "pass": n,
"signal": number, "times": m}`: at the n-th pass of that step from then on the process sends itself the
signal. At a drop point it drops m batches from the n-th on. The file is then renamed, which shows that the
failpoint has fired. CLOCK_SECONDS: the offset of the wall clock. COMMIT_BYTES: the maximum of changed state
in a commit of the worker; small, so that commits are split.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

#: Added to the file's name once the failpoint has fired.
FIRED_SUFFIX = ".fired"


class Failpoint:
    """A failpoint at the steps of commits and the drop points of batches, armed by a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._step = ""
        self._left = 0
        self._signal = 0
        self._times = 0
        self._lock = threading.Lock()

    def __call__(self, step: str) -> None:
        """Called at each step, in any thread."""
        with self._lock:
            if self._is_due(step) and self._rename():
                os.kill(os.getpid(), self._signal)

    def should_drop(self, place: str) -> bool:
        """Whether to drop the batch at a drop point; in any thread."""
        with self._lock:
            if self._times and place == self._step and not self._left:
                self._times -= 1
                return True
            if not self._is_due(place) or not self._rename():
                return False
            self._times -= 1
            return True

    def _is_due(self, step: str) -> bool:
        if not self._left:
            self._read()
        if not self._left or step != self._step:
            return False
        self._left -= 1
        return not self._left

    def _read(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            armed = json.loads(self._file.read_text(encoding="utf-8"))
            self._step, self._left, self._signal = armed["step"], armed["pass"], armed["signal"]
            self._times = armed.get("times", 0)

    def _rename(self) -> bool:
        # Atomic: it was disarmed before, or cannot be disarmed any more.
        with contextlib.suppress(FileNotFoundError):
            self._file.rename(self._file.with_name(self._file.name + FIRED_SUFFIX))
            return True
        return False


def drop_batches(failpoint: Failpoint) -> None:
    """Patch the drop points, where Faust can lose batches silently: after the position has moved."""
    from gridwatch.streaming.faust import fetching
    from gridwatch.streaming.faust.transport import Consumer
    from gridwatch.streaming.stage.partition_queues import PartitionQueues

    getall, getmany, put = fetching._Drain.getall, Consumer.getmany, PartitionQueues.put

    def fetched(self: Any, max_records: int | None = None) -> list[Any]:
        taken = getall(self, max_records)
        recovering = self._partition.topic.endswith("-changelog")
        return [] if taken and failpoint.should_drop("recovering" if recovering else "fetched") else taken

    async def drained(self: Any, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109  as Faust calls it
        async for tp, message in getmany(self, timeout):
            if message.topic.endswith("-changelog") or not failpoint.should_drop("drained"):
                yield tp, message

    async def queued(self: PartitionQueues, event: Any) -> None:
        if not failpoint.should_drop("queued"):
            await put(self, event)

    fetching._Drain.getall = fetched  # type: ignore[method-assign]
    Consumer.getmany = drained
    PartitionQueues.put = queued  # type: ignore[method-assign]


def set_clock(seconds: float) -> None:
    """Shift this process's wall clock."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 1e9)


def main(arguments: list[str]) -> None:
    """Run the program with its failpoint."""
    app, file, clock, commit_bytes, *others = arguments
    if float(clock):
        set_clock(float(clock))
    from gridwatch.streaming.faust.program import run_faust

    failpoint = Failpoint(Path(file))
    drop_batches(failpoint)
    module = importlib.import_module(app)
    if hasattr(module, "worker"):
        for pipeline in module.worker.pipelines.values():
            pipeline.watch = failpoint
            pipeline.commit_bytes = int(commit_bytes)
    else:
        module.pool.watch(failpoint)
    run_faust(app, "worker", tuple(others))


if __name__ == "__main__":
    main(sys.argv[1:])
