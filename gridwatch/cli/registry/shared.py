"""What the commands of the book share: import, export, set and show of one kind of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from gridwatch.cli.export.files import format_of, open_writer
from gridwatch.cli.export.queries import Column, regex_of
from gridwatch.cli.registry.interrupting import interruptible
from gridwatch.domain.instants import format_instant
from gridwatch.errors import GridwatchError, UsageProblem
from gridwatch.registry.book import Outcome, Timing, apply, set_fields
from gridwatch.registry.entities import Entity
from gridwatch.registry.files import open_table
from gridwatch.registry.problems import Problems, RefusedError
from gridwatch.registry.reading import Record, cells, find, head, read
from gridwatch.settings import Settings, load_settings
from replay.cli.options import InstantType
from replay.run.progress import Terminal
from sinks.database import address_of, connect
from sinks.schema.version import read_status, require_current

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
valid_from_option = click.option(
    "--valid-from",
    type=InstantType(),
    metavar="TIME",
    help="Changes hold from this time on, where they do not give one themselves. Default: at once.",
)
as_of_option = click.option(
    "--as-of",
    type=InstantType(),
    metavar="TIME",
    help="Event time at which this is said, for streams that begin in the past. Default: now.",
)
file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
fields_argument = click.argument("fields", nargs=-1, required=True, metavar="KEY=VALUE…")
output_option = click.option(
    "-o",
    "--output",
    default="-",
    show_default=True,
    metavar="FILE",
    help="Output file; its suffix is the format: .csv, .csv.gz or .parquet; - is CSV on stdout.",
)

_NOT_PUBLISHED = "gridwatch relay publishes it"


@contextmanager
def open_book(settings: Settings) -> Iterator[Connection]:
    """A transaction on the book. GridwatchError unless the schema is current."""
    with connect(settings.database) as connection, interruptible(connection):
        require_current(read_status(connection, address_of(settings.database)))
        yield connection


def timing(valid_from: int | None, as_of: int | None = None) -> Timing:
    """The times of a change, given in µs."""
    return Timing(
        None if valid_from is None else format_instant(valid_from),
        None if as_of is None else format_instant(as_of),
    )


def import_file(entity: Entity, file: Path, when: Timing, *, dry_run: bool, as_json: bool) -> None:
    """Import a CSV and print what it changed."""
    settings = load_settings()
    problems = Problems()
    with _refusals_as_json(as_json), Terminal() as terminal:
        with open_book(settings) as connection, open_table(file, entity, problems) as table:
            outcome = apply(
                connection, entity, table, settings, problems, timing=when, dry_run=dry_run, progress=terminal
            )
        for line in outcome.advice:
            terminal.warn(line)
    _print(f"{file}: {outcome.rows:,} {entity.plural}", outcome, as_json)


def change_row(
    entity: Entity, key: str, fields: dict[str, str], when: Timing, *, dry_run: bool, as_json: bool
) -> None:
    """Set fields of one row and print what changed."""
    settings = load_settings()
    with _refusals_as_json(as_json):
        with open_book(settings) as connection:
            outcome = set_fields(connection, entity, key, fields, settings, timing=when, dry_run=dry_run)
        for line in outcome.advice:
            click.secho(f"warning: {line}", fg="yellow", err=True)
    _print(f"{entity.name} {key}", outcome, as_json)


def fields_of(arguments: Sequence[str]) -> dict[str, str]:
    """`key=value …` as fields. UsageProblem for anything else."""
    fields: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise UsageProblem(f"{argument!r} is not key=value", "write key=value, or key= to clear it")
        if name in fields:
            raise UsageProblem(f"{name} is given twice", "leave one of them out")
        fields[name] = value
    return fields


def export_rows(entity: Entity, output: str, pattern: str = "*") -> None:
    """Write rows to a file that can be imported again."""
    path = None if output == "-" else Path(output)
    format_of(path)
    count = 0
    with Terminal() as terminal, open_book(load_settings()) as connection:
        terminal.stage("exporting", None)
        with open_writer(path, [Column(name, "text") for name in head(entity)]) as file:
            for records in read(connection, entity, None if pattern == "*" else regex_of(pattern)):
                file.write(cells(records, entity))
                count += len(records)
                terminal.at(count)
    click.echo(f"{output}: {count:,} {entity.plural}", err=path is None)


def show_row(entity: Entity, key: str, *, as_json: bool) -> None:
    """Print one row. GridwatchError if it is not in the book."""
    with open_book(load_settings()) as connection:
        record = find(connection, entity, key)
    if record is None:
        raise GridwatchError(
            f"the book has no {entity.name} {key!r}", f"gridwatch {group_of(entity)} list shows what it has"
        )
    if as_json:
        click.echo(json.dumps(record))
        return
    waiting = record.pop("unpublished")
    width = max(map(len, record))
    for name, value in record.items():
        click.echo(f"{name:<{width}}  {_shown(value)}")
    if waiting:
        click.echo(f"{waiting} of its changes not published yet: {_NOT_PUBLISHED}", err=True)


def list_rows(
    entity: Entity, columns: Sequence[str], wanted: Callable[[Record], bool], *, as_json: bool, pattern: str
) -> None:
    """Print rows, in lines of columns or as JSON lines."""
    with open_book(load_settings()) as connection:
        for records in read(connection, entity, None if pattern == "*" else regex_of(pattern)):
            for record in filter(wanted, records):
                if as_json:
                    click.echo(json.dumps(record))
                else:
                    click.echo("  ".join(_shown(record.get(name)) for name in columns))


def group_of(entity: Entity) -> str:
    """The command of a kind of rows."""
    return {"meter": "registry", "region": "regions", "outage": "outages"}[entity.name]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return " ".join(value) if isinstance(value, list) else str(value)


@contextmanager
def _refusals_as_json(as_json: bool) -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        if as_json:
            problems = refused.problems
            shown = [problem.as_dict() for problem in problems.shown]
            click.echo(json.dumps({"errors": problems.count, "problems": shown}))
        raise


def _print(subject: str, outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.as_dict()))
        return
    changes = outcome.new + outcome.changed
    if not changes:
        click.echo(f"{subject}: nothing to change, the book says the same")
        return
    columns = ", ".join(f"{name} {count:,}" for name, count in outcome.columns.items())
    parts = [f"{outcome.new:,} new", f"{outcome.changed:,} changed" + (f" ({columns})" if columns else "")]
    if outcome.moved:
        parts.append(f"{outcome.moved:,} of them moved to another flow")
    parts.append(f"{outcome.unchanged:,} as before")
    click.echo(f"{subject}: {'would be: ' if outcome.dry_run else ''}{', '.join(parts)}")
    click.echo("nothing was changed: --dry-run" if outcome.dry_run else _NOT_PUBLISHED, err=True)
