"""A service of gridwatch as a child process: its settings, port, pages and readiness."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.kinds import KINDS
from gridwatch.deployment.polling import WaitTimeoutError, until
from gridwatch.deployment.process import GRACE_SECONDS, ChildProcess
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.errors import GridwatchError
from gridwatch.http.client import fetch, fetch_json

READY_SECONDS = 60.0
#: The page of one meter, or of a busy worker, may be slow.
_PAGE_SECONDS = 20.0


class Service(ChildProcess):
    """`gridwatch <kind>` with these settings and arguments; its pages are at `url`, its data in `data`.

    settings: including its port. inherited: our own GRIDWATCH_ variables apply to the others.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        folder: Path,
        settings: Mapping[str, object],
        *,
        arguments: Sequence[str] = (),
        inherited: bool = False,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.kind = KINDS[kind]
        self.data = folder / name
        self.port = int(str(settings[self.kind.port_setting]))
        self.url = f"http://{LOOPBACK}:{self.port}"
        command = [sys.executable, "-m", "gridwatch", *self.kind.command, *arguments]
        environment = environment_of({"datadir": self.data, **settings}, inherited=inherited)
        super().__init__(name, command, folder, environment, grace=grace)

    def page(self, path: str) -> Any:
        """A page as JSON, whatever its status. OSError while the service does not answer."""
        return fetch_json(self.url + path, _PAGE_SECONDS)[1]

    def text(self, path: str) -> str:
        """A page as text, likewise."""
        return fetch(self.url + path, _PAGE_SECONDS)[1].decode()

    def status(self, path: str) -> int:
        """The status of a page. OSError while the service does not answer."""
        return fetch(self.url + path)[0]

    def is_ready(self) -> bool:
        """Whether `/ready/` answers 200."""
        with suppress(OSError):
            return self.running and self.status("/ready/") == 200
        return False

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> Self:
        """Return once `/ready/` answers 200; GridwatchError with its reasons when it does not in time."""
        reasons: object = "no answer"

        def ready() -> bool:
            nonlocal reasons
            self.require_running()
            status, answer = fetch_json(f"{self.url}/ready/")
            reasons = answer.get("reasons")
            return status == 200

        try:
            until(f"{self.name} is ready", ready, seconds, transient=(OSError, ValueError))
        except WaitTimeoutError as problem:
            raise GridwatchError(
                f"{self.name} was not ready within {seconds:g} s: {reasons}; from its log:\n{self.excerpt()}"
            ) from problem
        return self
