"""`gridwatch up`: the embedded Kafka and PostgreSQL in the foreground, with their state kept in a folder.

With `--mqtt` an MQTT broker runs beside them, whose state is in its memory.

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
    "--mqtt", is_flag=True, help="Also run an MQTT 5 broker, for gridwatch bridge. It forgets all at its end."
)
@click.option(
    "--mqtt-port",
    type=_PORT,
    help="Its port, and so --mqtt. Default: likewise. MQTT 3.1.1 has one of its own.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the settings to this file, as KEY=value lines, readable by you only.",
)
def command(
    *,
    data_dir: Path | None,
    kafka_port: int | None,
    postgres_port: int | None,
    mqtt: bool,
    mqtt_port: int | None,
    env_file: Path | None,
) -> None:
    """A real Apache Kafka and PostgreSQL on this machine until Ctrl-C.

    They listen on 127.0.0.1 only. When they are ready, the settings for every other gridwatch command are
    printed, one KEY=value per line. The first run fetches Apache Kafka (43 MB) into the
    user's cache; later runs need no network. Run as root, PostgreSQL runs as the user nobody.

    With --mqtt there is an MQTT broker, too. It has no accounts and no persistence: sessions, retained and
    waiting messages end with it. To run a home on, take Mosquitto: docs/mqtt.md.
    """
    folder = (data_dir or default_folder()).expanduser().absolute()
    wanted = {"kafka": kafka_port, "postgres": postgres_port, "mqtt": mqtt_port}
    with interrupted_by_signals(), folder_lock(folder):
        run(folder, wanted, env_file, with_mqtt=mqtt or mqtt_port is not None)


def run(folder: Path, wanted: Mapping[str, int | None], env_file: Path | None, *, with_mqtt: bool) -> None:
    """Start the servers in `folder`, print their settings, and run until a KeyboardInterrupt.

    wanted: ports by server; None: that of the last run, else any.
    """
    from gridwatch.embedded import EmbeddedKafka, EmbeddedMqtt, EmbeddedPostgres

    last = last_ports(folder)
    ports = {**last, **{name: port for name, port in wanted.items() if port is not None}}
    kafka = EmbeddedKafka(folder / "kafka", port=ports.get("kafka", 0))
    postgres = EmbeddedPostgres(folder / "postgres", port=ports.get("postgres", 0))
    mqtt = EmbeddedMqtt(folder / "mqtt", port=ports.get("mqtt", 0), older_port=ports.get("mqtt_3", 0))
    servers = [postgres, kafka, *([mqtt] if with_mqtt else [])]
    names = "Apache Kafka, PostgreSQL and an MQTT broker" if with_mqtt else "Apache Kafka and PostgreSQL"
    with contextlib.ExitStack() as running:
        try:
            click.echo(f"starting {names} in {folder}", err=True)
            for server in servers:
                running.enter_context(server)
            taken = {"kafka": kafka.port, "postgres": postgres.port}
            taken |= {"mqtt": mqtt.port, "mqtt_3": mqtt.older_port} if with_mqtt else {}
            save_ports(folder, {**last, **taken})
            lines = setting_lines(kafka.bootstrap, postgres.url, mqtt.url if with_mqtt else None)
            if env_file is not None:
                write_env_file(env_file, lines)
            click.echo("".join(lines), nl=False)
            if with_mqtt:
                click.echo(f"clients of MQTT 3.1.1: {mqtt.older_url}", err=True)
            click.echo("ready; Ctrl-C stops all", err=True)
            while all(server.running for server in servers):
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            click.echo("stopping", err=True)
            return
        gone = next(server for server in servers if not server.running)
        raise GridwatchError(f"the embedded {gone.name} ended by itself", f"see {gone.log}")


def setting_lines(bootstrap: str, database_url: str, mqtt_url: str | None = None) -> list[str]:
    """The settings for these servers. Nothing in them needs shell quoting."""
    lines = [f"GRIDWATCH_BROKER=kafka://{bootstrap}\n", f"GRIDWATCH_DATABASE_URL={database_url}\n"]
    return lines if mqtt_url is None else [*lines, f"GRIDWATCH_MQTT_URL={mqtt_url}\n"]


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
