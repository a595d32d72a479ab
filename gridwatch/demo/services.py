"""The worker and the sink as child processes: started, waited for, stopped; they never outlive us."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gridwatch.doctor.services import fetch_json
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.embedded.process import ServerProcess
from gridwatch.errors import GridwatchError
from gridwatch.settings import PREFIX

#: What ends a demo before its time.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.1
_LOG_LINES = 40
_TROUBLE = re.compile(r"\[CRITICAL\]|^Traceback ")


class Service:
    """`gridwatch <name>` as a child process; its pages are at `url`, its log is in `folder`."""

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name = name
        self.url = f"http://{LOOPBACK}:{port}"
        self.log = folder / f"{name}.log"
        command = [sys.executable, "-m", "gridwatch", name, "-l", "info"]
        lock = os.open(folder, os.O_RDONLY)  # nobody else knows this folder: there is nothing to lock out
        try:
            self._process = ServerProcess(f"gridwatch {name}", command, self.log, lock, grace=_STOP_SECONDS)
        finally:
            os.close(lock)

    def require_running(self) -> None:
        """GridwatchError with what its log says when it has ended by itself."""
        if not self._process.running:
            raise GridwatchError(f"gridwatch {self.name} ended by itself; from its log:\n{self.said()}")

    def wait_until_ready(self) -> None:
        """Return once `/ready/` says so; GridwatchError with its reasons after a minute."""
        deadline = time.monotonic() + READY_SECONDS
        reasons: object = "nobody answers"
        while time.monotonic() < deadline:
            self.require_running()
            try:
                status, answer = fetch_json(f"{self.url}/ready/?format=json")
            except (OSError, ValueError):
                time.sleep(_LOOK_SECONDS)
                continue
            if status == 200:
                return
            reasons = answer.get("reasons")
            time.sleep(_LOOK_SECONDS)
        raise GridwatchError(
            f"gridwatch {self.name} was not ready within {READY_SECONDS:g} s: {reasons}; "
            f"from its log:\n{self.said()}"
        )

    def said(self) -> str:
        """Its log from the first trouble on, which later ones follow from; else the end of it."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        troubles = (number for number, line in enumerate(lines) if _TROUBLE.search(line))
        first = next(troubles, max(0, len(lines) - _LOG_LINES))
        return "\n".join(lines[first : first + _LOG_LINES])

    def stop(self) -> None:
        """End it in order, by force after a while."""
        self._process.stop()


@contextmanager
def stopped_together(services: list[Service]) -> Iterator[None]:
    """Stop all of them at once when the block ends: each may take seconds to finish its work."""
    try:
        yield
    finally:
        ending = [threading.Thread(target=service.stop) for service in services]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()


@contextmanager
def signals_held_back() -> Iterator[None]:
    """What would interrupt the block interrupts at its end instead.

    By handlers, not by a mask: children inherit a mask, and would be deaf to the signal that stops them.
    """
    held: list[int] = []
    former = {one: signal.signal(one, lambda number, _frame: held.append(number)) for one in SIGNALS}
    try:
        yield
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)
    if held:
        raise KeyboardInterrupt


@contextmanager
def environment(settings: Mapping[str, object]) -> Iterator[None]:
    """These settings in our environment, which children inherit: a command line would show passwords."""
    keys = {PREFIX + name.upper(): str(value) for name, value in settings.items()}
    before = {key: os.environ.get(key) for key in keys}
    os.environ.update(keys)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
