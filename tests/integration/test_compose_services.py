"""What docker-compose.yml runs is run: commands, health checks and environment as the file has them.

Instead of containers there are processes, on this machine's Kafka and PostgreSQL: `compose.py`. The entrances
are in `test_compose_entrances.py`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from gridwatch.deployment.polling import until
from gridwatch.embedded import EmbeddedPostgres
from gridwatch.embedded.ports import free_ports
from sinks.database import read_url
from tests.integration.compose import DOCKERFILE, PASSWORDS, ROOT, SERVICES, Stack, running_stack
from tests.processes import query

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def postgres_of_the_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    # The data folder is PostgreSQL's own user's, who has to get there.
    with EmbeddedPostgres(tmp_path_factory.mktemp("compose-postgres"), fsync=False) as server:
        yield server


@pytest.fixture(scope="module")
def stack(
    postgres_of_the_stack: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("compose"), postgres_of_the_stack) as made:
        yield made


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
