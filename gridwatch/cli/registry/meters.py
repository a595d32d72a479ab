"""`gridwatch registry`: the meters of the book of record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from gridwatch.cli.export.queries import regex_of
from gridwatch.cli.registry import shared
from gridwatch.domain.instants import format_instant
from gridwatch.domain.registry.records import STATUSES
from gridwatch.errors import UsageProblem
from gridwatch.registry.entities import METER
from gridwatch.registry.flows import flows_of
from gridwatch.registry.resending import resend
from gridwatch.settings import load_settings
from replay.cli.options import InstantType

_METERS = click.option(
    "--meters", default="*", show_default=True, metavar="GLOB", help="Only meters whose id matches."
)


@click.group(epilog="Example:  gridwatch registry import meters.csv --dry-run")
def command() -> None:
    """Meters: where they are, when they were installed, what they send how often.

    Changes are in the database at once, and in the stream when `gridwatch relay` has published them.
    docs/registry.md explains every column.
    """


@command.command("import", epilog="Example:  gridwatch registry import meters.csv --valid-from 2026-02-01")
@shared.file_argument
@shared.dry_run_option
@shared.valid_from_option
@shared.as_of_option
@shared.json_option
def import_command(
    file: Path, dry_run: bool, valid_from: int | None, as_of: int | None, as_json: bool
) -> None:
    """Import meters from a CSV: all of it, or nothing if anything in it is wrong.

    Its first line names the columns; only meter_id is needed. A column that is not there is left as it is,
    an empty cell clears what was there. Importing the same file again changes nothing. Regions come first:
    gridwatch regions import.
    """
    shared.import_file(METER, file, shared.timing(valid_from, as_of), dry_run=dry_run, as_json=as_json)


@command.command("export", epilog="Example:  gridwatch registry export -o meters.csv --meters 'R01-*'")
@shared.output_option
@_METERS
def export_command(output: str, meters: str) -> None:
    """Write meters to a CSV that can be edited and imported; its version column guards against changes that
    were made meanwhile."""
    shared.export_rows(METER, output, meters)


@command.command("show", epilog="Example:  gridwatch registry show M1 --json")
@click.argument("meter")
@shared.json_option
def show_command(meter: str, as_json: bool) -> None:
    """Show what the book has of a meter."""
    shared.show_row(METER, meter, as_json=as_json)


@command.command("set", epilog="Example:  gridwatch registry set M1 region=R02 grace=2h")
@click.argument("meter")
@shared.fields_argument
@shared.valid_from_option
@shared.as_of_option
@shared.dry_run_option
@shared.json_option
def set_command(
    *,
    meter: str,
    fields: tuple[str, ...],
    valid_from: int | None,
    as_of: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set fields of a meter; a meter that the book does not have is new. KEY= clears a field."""
    when = shared.timing(valid_from, as_of)
    shared.change_row(METER, meter, shared.fields_of(fields), when, dry_run=dry_run, as_json=as_json)


@command.command("list", epilog="Example:  gridwatch registry list --status suspended --meters 'R01-*'")
@_METERS
@click.option("--status", type=click.Choice(STATUSES), help="Only meters of this status.")
@click.option("--region", help="Only meters of this region.")
@shared.json_option
def list_command(meters: str, status: str | None, region: str | None, as_json: bool) -> None:
    """List meters: id, status, flow, region, interval, version; with --json one object a line."""
    shared.list_rows(
        METER,
        ("meter_id", "status", "flow", "region", "interval", "version"),
        lambda record: status in (None, record["status"]) and region in (None, record.get("region")),
        as_json=as_json,
        pattern=meters,
    )


@command.command("resend", epilog="Example:  gridwatch registry resend --flow smartmeter")
@click.option("--flow", help="Only meters of this flow.")
@_METERS
@click.option(
    "--as-of", type=InstantType(), metavar="TIME", help="Event time at which this is said. Default: now."
)
@shared.json_option
def resend_command(flow: str | None, meters: str, as_of: int | None, as_json: bool) -> None:
    """Publish what the book has once more, with the versions that it has: for a new flow, recreated topics,
    or a worker that lost its state. Who has these versions ignores them.

    Without --meters regions and planned outages are resent, too.
    """
    settings = load_settings()
    if flow is not None and flow not in flows_of(settings):
        raise UsageProblem(f"--flow: no such flow: {flow}", f"name one of {', '.join(flows_of(settings))}")
    with shared.open_book(settings) as connection:
        resent = resend(
            connection,
            flow=flow,
            meters=None if meters == "*" else regex_of(meters),
            as_of=None if as_of is None else format_instant(as_of),
        )
    if as_json:
        click.echo(json.dumps(asdict(resent)))
    else:
        click.echo(
            f"{resent.meters:,} meters, {resent.regions:,} regions and {resent.outages:,} planned outages"
            " wait for gridwatch relay"
        )
