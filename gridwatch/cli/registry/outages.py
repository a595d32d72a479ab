"""`gridwatch outages`: planned outages in the book of record."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import click

from gridwatch.cli.registry import shared
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.registry.records import SCOPES
from gridwatch.errors import GridwatchError
from gridwatch.registry.entities import OUTAGE
from gridwatch.registry.reading import Record, find
from gridwatch.settings import load_settings
from replay.cli.options import InstantType

#: The id of an outage that is not given one depends on what it is, so adding it twice is adding it once.
_NAMES = uuid.UUID("6f0b0d3c-8a55-4c8e-9d6e-6772696477a1")


@click.group(
    epilog="Example:  gridwatch outages add --scope feeder --target R01-F0001 --from 2026-02-01T06:00:00Z"
    " --until 2026-02-01T09:00:00Z --why maintenance"
)
def command() -> None:
    """Planned outages: meters, transformers, feeders or regions whose readings are not expected for a time.

    What is missing then is a gap with reason PLANNED, and alarms nobody.
    """


@command.command(
    epilog="Example:  gridwatch outages add --scope region --target R01 --from 2026-02-01T06:00:00Z"
    " --until 2026-02-01T09:00:00Z --why 'new transformer'"
)
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="What is switched off.")
@click.option("--target", required=True, help="Its name.")
@click.option("--from", "start", type=InstantType(), required=True, help="Begins then.")
@click.option("--until", "end", type=InstantType(), required=True, help="Ends then.")
@click.option("--why", default="", help="The reason, for people.")
@click.option("--id", "outage", help="Its id. Default: made from scope, target and times.")
@shared.as_of_option
@shared.json_option
def add(
    *,
    scope: str,
    target: str,
    start: int,
    end: int,
    why: str,
    outage: str | None,
    as_of: int | None,
    as_json: bool,
) -> None:
    """Plan an outage."""
    times = format_instant(start), format_instant(end)
    name = outage or str(uuid.uuid5(_NAMES, "|".join((scope, target, *times))))
    fields = {"scope": scope, "target": target, "from": times[0], "until": times[1], "cancelled": "false"}
    if why:
        fields["why"] = why
    shared.change_row(OUTAGE, name, fields, shared.timing(None, as_of), dry_run=False, as_json=as_json)


@command.command("list", epilog="Example:  gridwatch outages list --all --json")
@click.option("--all", "everything", is_flag=True, help="Past and cancelled ones, too.")
@shared.json_option
def list_command(everything: bool, as_json: bool) -> None:
    """List outages that are not over: id, scope, target, from, until, why; --json: one object a line."""
    now = time.time_ns() // 1000

    def wanted(record: Record) -> bool:
        return everything or not (record["cancelled"] or parse_instant(record["until"])[0] <= now)

    columns = ("outage_id", "scope", "target", "from", "until", "why")
    shared.list_rows(OUTAGE, columns, wanted, as_json=as_json, pattern="*")


@command.command("show", epilog="Example:  gridwatch outages show 2026-02-R01")
@click.argument("outage")
@shared.json_option
def show_command(outage: str, as_json: bool) -> None:
    """Show what the book has of an outage."""
    shared.show_row(OUTAGE, outage, as_json=as_json)


@command.command(epilog="Example:  gridwatch outages cancel 2026-02-R01")
@click.argument("outage")
@shared.as_of_option
@shared.json_option
def cancel(outage: str, as_of: int | None, as_json: bool) -> None:
    """Cancel an outage: from now on readings are expected again."""
    with shared.open_book(load_settings()) as connection:
        if find(connection, OUTAGE, outage) is None:
            raise GridwatchError(f"there is no outage {outage!r}", "gridwatch outages list --all shows them")
    when = shared.timing(None, as_of)
    shared.change_row(OUTAGE, outage, {"cancelled": "true"}, when, dry_run=False, as_json=as_json)


@command.command("import", epilog="Example:  gridwatch outages import outages.csv --dry-run")
@shared.file_argument
@shared.dry_run_option
@shared.as_of_option
@shared.json_option
def import_command(file: Path, dry_run: bool, as_of: int | None, as_json: bool) -> None:
    """Import outages from a CSV: all or nothing.

    Its columns are outage_id, scope, target, from, until, and, if wanted, why and cancelled.
    """
    shared.import_file(OUTAGE, file, shared.timing(None, as_of), dry_run=dry_run, as_json=as_json)


@command.command("export", epilog="Example:  gridwatch outages export -o outages.csv")
@shared.output_option
def export_command(output: str) -> None:
    """Write all outages to a CSV that can be imported."""
    shared.export_rows(OUTAGE, output)
