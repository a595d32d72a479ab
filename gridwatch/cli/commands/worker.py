"""`gridwatch worker …`: the same as `faust -A gridwatch.app worker …`."""

from __future__ import annotations

from gridwatch.cli.commands.faust import faust_command

command = faust_command(
    "worker",
    "gridwatch.app",
    "Run the stream worker. Options are those of Faust's own worker command.",
    "gridwatch worker -l info",
)
