"""Faust's own commands as commands of gridwatch: all arguments are passed through."""

from __future__ import annotations

import click

from gridwatch.streaming.faust.program import run_faust

_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def faust_command(name: str, app: str, summary: str, example: str) -> click.Command:
    """A click command that runs `faust -A <app> <name> …`."""

    @click.command(name, context_settings=_PASS_ON, help=summary, epilog=f"Example:  {example}")
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        run_faust(app, name, arguments)

    return run


tables = faust_command("tables", "gridwatch.app", "Faust's own list of tables.", "gridwatch tables")
agents = faust_command("agents", "gridwatch.app", "Faust's own list of agents.", "gridwatch agents")
