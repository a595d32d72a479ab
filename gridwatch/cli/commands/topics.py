"""`gridwatch topics create | list | check`."""

from __future__ import annotations

import json

import click

from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import all_topics


@click.group(epilog="Example:  gridwatch topics create && gridwatch topics check")
def command() -> None:
    """Create, list and check the topics of the flow."""


@command.command(epilog="Example:  gridwatch topics create")
def create() -> None:
    """Make the topics that are missing, with their partitions, retention and clean-up."""
    settings = load_settings()
    created = Broker(settings).create()
    for name in created:
        click.echo(f"created {name} ({settings.partitions} partitions)")
    if not created:
        click.echo("all topics are there already; compare their settings with: gridwatch topics check")


@command.command("list", epilog="Example:  gridwatch topics list --json")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_topics(as_json: bool) -> None:
    """List the topics with their meaning and whether they are there."""
    settings = load_settings()
    there = Broker(settings).partitions()
    rows = [
        {"topic": topic.name, "partitions": there.get(topic.name), "key": topic.key, "meaning": topic.meaning}
        for topic in all_topics(settings.app_id)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        count = f"{row['partitions']} partitions" if row["partitions"] else "missing"
        click.echo(f"{row['topic']:<28} {count:<14} {row['meaning']} (key: {row['key']})")


@command.command(epilog="Example:  gridwatch topics check")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Say what differs from what the code expects; exit 1 if anything does."""
    differences = Broker(load_settings()).differences()
    if as_json:
        click.echo(json.dumps([vars(difference) for difference in differences], indent=2))
    elif differences:
        for difference in differences:
            click.echo(str(difference))
        click.echo(
            "remedy: gridwatch topics create makes missing ones; kafka-configs or a new topic for the rest"
        )
    else:
        click.echo("all topics are as they should be")
    ctx.exit(1 if differences else 0)
