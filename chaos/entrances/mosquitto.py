"""Eclipse Mosquitto as a child process on loopback: sessions and messages survive its restart."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from gridwatch.embedded.ports import LOOPBACK
from gridwatch.embedded.process import ServerProcess
from gridwatch.embedded.server import EmbeddedServer
from gridwatch.errors import GridwatchError

#: Not in everybody's PATH.
_SYSTEM = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
_CONNECT_SECONDS = 1.0


def program() -> str:
    """Its program; empty if it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_SYSTEM) or ""


class Mosquitto(EmbeddedServer):
    """A broker that writes what it keeps to disk when it is stopped, and every second.

    options: lines of its configuration, about accounts and certificates; without any, everybody may connect.
    """

    name: ClassVar[str] = "Mosquitto"
    _start_seconds: ClassVar[float] = 20.0
    _port_in_use: ClassVar[str] = "Address already in use"

    def __init__(
        self, folder: Path | str, port: int = 0, options: Sequence[str] = ("allow_anonymous true",)
    ) -> None:
        super().__init__(folder, port, "mosquitto.log")
        self._options = options
        self._program = ""

    @property
    def url(self) -> str:
        """As `GRIDWATCH_MQTT_URL` has it."""
        return f"mqtt://{LOOPBACK}:{self.port}"

    def _prepare(self) -> None:
        self._program = program()
        if not self._program:
            raise GridwatchError(
                "Mosquitto is not installed here",
                "install it: apt-get install mosquitto, or brew install mosquitto",
            )

    def _launch(self, port: int, lock: int) -> ServerProcess:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} {LOOPBACK}\n"
            + "".join(f"{line}\n" for line in self._options)
            + "persistence true\n"
            f"persistence_location {self.folder}/\n"
            "autosave_interval 1\n"
            "max_queued_messages 0\n"
            "max_inflight_messages 100\n"
            "log_type error\nlog_type warning\n",
            encoding="utf-8",
        )
        # Started by root it would become another user, who may not write here.
        with config.open("a", encoding="utf-8") as more:
            more.write("user root\n")
        return ServerProcess(self.name, [self._program, "-c", str(config)], self.log, lock)

    def _is_ready(self, process: ServerProcess, port: int) -> bool:
        try:
            socket.create_connection((LOOPBACK, port), _CONNECT_SECONDS).close()
        except OSError:
            return False
        return True
