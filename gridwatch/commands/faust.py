"""Faust's own commands under gridwatch's name: everything after the command is handed on as it is."""

from __future__ import annotations

import gc
import sys

import click

_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def faust_command(name: str, app: str, summary: str, example: str) -> click.Command:
    """A click command that runs `faust -A <app> <name> …`."""

    @click.command(name, context_settings=_PASS_ON, help=summary, epilog=f"Example:  {example}")
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        run_faust(app, name, arguments)

    return run


def run_faust(app: str, name: str, arguments: tuple[str, ...]) -> None:
    """Replace this program by Faust's command line."""
    gc.disable()  # what is imported stays: to look through it took a tenth of a start (`garbage.py` goes on)
    from gridwatch.settings import load_settings

    settings = load_settings()  # a wrong setting is said in one line, before anything starts
    from faust.cli.faust import cli

    # Faust's banner is no JSON.
    quiet = ["--quiet"] if settings.log_format == "json" else []
    sys.argv = ["faust", *quiet, "-A", app, name, *arguments]
    cli.main(args=sys.argv[1:], prog_name="faust")


tables = faust_command("tables", "gridwatch.app", "Faust's own list of tables.", "gridwatch tables")
agents = faust_command("agents", "gridwatch.app", "Faust's own list of agents.", "gridwatch agents")
