"""A service of gridwatch as a child process: its settings, port, pages and readiness."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.kinds import KINDS
from gridwatch.deployment.polling import WaitedInVainError, until
from gridwatch.deployment.process import GRACE_SECONDS, ChildProcess
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.errors import GridwatchError
from gridwatch.http.client import fetch, fetch_json

if TYPE_CHECKING:
    from typing_extensions import Self

READY_SECONDS = 60.0
#: The page of one meter, or of a busy worker, may take its time.
_PAGE_SECONDS = 20.0


class Service(ChildProcess):
    """`gridwatch <kind>` with these settings and more arguments, its pages at `url`, its data at `data`.

    settings: its port among them. inherited: our own GRIDWATCH_ variables hold for what is not among them.
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
        """A page as JSON, also that of a refusal. OSError while nobody answers."""
        return fetch_json(self.url + path, _PAGE_SECONDS)[1]

    def text(self, path: str) -> str:
        """A page as text, likewise."""
        return fetch(self.url + path, _PAGE_SECONDS)[1].decode()

    def status(self, path: str) -> int:
        """The status of a page. OSError while nobody answers."""
        return fetch(self.url + path)[0]

    def is_ready(self) -> bool:
        """What `/ready/` says; not ready while nobody answers."""
        with suppress(OSError):
            return self.running and self.status("/ready/") == 200
        return False

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> Self:
        """Return once `/ready/` says so; GridwatchError with its reasons when it does not in time."""
        reasons: object = "nobody answers"

        def ready() -> bool:
            nonlocal reasons
            self.require_running()
            status, answer = fetch_json(f"{self.url}/ready/")
            reasons = answer.get("reasons")
            return status == 200

        try:
            until(f"{self.name} is ready", ready, seconds, passing=(OSError, ValueError))
        except WaitedInVainError as problem:
            raise GridwatchError(
                f"{self.name} was not ready within {seconds:g} s: {reasons}; from its log:\n{self.excerpt()}"
            ) from problem
        return self
