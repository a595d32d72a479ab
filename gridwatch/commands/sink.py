"""`gridwatch sink …`: the same as `faust -A sinks.app worker …`."""

from __future__ import annotations

import click

from gridwatch.streaming.faust.program import run_faust


@click.command(
    "sink",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    epilog="Example:  gridwatch sink -l info",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run the database sink. Options are those of Faust's own worker command."""
    run_faust("sinks.app", "worker", arguments)
