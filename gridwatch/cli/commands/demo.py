"""`gridwatch demo`: the whole chain in a temporary folder, removed at the end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridwatch.deployment.signals import interrupted_by_signals
from gridwatch.errors import UsageProblem

if TYPE_CHECKING:
    from gridwatch.cli.demo.run import Running

_POLL_SECONDS = 0.5


@click.command(epilog="Example:  gridwatch demo --meters 20 --days 2 --keep")
@click.option(
    "--meters", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many meters."
)
@click.option(
    "--days", type=click.IntRange(1, 3_650), default=14, show_default=True, help="How many days of readings."
)
@click.option("--keep", is_flag=True, help="Keep everything running, with its pages, until Ctrl-C.")
@click.pass_context
def command(context: click.Context, meters: int, days: int, keep: bool) -> None:
    """Run the whole chain: a real Kafka and PostgreSQL, a replay with injected faults, and the score.

    Registers synthetic households in three regions and sends their half-hourly readings, 5% of them withheld
    and 10% delayed by up to 5 minutes; compares what was found with what was injected, and windows and
    regions with what their readings add up to; and writes a report with plots, gridwatch-report.html, to the
    current folder. Exit 1 unless everything was found and nothing else, and every sum is exact. The
    servers run in a temporary folder and end with this command. The first run fetches Apache Kafka (43 MB)
    into the user's cache.
    """
    from rich.console import Console

    from gridwatch.cli.demo.run import Demo
    from gridwatch.cli.demo.stages import Stages
    from gridwatch.cli.demo.summary import print_summary
    from gridwatch.settings import load_settings

    load_settings()  # wrong settings fail before anything starts, and so does a read-only folder
    if not os.access(Path.cwd(), os.W_OK):
        raise UsageProblem(
            f"the report cannot be written to {Path.cwd()}", "run this in a folder that you can write to"
        )
    console = Console(no_color=bool(os.environ.get("NO_COLOR")))
    with interrupted_by_signals(), Stages() as stages:
        demo = Demo(meters, days, stages, Path.cwd())
        with demo.running() as running:
            result = demo.play(running)
            if keep:
                stages.release_terminal()
                print_summary(console, result.figures, result.report)
                keep_running(running)
    if not keep:
        print_summary(console, result.figures, result.report)
    context.exit(0 if result.figures.perfect else 1)


def keep_running(running: Running) -> None:
    """Print the addresses, and return on Ctrl-C; GridwatchError when a service exits by itself."""
    click.echo(f"pages of the worker: {running.worker.url}/")
    click.echo("settings for another terminal:")
    for line in running.connection_lines():
        click.echo(f"  export {line}")
    click.echo("running until Ctrl-C", err=True)
    try:
        while True:
            running.site.require_running()
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
