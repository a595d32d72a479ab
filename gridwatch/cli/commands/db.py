"""`gridwatch db`: upgrades the database schema, shows its status, and deletes rows past their retention."""

from __future__ import annotations

import json

import click

from gridwatch.settings import load_settings
from sinks.database import address_of
from sinks.schema.retention import maintain
from sinks.schema.storage import Storage
from sinks.schema.version import SchemaStatus, migrate, status

_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group(epilog="Example:  gridwatch db migrate && gridwatch db status")
def command() -> None:
    """The database schema: upgrade it, show its status, delete rows past their retention."""


@command.command("migrate", epilog="Example:  gridwatch db migrate")
@_json_option
def migrate_command(as_json: bool) -> None:
    """Upgrade the schema; idempotent.

    Where the server has TimescaleDB the tables become hypertables, with their rows, and chunks, compression
    and retention are brought to the settings.
    """
    settings = load_settings()
    before, after = migrate(settings.database, Storage.of(settings))
    if as_json:
        click.echo(json.dumps(_as_dict(after) | {"migrated_from": before.revision}))
    elif before.state == "current":
        click.echo(f"{after.kind} at {after.address}: schema already at revision {after.revision}")
    else:
        came_from = before.revision or "nothing"
        click.echo(
            f"{after.kind} at {after.address}: schema brought from {came_from} to revision {after.revision}"
        )
    if after.note:
        click.echo(f"  note: {after.note}", err=True)


@command.command("status", epilog="Example:  gridwatch db status --json")
@_json_option
@click.pass_context
def status_command(context: click.Context, as_json: bool) -> None:
    """Show the kind of the database and its schema's revision; exit 1 unless it is current."""
    found = status(load_settings().database)
    if as_json:
        click.echo(json.dumps(_as_dict(found)))
    else:
        click.echo(f"{found.kind} at {found.address}: {found}")
        if found.remedy:
            click.echo(f"  remedy: {found.remedy}", err=True)
        if found.note:
            click.echo(f"  note: {found.note}", err=True)
    if found.state != "current":
        context.exit(1)


@command.command("maintain", epilog="Example:  GRIDWATCH_RETENTION=730d gridwatch db maintain")
@_json_option
def maintain_command(as_json: bool) -> None:
    """Delete rows past their retention from plain tables: GRIDWATCH_RETENTION, and those of single tables.

    For a daily timer on plain PostgreSQL; hypertables of TimescaleDB have policies for it.
    """
    settings = load_settings()
    removed = maintain(settings.database, Storage.of(settings))
    if as_json:
        click.echo(json.dumps(removed))
        return
    for table, rows in removed.items():
        click.echo(f"{table}: {rows} rows removed")
    if not removed:
        click.echo(
            f"{address_of(settings.database)}: nothing to do: rows are kept for ever, or policies of"
            " TimescaleDB remove them"
        )


def _as_dict(found: SchemaStatus) -> dict[str, str | None]:
    return {
        "address": found.address,
        "kind": str(found.kind),
        "postgresql": found.kind.postgresql,
        "timescaledb": found.kind.timescaledb,
        "state": found.state,
        "revision": found.revision,
        "wanted": found.wanted,
        "remedy": found.remedy,
        "note": found.note,
    }
