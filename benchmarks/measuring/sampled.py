"""`python -m benchmarks.measuring.sampled FILE ARG…`: `gridwatch ARG…`, with its stacks sampled by CPU time.

Needs no privileges, no debugger and no change to gridwatch: the kernel sends SIGPROF every few milliseconds
of the process's CPU time, and Python runs the handler in the main thread, at the end of a call or of a loop
iteration. The weight of a sample is the CPU time that its thread has used since the previous one, by that
thread's own clock, so a call into C that delays a sample only makes it heavier, and a waiting thread has no
weight. The handler itself costs about half a percent. The stack of a thread other than the main one is that
at which it released the GIL. CPU time of other threads (RocksDB's own) is "native". Garbage collections are
timed separately: they run at any allocation.

SIGVTALRM writes the sums so far to FILE: a line for each stack, `thread;module:function;… <µs>`, outermost
first and the innermost with its line, which is what flame graph tools read.
"""

from __future__ import annotations

import atexit
import gc
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType

PERIOD_SECONDS = 0.004
MAIN = "main"
NATIVE = "native"
GARBAGE = "gc:collect"


class Sampler:
    """CPU time by stack. Made in the main thread, before there are others."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._main = threading.get_ident()
        self._names: dict[CodeType, str] = {}
        self._used: dict[int, float] = {self._main: time.thread_time()}
        self._threads: dict[int, str] = {self._main: MAIN}
        #: The thread that is looking for garbage just now, or 0.
        self._collecting = 0
        self._weights: defaultdict[tuple[int, tuple[str, ...]], float] = defaultdict(float)

    def start(self) -> None:
        """Sample from here on."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.siginterrupt(signal.SIGPROF, False)
        gc.callbacks.append(self._collected)
        signal.signal(signal.SIGVTALRM, self._write)
        signal.setitimer(signal.ITIMER_PROF, PERIOD_SECONDS, PERIOD_SECONDS)
        # An ending interpreter has no handlers any more, and the signal would end it at once.
        atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)

    def _sample(self, _signal: int, interrupted: FrameType | None) -> None:
        for thread, frame in sys._current_frames().items():
            used = time.clock_gettime(time.pthread_getcpuclockid(thread))
            self._account(thread, used, interrupted if thread == self._main else frame)

    def _collected(self, phase: str, _info: dict[str, int]) -> None:
        """Called before and after a garbage collection, in its thread."""
        thread = threading.get_ident()
        self._account(thread, time.thread_time(), sys._getframe().f_back)
        self._collecting = thread if phase == "start" else 0

    def _account(self, thread: int, used: float, frame: FrameType | None) -> None:
        """Attribute the CPU time of a thread since the last sample to a stack, or to the collector."""
        weight = used - self._used.get(thread, 0.0)
        self._used[thread] = used
        if weight > 0:
            stack = (GARBAGE,) if thread == self._collecting else self._stack(frame)
            self._weights[thread, stack] += weight

    def _stack(self, frame: FrameType | None) -> tuple[str, ...]:
        stack: list[str] = []
        while frame is not None:
            code = frame.f_code
            name = self._names.get(code)
            if name is None:
                name = self._names[code] = f"{frame.f_globals.get('__name__', '?')}:{code.co_name}"
            if code.co_filename != __file__:
                # A call into C has no frame of its own: the line of the innermost one tells it.
                stack.append(name if stack else f"{name}:{frame.f_lineno}")
            frame = frame.f_back
        return tuple(reversed(stack))

    def _write(self, _signal: int, _interrupted: FrameType | None) -> None:
        self._threads |= {thread.ident: thread.name for thread in threading.enumerate() if thread.ident}
        self._threads[self._main] = MAIN
        lines: defaultdict[str, float] = defaultdict(float)
        for (thread, stack), weight in list(self._weights.items()):  # a sample may come in between
            names = [self._threads.get(thread, "ended"), *stack]
            lines[";".join(name.replace(" ", "_") for name in names)] += weight
        lines[NATIVE] = max(0.0, time.process_time() - sum(self._used.values()))
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text("".join(f"{stack} {weight * 1e6:.0f}\n" for stack, weight in lines.items()))
        unfinished.rename(self._file)


def main() -> None:
    """Run `gridwatch` with the sampler."""
    file, *arguments = sys.argv[1:]
    Sampler(Path(file).absolute()).start()
    from gridwatch.cli import main as gridwatch

    sys.argv = ["gridwatch", *arguments]
    gridwatch()


if __name__ == "__main__":
    main()
