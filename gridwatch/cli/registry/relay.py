"""`gridwatch relay`: publishes the outbox of the book of record."""

from __future__ import annotations

import json
import signal
from types import FrameType

import click

from gridwatch.errors import GridwatchError
from gridwatch.logs import log_to_stderr
from gridwatch.registry.relay.outbox import backlog
from gridwatch.registry.relay.service import Relay
from gridwatch.settings import Settings, load_settings
from replay.run.progress import Terminal
from sinks.database import connect


@click.command(epilog="Example:  gridwatch relay --once")
@click.option("--once", is_flag=True, help="Publish what is there, and end.")
@click.option(
    "--check", is_flag=True, help="Only say what is not published yet; exit 1 if that is so for a minute."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout at the end.")
def command(once: bool, check: bool, as_json: bool) -> None:
    """Publish changes of the registry, of regions and planned outages, until Ctrl-C.

    Each goes to the raw topics as control records, and to the compacted topic meter_registry. One relay runs
    at a time; a second one waits. While Kafka or the database is away it waits, and goes on by itself. It may
    be killed at any time: records are repeated then, never lost.
    """
    settings = load_settings()
    if check:
        _check(settings, as_json=as_json)
        return
    log_to_stderr(settings, "relay", "gridwatch.registry")
    with Terminal() as terminal:
        terminal.stage("publishing", None)
        relay = Relay(settings, once=once, told=terminal.at)

        def stop(_number: int, _frame: FrameType | None) -> None:
            relay.stop()

        former = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            published = relay.run()
        finally:
            for one, handler in former.items():
                signal.signal(one, handler)
    if as_json:
        click.echo(json.dumps({"published": published}))
    else:
        click.echo(f"{published:,} changes published")


def _check(settings: Settings, *, as_json: bool) -> None:
    with connect(settings.database) as connection:
        waiting = backlog(connection)
    click.echo(json.dumps(waiting._asdict()) if as_json else str(waiting))
    if waiting.late:
        raise GridwatchError("the relay is behind", "start gridwatch relay; its log says what it waits for")
