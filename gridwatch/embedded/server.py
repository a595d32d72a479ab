"""What the embedded servers have in common: start with retries, stop, kill, restart.

Two failures of a start are transient: a free port that another process bound meanwhile (the next one is
tried), and a predecessor that is still shutting down in the same folder (it is waited for). Everything else
is an error with the end of the log.

One server per folder: each server holds a lock on its folder for as long as it lives. The servers' own locks
are not enough: Apache Kafka (KRaft) writes to its metadata log before it checks its lock, and a second one in
the same folder corrupts it.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from gridwatch.embedded.ports import LOOPBACK, free_ports, is_free
from gridwatch.embedded.process import ServerProcess
from gridwatch.errors import GridwatchError

_PORT_ATTEMPTS = 3
_PREDECESSOR_SECONDS = 30.0
_PORT_SECONDS = 5.0
_POLL_SECONDS = 0.05


class ExitedWhileStartingError(GridwatchError):
    """The server ended by itself before it was ready."""


class EmbeddedServer(ABC):
    """A server on loopback that keeps its data in `folder`.

    Use it as a context manager, or call start() and stop(). It ends with the process that started it, also
    when that is killed. The port stays the same over restarts, so that clients can reconnect.
    """

    name: ClassVar[str]
    _start_seconds: ClassVar[float] = 90.0
    _port_in_use: ClassVar[str]
    """The server's message when its port is in use."""

    def __init__(self, folder: Path | str, port: int, log: str) -> None:
        self.folder = Path(folder).absolute()
        self.port = port
        self.log = self.folder / log
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int:
        """The server's process id while it runs."""
        if self._process is None:
            raise GridwatchError(f"the embedded {self.name} is not running", "call start() first")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def start(self) -> Self:
        """Start, and return once it is ready; does nothing when it runs already.

        GridwatchError: the port is in use, a program is missing, or the server exited (with the end of its
        log).
        """
        if self.running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._folder_lock() as lock:
            if self.port:
                self._wait_for_port()
            self._prepare()
            self._process = self._start_on_some_port(lock)
        try:
            self._started()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop gracefully and wait; does nothing when it is not running. The data stay."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """SIGKILL the server, as a crash would. start() brings it back on the same port with its data."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """stop() and start(): same port, same data."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> None:
        """Find the programs, and initialise a new data folder."""

    @abstractmethod
    def _launch(self, port: int, lock: int) -> ServerProcess: ...

    @abstractmethod
    def _is_ready(self, process: ServerProcess, port: int) -> bool: ...

    def _started(self) -> None:  # noqa: B027  optional
        """Called once the server accepts connections."""

    @contextlib.contextmanager
    def _folder_lock(self) -> Iterator[int]:
        """Lock the folder, by a descriptor that the server inherits; closing ours does not release it."""
        with (self.folder / "lock").open("w") as lock:
            deadline = time.monotonic() + _PREDECESSOR_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise GridwatchError(
                            f"another {self.name} runs in {self.folder}",
                            "end that one, or choose another folder",
                        ) from None
                    time.sleep(_POLL_SECONDS)
            yield lock.fileno()

    def _wait_for_port(self) -> None:
        """Wait for a predecessor in another folder that is shutting down and still holds the port."""
        deadline = time.monotonic() + _PORT_SECONDS
        while not is_free(self.port):
            if time.monotonic() > deadline:
                raise GridwatchError(
                    f"the embedded {self.name} cannot listen on {LOOPBACK}:{self.port}: that port is in use",
                    "end what listens there, or choose another port",
                )
            time.sleep(_POLL_SECONDS)

    def _start_on_some_port(self, lock: int) -> ServerProcess:
        attempt = 1
        while True:
            port = self.port or free_ports(1)[0]
            try:
                process = self._start_once(port, lock)
            except ExitedWhileStartingError as problem:
                if self._port_in_use not in str(problem) or attempt == _PORT_ATTEMPTS:
                    raise
                attempt += 1
            else:
                self.port = port
                return process

    def _start_once(self, port: int, lock: int) -> ServerProcess:
        process = self._launch(port, lock)
        try:
            deadline = time.monotonic() + self._start_seconds
            while not self._is_ready(process, port):
                if not process.running:
                    raise ExitedWhileStartingError(
                        f"the embedded {self.name} exited while starting",
                        f"see {self.log}\n{process.log_tail()}",
                    )
                if time.monotonic() > deadline:
                    raise GridwatchError(
                        f"the embedded {self.name} was not ready within {self._start_seconds:g} s",
                        f"see {self.log}\n{process.log_tail()}",
                    )
                time.sleep(_POLL_SECONDS)
        except BaseException:
            process.kill()
            raise
        return process
