"""The `gridwatch` command: one lazy group, so that `--help` is fast whatever a command imports.

    commands/  one module per command
    demo/  doctor/  export/  scoring/  the implementation of the larger ones

Every command is listed once in COMMANDS, with its module. An error of gridwatch's own is printed as one line
with the problem and the remedy, with exit code 1 (the work failed) or 2 (wrong use); Ctrl-C gives 130.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from gridwatch import __version__
from gridwatch.errors import GridwatchError, UsageProblem

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (
        "gridwatch.cli.commands.demo",
        "Everything at once: a real Kafka and PostgreSQL, replay, score, report.",
    ),
    "up": (
        "gridwatch.cli.commands.up",
        "A real Kafka and PostgreSQL, and an MQTT broker, in the foreground until Ctrl-C.",
    ),
    "topics": ("gridwatch.cli.commands.topics", "Create, list and check the topics."),
    "db": ("gridwatch.cli.commands.db", "Upgrade the database schema, or show its status."),
    "worker": (
        "gridwatch.cli.commands.worker",
        "Run the stream worker (the same as faust -A gridwatch.app worker).",
    ),
    "sink": ("gridwatch.cli.commands.sink", "Run the database sink (the same as faust -A sinks.app worker)."),
    "ingest": ("gridwatch.cli.commands.ingest", "Accept readings over HTTP until Ctrl-C."),
    "bridge": ("gridwatch.cli.commands.bridge", "Bridge MQTT messages of a home to Kafka until Ctrl-C."),
    "keys": ("gridwatch.cli.accounts.keys", "API keys of the HTTP entrance: create, list, revoke."),
    "tables": ("gridwatch.cli.commands.faust", "Faust's own list of tables."),
    "agents": ("gridwatch.cli.commands.faust", "Faust's own list of agents."),
    "registry": ("gridwatch.cli.registry.meters", "Meters of the book of record: import, export, show, set."),
    "regions": ("gridwatch.cli.registry.regions", "Regions: capacity, price, time zone, holidays."),
    "outages": ("gridwatch.cli.registry.outages", "Planned outages: add, list, cancel, import."),
    "relay": (
        "gridwatch.cli.registry.relay",
        "Publish changes of the registry to Kafka until Ctrl-C.",
    ),
    "replay": ("replay.cli.command", "Turn meter files into a stream on the raw topic."),
    "simulate": (
        "gridwatch.simulator.command",
        "Make up a fleet of meters and send what it measures.",
    ),
    "sample": ("replay.cli.sample", "Make realistic meter data."),
    "score": ("gridwatch.cli.commands.score", "Compare what was detected with the injected truth."),
    "export": (
        "gridwatch.cli.commands.export",
        "Readings, what follows from them, or what a home measured: from the database to CSV or Parquet.",
    ),
    "chaos": (
        "gridwatch.cli.commands.chaos",
        "Prove that failures change nothing: random faults, every difference.",
    ),
    "doctor": ("gridwatch.cli.commands.doctor", "Check what is reachable, what is wrong, and how to fix it."),
}


class LazyGroup(click.Group):
    """Imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, "command", None) or getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example:  gridwatch demo --meters 20 --days 2",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with settings; environment variables GRIDWATCH_… take precedence.",
)
@click.version_option(__version__, prog_name="gridwatch")
def cli(config: Path | None) -> None:
    """Monitors a stream of electricity meter readings.

    gridwatch validates each reading, classifies late ones by event time, detects missing readings, and
    writes the results to Kafka topics and a database.
    """
    if config is not None:
        # Child processes and Faust's own commands read the same file: passed on by the environment.
        os.environ["GRIDWATCH_CONFIG"] = str(config)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(argv))


def run(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (0, 1, 2 or 130)."""
    try:
        result: Any = cli.main(args=argv, standalone_mode=False, prog_name="gridwatch")
        return result if isinstance(result, int) else 0
    except GridwatchError as problem:
        click.secho(f"gridwatch: {problem}", fg="red", err=True, color=_colour())
        return problem.exit_code
    except click.ClickException as problem:
        problem.show()
        return UsageProblem.exit_code
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130


def _colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None
