"""`gridwatch topics create | list | check`."""

from __future__ import annotations

import json

import click

from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import topics_of


@click.group(epilog="Example:  gridwatch topics create && gridwatch topics check")
def command() -> None:
    """Create, list and check the topics of the flows (GRIDWATCH_FLOWS)."""


@command.command(epilog="Example:  gridwatch topics create")
def create() -> None:
    """Create the missing topics, with their partitions, retention and clean-up policy."""
    settings = load_settings()
    created = Broker(settings).create()
    for name in created:
        click.echo(f"created {name} ({settings.partitions} partitions)")
    if not created:
        click.echo("all topics exist; compare their settings with: gridwatch topics check")


@command.command("list", epilog="Example:  gridwatch topics list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def list_topics(as_json: bool) -> None:
    """List the topics with their meaning, and whether they exist."""
    settings = load_settings()
    existing = Broker(settings).partitions()
    rows = [
        {
            "topic": topic.name,
            "partitions": existing.get(topic.name),
            "key": topic.key,
            "meaning": topic.meaning,
        }
        for topic in topics_of(settings.applications)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        count = f"{row['partitions']} partitions" if row["partitions"] else "missing"
        click.echo(f"{row['topic']:<28} {count:<14} {row['meaning']} (key: {row['key']})")


@command.command(epilog="Example:  gridwatch topics check")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Show differences from the expected topics; exit 1 if there are any."""
    differences = Broker(load_settings()).differences()
    if as_json:
        click.echo(json.dumps([vars(difference) for difference in differences], indent=2))
    elif differences:
        for difference in differences:
            click.echo(str(difference))
        click.echo(
            "remedy: gridwatch topics create creates missing ones; kafka-configs or a new topic for the rest"
        )
    else:
        click.echo("all topics are as expected")
    ctx.exit(1 if differences else 0)
