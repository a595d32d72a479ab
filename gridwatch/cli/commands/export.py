"""`gridwatch export`: readings, or the completeness of days, from the database to CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from gridwatch.cli.export.files import format_of, open_writer
from gridwatch.cli.export.queries import COMPLETENESS, READINGS, Query, Selection, fetch
from gridwatch.domain.instants import format_instant
from gridwatch.errors import UsageProblem
from gridwatch.settings import load_settings
from replay.cli.options import InstantType
from replay.run.progress import Terminal
from sinks.database import connect


@click.command(
    epilog="Example:  gridwatch export --meters 'METER_00*' --start 2024-01-01 -o january.parquet",
    short_help="Readings, or the completeness of days, from the database to CSV or Parquet.",
)
@click.option(
    "-o",
    "--output",
    default="-",
    show_default=True,
    metavar="FILE",
    help="Output file; its suffix is the format: .csv, .csv.gz or .parquet; - is CSV on stdout.",
)
@click.option(
    "--completeness",
    is_flag=True,
    help="Instead of readings: filled and expected slots of each meter and day.",
)
@click.option("--start", type=InstantType(), help="From this time on.")
@click.option("--end", type=InstantType(), help="Before this time.")
@click.option(
    "--meters",
    default="*",
    show_default=True,
    metavar="GLOB",
    help="Only meters whose id matches, such as 'METER_00*'.",
)
@click.option("--flow", help="Only readings of this flow. Default: of all flows.")
@click.option("--zone", help="Time zone of the days of --completeness. Default: GRIDWATCH_TIMEZONE.")
@click.option("--database-url", help="Database to read. Default: GRIDWATCH_DATABASE_URL.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object about the file on stdout.")
def command(
    *,
    output: str,
    completeness: bool,
    start: int | None,
    end: int | None,
    meters: str,
    flow: str | None,
    zone: str | None,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Write the readings of the database, in order of meter and time.

    Readings are the validated ones (of several values for a timestamp the last), and the late events, with
    status TOO_LATE. The CSV is what `gridwatch replay --profile spec` reads. The file is written atomically.
    In the completeness of a day, expected = had + missing: slots filled by a reading, and slots in gaps.
    """
    settings = load_settings(**({"database_url": database_url} if database_url else {}))
    path = None if output == "-" else Path(output)
    if path is None and as_json:
        raise UsageProblem("--json needs a file", "name one with -o")
    if start is not None and end is not None and start >= end:
        raise UsageProblem("--start must lie before --end", "change one of them")
    kind = format_of(path)
    query = COMPLETENESS if completeness else READINGS
    selection = Selection(
        "-infinity" if start is None else format_instant(start),
        "infinity" if end is None else format_instant(end),
        meters,
        _zone(zone) if zone else settings.timezone,
        flow,
    )
    with Terminal() as terminal, connect(settings.database) as connection:
        terminal.stage("exporting", None)
        counts = _Counts(query)
        with open_writer(path, query.columns) as file:
            for rows in fetch(connection, query, selection):
                file.write(rows)
                counts.add(rows)
                terminal.at(counts.rows)
        if not counts.rows:
            terminal.warn(f"nothing in the database matches: no row of meters {meters!r} in that time")
    if as_json:
        click.echo(json.dumps({"file": output, "format": kind, **counts.as_dict()}))
    else:
        click.echo(f"{output}: {counts}", err=path is None)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise UsageProblem(f"--zone: {name!r} is no zone", "name one such as Europe/London") from problem


@dataclass
class _Counts:
    """Counts of what was written."""

    query: Query
    rows: int = 0
    meters: int = 0
    too_late: int = 0
    had: int = 0
    expected: int = 0
    kwh: Decimal = Decimal(0)
    _meter: str | None = None

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Count rows, which are in order of meter."""
        at = {column.name: place for place, column in enumerate(self.query.columns)}
        for row in rows:
            if row[0] != self._meter:
                self._meter = row[0]
                self.meters += 1
        self.rows += len(rows)
        self.kwh += sum((Decimal(repr(row[at["consumption_kwh"]])) for row in rows), Decimal(0))
        if "status" in at:
            self.too_late += sum(row[at["status"]] == "TOO_LATE" for row in rows)
        else:
            self.had += sum(row[at["had"]] for row in rows)
            self.expected += sum(row[at["expected"]] for row in rows)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        found: dict[str, Any] = {"rows": self.rows, "meters": self.meters, "consumption_kwh": float(self.kwh)}
        if self.query is READINGS:
            return found | {"too_late": self.too_late}
        percent = 100 * self.had / self.expected if self.expected else None
        return found | {"had": self.had, "expected": self.expected, "completeness_percent": percent}

    def __str__(self) -> str:
        if self.query is READINGS:
            return (
                f"{self.rows:,} readings of {self.meters:,} meters, {self.kwh:,.6f} kWh; "
                f"{self.too_late:,} of them came too late"
            )
        percent = f", {100 * self.had / self.expected:.3f} %" if self.expected else ""
        return (
            f"{self.rows:,} days of {self.meters:,} meters; "
            f"{self.had:,} of {self.expected:,} slots had a reading{percent}"
        )
