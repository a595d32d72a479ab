"""`gridwatch regions`: the regions of the book of record."""

from __future__ import annotations

from pathlib import Path

import click

from gridwatch.cli.registry import shared
from gridwatch.registry.entities import REGION


@click.group(epilog="Example:  gridwatch regions set R01 capacity_kw=2500 timezone=Europe/Berlin")
def command() -> None:
    """Regions: the power that each is built for, its price, time zone and holidays."""


@command.command("import", epilog="Example:  gridwatch regions import regions.csv")
@shared.file_argument
@shared.dry_run_option
@shared.valid_from_option
@shared.as_of_option
@shared.json_option
def import_command(
    file: Path, dry_run: bool, valid_from: int | None, as_of: int | None, as_json: bool
) -> None:
    """Import regions from a CSV with region, capacity_kw and other columns: all of it or nothing."""
    shared.import_file(REGION, file, shared.timing(valid_from, as_of), dry_run=dry_run, as_json=as_json)


@command.command("export", epilog="Example:  gridwatch regions export -o regions.csv")
@shared.output_option
def export_command(output: str) -> None:
    """Write all regions to a CSV that can be imported."""
    shared.export_rows(REGION, output)


@command.command("show", epilog="Example:  gridwatch regions show R01")
@click.argument("region")
@shared.json_option
def show_command(region: str, as_json: bool) -> None:
    """Show what the book has of a region."""
    shared.show_row(REGION, region, as_json=as_json)


@command.command("list", epilog="Example:  gridwatch regions list")
@shared.json_option
def list_command(as_json: bool) -> None:
    """List regions: name, capacity, price, currency, time zone, version; with --json one object a line."""
    columns = ("region", "capacity_kw", "base_price_per_kwh", "currency", "timezone", "version")
    shared.list_rows(REGION, columns, lambda _record: True, as_json=as_json, pattern="*")


@command.command("set", epilog="Example:  gridwatch regions set R01 holidays='2026-12-25 2026-12-26'")
@click.argument("region")
@shared.fields_argument
@shared.valid_from_option
@shared.as_of_option
@shared.dry_run_option
@shared.json_option
def set_command(
    *,
    region: str,
    fields: tuple[str, ...],
    valid_from: int | None,
    as_of: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set fields of a region; a new one needs capacity_kw. KEY= clears a field."""
    when = shared.timing(valid_from, as_of)
    shared.change_row(REGION, region, shared.fields_of(fields), when, dry_run=dry_run, as_json=as_json)
