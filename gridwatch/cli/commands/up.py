"""`gridwatch up`: the embedded Kafka and PostgreSQL in the foreground, with their state kept in a folder.

Ctrl-C (or SIGTERM) is the normal end of this command, so it exits with 0; a server that exits by itself is
a failure (exit 1). The ports of the last run are used again where they are free, so that an environment
file stays valid.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from gridwatch.deployment.signals import interrupted_by_signals
from gridwatch.embedded.ports import is_free
from gridwatch.errors import GridwatchError

_POLL_SECONDS = 0.5
_PORT = click.IntRange(1, 65_535)


@click.command(
    name="up",
    epilog="""\b
Example:
  gridwatch up --env-file up.env
and in another terminal:
  set -a; . ./up.env
  gridwatch topics create
  gridwatch db migrate
  gridwatch worker""",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the topics, the tables and the password. Default: the user's data folder.",
)
@click.option("--kafka-port", type=_PORT, help="Kafka's port. Default: the last run's, else any free one.")
@click.option("--postgres-port", type=_PORT, help="PostgreSQL's port. Default: likewise.")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the settings to this file, as KEY=value lines, readable by you only.",
)
def command(
    data_dir: Path | None, kafka_port: int | None, postgres_port: int | None, env_file: Path | None
) -> None:
    """A real Apache Kafka and PostgreSQL on this machine until Ctrl-C.

    Both listen on 127.0.0.1 only. When they are ready, the settings for every other gridwatch command are
    printed, one KEY=value per line. The first run fetches Apache Kafka (43 MB) into the
    user's cache; later runs need no network. Run as root, PostgreSQL runs as the user nobody.
    """
    folder = (data_dir or default_folder()).expanduser().absolute()
    with interrupted_by_signals(), folder_lock(folder):
        run(folder, kafka_port, postgres_port, env_file)


def run(folder: Path, kafka_port: int | None, postgres_port: int | None, env_file: Path | None) -> None:
    """Start both servers in `folder`, print their settings, and run until a KeyboardInterrupt."""
    from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres

    ports = last_ports(folder)
    kafka = EmbeddedKafka(folder / "kafka", port=kafka_port or ports.get("kafka", 0))
    postgres = EmbeddedPostgres(folder / "postgres", port=postgres_port or ports.get("postgres", 0))
    with contextlib.ExitStack() as running:
        try:
            click.echo(f"starting Apache Kafka and PostgreSQL in {folder}", err=True)
            running.enter_context(postgres)
            running.enter_context(kafka)
            save_ports(folder, {"kafka": kafka.port, "postgres": postgres.port})
            lines = setting_lines(kafka.bootstrap, postgres.url)
            if env_file is not None:
                write_env_file(env_file, lines)
            click.echo("".join(lines), nl=False)
            click.echo("ready; Ctrl-C stops both", err=True)
            while kafka.running and postgres.running:
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            click.echo("stopping", err=True)
            return
        gone = postgres if kafka.running else kafka
        raise GridwatchError(f"the embedded {gone.name} ended by itself", f"see {gone.log}")


def setting_lines(bootstrap: str, database_url: str) -> list[str]:
    """The settings for these servers. Nothing in them needs shell quoting."""
    return [f"GRIDWATCH_BROKER=kafka://{bootstrap}\n", f"GRIDWATCH_DATABASE_URL={database_url}\n"]


def write_env_file(path: Path, lines: list[str]) -> None:
    """Replace `path` atomically with these lines; readable by the owner only, as it holds a password."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(lines)
        fresh.replace(path)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        raise GridwatchError(
            f"cannot write {path}: {problem.strerror}", "choose another --env-file"
        ) from problem


def default_folder() -> Path:
    """The user's data folder; as root the system's: PostgreSQL's user has no access to root's home."""
    if os.geteuid() == 0:
        return Path("/var/lib/gridwatch")
    from platformdirs import user_data_path

    return user_data_path("gridwatch")


def last_ports(folder: Path) -> dict[str, int]:
    """The ports of the last run that are free now."""
    try:
        kept = json.loads((folder / "ports.json").read_text())
        return {str(name): int(port) for name, port in kept.items() if is_free(int(port))}
    except (OSError, ValueError, AttributeError):
        return {}  # the first run here


def save_ports(folder: Path, ports: Mapping[str, int]) -> None:
    (folder / "ports.json").write_text(json.dumps(dict(ports)))


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Lock `folder` against a second `gridwatch up`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as problem:
        raise GridwatchError(
            f"cannot use {folder}: {problem.strerror}", "choose another --data-dir"
        ) from problem
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise GridwatchError(
                f"{folder} is in use by another gridwatch up", "end that one, or choose another --data-dir"
            ) from problem
        yield
