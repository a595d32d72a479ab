"""The services of one deployment: shared settings and folder, stopped together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.kinds import KINDS
from gridwatch.deployment.polling import Answer, until
from gridwatch.deployment.service import Service
from gridwatch.embedded.ports import free_ports
from gridwatch.settings import load_settings

OneService = TypeVar("OneService", bound=Service)


class Site(Generic[OneService]):
    """Services with `common` settings in `folder`; a context manager that kills all of them at the end.

    make: the factory, of kind, name, folder and settings; options by `functools.partial`.
    """

    def __init__(self, folder: Path, common: Mapping[str, Any], make: Callable[..., OneService]) -> None:
        self.folder = folder
        self.common = dict(common)
        self.settings = load_settings(**common)
        self.services: list[OneService] = []
        self._make = make

    def add(self, kind: str, name: str = "", **own: object) -> OneService:
        """A new service, not started, with settings of its own, and a free port unless they name one."""
        port_setting = KINDS[kind].port_setting
        settings = {port_setting: self._free_port(), **self.common, **own}
        service = self._make(kind, name or kind, self.folder, settings)
        self.services.append(service)
        return service

    def _free_port(self) -> int:
        taken = {service.port for service in self.services}
        return next(port for port in free_ports(len(taken) + 1) if port not in taken)

    def environment(self, **more: object) -> dict[str, str]:
        """The environment for another command of gridwatch in this deployment."""
        return environment_of({**self.common, **more})

    def require_running(self) -> None:
        """GridwatchError, with its log, when a started service has exited by itself."""
        for service in self.services:
            if service.started:
                service.require_running()

    def until(self, what: str, condition: Callable[[], Answer], seconds: float) -> Answer:
        """`polling.until`; GridwatchError when one of the running services exits by itself."""
        running = [service for service in self.services if service.running]

        def all_running_and_condition() -> Answer:
            for service in running:
                service.require_running()
            return condition()

        return until(what, all_running_and_condition, seconds)

    def stop(self) -> None:
        """Stop all of them gracefully, in parallel: each may take seconds."""
        with ThreadPoolExecutor(max(1, len(self.services))) as ending:
            list(ending.map(lambda service: service.stop(), self.services))

    def kill(self) -> None:
        """SIGKILL all of them."""
        for service in self.services:
            service.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
