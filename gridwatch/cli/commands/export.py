"""`gridwatch export`: readings from the database to CSV or Parquet, or how complete each meter's days are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from gridwatch.cli.export.files import format_of, written
from gridwatch.cli.export.queries import COMPLETENESS, READINGS, Question, Selection, answers
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
    help="Where to, by its ending: .csv, .csv.gz or .parquet; - is CSV on stdout.",
)
@click.option(
    "--completeness",
    is_flag=True,
    help="Not the readings: how many slots each meter had, and how many were expected, day by day.",
)
@click.option("--start", type=InstantType(), help="Leave out what is before this time.")
@click.option("--end", type=InstantType(), help="Leave out what is at this time or later.")
@click.option(
    "--meters",
    default="*",
    show_default=True,
    metavar="GLOB",
    help="Only meters whose id matches, such as 'METER_00*'.",
)
@click.option("--zone", help="Whose days completeness is counted by; GRIDWATCH_TIMEZONE if left out.")
@click.option("--database-url", help="Database to read; GRIDWATCH_DATABASE_URL if left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object about the file on stdout.")
def command(
    *,
    output: str,
    completeness: bool,
    start: int | None,
    end: int | None,
    meters: str,
    zone: str | None,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Write readings as they stand in the database, in order of meter and time.

    Readings are the validated ones (of several values for a stamp the last), and those that came too late,
    with status TOO_LATE. The CSV is what `gridwatch replay --profile spec` reads. The file appears when it is
    whole. In the completeness of a day, expected = had + missing: slots that a reading filled, and slots that
    gaps say are missing.
    """
    settings = load_settings(**({"database_url": database_url} if database_url else {}))
    path = None if output == "-" else Path(output)
    if path is None and as_json:
        raise UsageProblem("--json goes with a file", "name one with -o")
    if start is not None and end is not None and start >= end:
        raise UsageProblem("--start must lie before --end", "mend one of them")
    kind = format_of(path)
    question = COMPLETENESS if completeness else READINGS
    selection = Selection(
        "-infinity" if start is None else format_instant(start),
        "infinity" if end is None else format_instant(end),
        meters,
        _zone(zone) if zone else settings.timezone,
    )
    with Terminal() as terminal, connect(settings.database) as connection:
        terminal.stage("exporting", None)
        counts = _Counts(question)
        with written(path, question.columns) as file:
            for rows in answers(connection, question, selection):
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
    """What went into the file."""

    question: Question
    rows: int = 0
    meters: int = 0
    too_late: int = 0
    had: int = 0
    expected: int = 0
    kwh: Decimal = Decimal(0)
    _meter: str | None = None

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Count rows, which come in order of meter."""
        at = {column.name: place for place, column in enumerate(self.question.columns)}
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
        if self.question is READINGS:
            return found | {"too_late": self.too_late}
        percent = 100 * self.had / self.expected if self.expected else None
        return found | {"had": self.had, "expected": self.expected, "completeness_percent": percent}

    def __str__(self) -> str:
        if self.question is READINGS:
            return (
                f"{self.rows:,} readings of {self.meters:,} meters, {self.kwh:,.6f} kWh; "
                f"{self.too_late:,} of them came too late"
            )
        percent = f", {100 * self.had / self.expected:.3f} %" if self.expected else ""
        return (
            f"{self.rows:,} days of {self.meters:,} meters; "
            f"{self.had:,} of {self.expected:,} slots had a reading{percent}"
        )
