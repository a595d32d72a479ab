"""The worker's or the sink's own program, its steps watched: ends, freezes or forgets where it is told to.

    python -m chaos.entry APP ORDERS CLOCK_SECONDS COMMIT_BYTES [Faust's own arguments]

APP: a Faust application, a worker's or the sink's. ORDERS: a file that may hold `{"step": …, "pass": n,
"signal": number, "times": m}`: at the n-th pass of that step from then on the process sends itself the
signal. Of a place where batches are dropped, it drops m of them from the n-th on. The file is renamed then,
so that who gave the order knows that it was carried out. CLOCK_SECONDS: by how much the wall clock is off.
COMMIT_BYTES: how much changed state a commit of the worker takes; small, so that commits are cut.
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

#: What the file of orders is called once they were carried out.
DONE_SUFFIX = ".done"


class Orders:
    """Watches the steps of commits and batches and carries out what the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._step = ""
        self._left = 0
        self._signal = 0
        self._times = 0
        self._lock = threading.Lock()

    def __call__(self, step: str) -> None:
        """A step has been reached, in any thread."""
        with self._lock:
            if self._is_due(step) and self._rename():
                os.kill(os.getpid(), self._signal)

    def drops(self, place: str) -> bool:
        """Whether a batch that comes by a place is to be dropped, in any thread."""
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
            order = json.loads(self._file.read_text(encoding="utf-8"))
            self._step, self._left, self._signal = order["step"], order["pass"], order["signal"]
            self._times = order.get("times", 0)

    def _rename(self) -> bool:
        # Withdrawn in this very moment, or not withdrawn any more.
        with contextlib.suppress(FileNotFoundError):
            self._file.rename(self._file.with_name(self._file.name + DONE_SUFFIX))
            return True
        return False


def drop_batches(orders: Orders) -> None:
    """Let batches be dropped at the places where Faust can: after the position has moved, without a word."""
    from gridwatch.streaming.faust import fetching
    from gridwatch.streaming.faust.transport import Consumer
    from gridwatch.streaming.stage.partition_queues import PartitionQueues

    getall, getmany, put = fetching._Drain.getall, Consumer.getmany, PartitionQueues.put

    def fetched(self: Any, max_records: int | None = None) -> list[Any]:
        taken = getall(self, max_records)
        recovering = self._partition.topic.endswith("-changelog")
        return [] if taken and orders.drops("recovering" if recovering else "fetched") else taken

    async def drained(self: Any, timeout: float) -> AsyncIterator[Any]:
        async for tp, message in getmany(self, timeout):
            if not (message.topic.startswith("smartmeter_") and orders.drops("drained")):
                yield tp, message

    async def queued(self: PartitionQueues, event: Any) -> None:
        if not orders.drops("queued"):
            await put(self, event)

    fetching._Drain.getall = fetched  # type: ignore[method-assign]
    Consumer.getmany = drained
    PartitionQueues.put = queued  # type: ignore[method-assign]


def set_clock(seconds: float) -> None:
    """Let this process's wall clock be off by so much."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 1e9)


def main(arguments: list[str]) -> None:
    """Run it."""
    app, orders, clock, commit_bytes, *others = arguments
    if float(clock):
        set_clock(float(clock))
    from gridwatch.streaming.faust.program import run_faust

    watching = Orders(Path(orders))
    drop_batches(watching)
    module = importlib.import_module(app)
    if hasattr(module, "worker"):
        for pipeline in module.worker.pipelines.values():
            pipeline.watch = watching
            pipeline.commit_bytes = int(commit_bytes)
    else:
        module.pool.watch(watching)
    run_faust(app, "worker", tuple(others))


if __name__ == "__main__":
    main(sys.argv[1:])
