"""`gridwatch export`: readings and what follows from them, from the database to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from gridwatch.cli.export.aggregated import ANOMALIES, INCIDENTS, REGIONS, WINDOWS
from gridwatch.cli.export.counts import Counts
from gridwatch.cli.export.files import format_of, open_writer
from gridwatch.cli.export.homelab import ENERGY, HEATPUMP, TEMPERATURE
from gridwatch.cli.export.queries import COMPLETENESS, READINGS, Query, Selection, fetch
from gridwatch.domain.instants import format_instant
from gridwatch.errors import UsageProblem
from gridwatch.settings import load_settings
from replay.cli.options import InstantType
from replay.run.progress import Terminal
from sinks.database import connect

_LENGTH: Final = "15m"
_REST: Final = {
    **{"regions": REGIONS, "incidents": INCIDENTS, "anomalies": ANOMALIES},
    **{"energy": ENERGY, "heatpump": HEATPUMP, "temperature": TEMPERATURE},
}


@click.command(
    epilog="Example:  gridwatch export --meters 'METER_00*' --start 2024-01-01 -o january.parquet",
    short_help="Readings, what follows from them, or what a home measured: to CSV or Parquet.",
)
@click.argument("what", type=click.Choice(["readings", "windows", *_REST]), default="readings")
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
@click.option(
    "--regions",
    default="*",
    show_default=True,
    metavar="GLOB",
    help="Of windows, regions, incidents and anomalies: only those of regions that match.",
)
@click.option(
    "--devices",
    default="*",
    show_default=True,
    metavar="GLOB",
    help="Of energy, heatpump and temperature: only those of devices that match.",
)
@click.option(
    "--length",
    type=click.Choice(list(WINDOWS)),
    help=f"Of windows: their length. Default: {_LENGTH}.",
)
@click.option("--flow", help="Only readings, windows or anomalies of this flow. Default: of all flows.")
@click.option("--zone", help="Time zone of the days of --completeness. Default: GRIDWATCH_TIMEZONE.")
@click.option("--database-url", help="Database to read. Default: GRIDWATCH_DATABASE_URL.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object about the file on stdout.")
def command(
    *,
    what: str,
    output: str,
    completeness: bool,
    start: int | None,
    end: int | None,
    meters: str,
    regions: str,
    devices: str,
    length: str | None,
    flow: str | None,
    zone: str | None,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Write rows of the database, in order of meter, region or device, and time.

    Readings are the validated ones (of several values for a timestamp the last), and the late events, with
    status TOO_LATE; their CSV is what `gridwatch replay --profile spec` reads. In the completeness of a day,
    expected = had + missing: slots filled by a reading, and slots in gaps. Windows of consumption, the load
    of the regions, incidents and anomalies are as their latest revision has them. Energy, heatpump and
    temperature are what the devices of a home measured. The file is written atomically.
    """
    settings = load_settings(**({"database_url": database_url} if database_url else {}))
    path = None if output == "-" else Path(output)
    if path is None and as_json:
        raise UsageProblem("--json needs a file", "name one with -o")
    if start is not None and end is not None and start >= end:
        raise UsageProblem("--start must lie before --end", "change one of them")
    kind = format_of(path)
    query = _query(what, completeness=completeness, length=length)
    chosen = {"meters": meters, "regions": regions, "devices": devices}
    _require_used(
        query, what, **{name: pattern != "*" for name, pattern in chosen.items()}, flow=flow is not None
    )
    selection = Selection(
        "-infinity" if start is None else format_instant(start),
        "infinity" if end is None else format_instant(end),
        meters,
        regions,
        devices,
        _zone(zone) if zone else settings.timezone,
        flow,
    )
    with Terminal() as terminal, connect(settings.database) as connection:
        terminal.stage("exporting", None)
        counts = Counts(query)
        with open_writer(path, query.columns) as file:
            for rows in fetch(connection, query, selection):
                file.write(rows)
                counts.add(rows)
                terminal.at(counts.rows)
        if not counts.rows:
            of = f"{query.of} {chosen[query.of]!r}"
            terminal.warn(f"nothing in the database matches: no row of {of} in that time")
    if as_json:
        click.echo(json.dumps({"file": output, "format": kind, **counts.as_dict()}))
    else:
        click.echo(f"{output}: {counts}", err=path is None)


def _query(what: str, *, completeness: bool, length: str | None) -> Query:
    if completeness and what != "readings":
        raise UsageProblem("--completeness is that of readings", f"leave it out, or leave out {what!r}")
    if length is not None and what != "windows":
        raise UsageProblem("--length is that of windows", "gridwatch export windows --length …")
    if what == "windows":
        return WINDOWS[length or _LENGTH]
    return _REST.get(what) or (COMPLETENESS if completeness else READINGS)


def _require_used(query: Query, what: str, **given: bool) -> None:
    for name, is_given in given.items():
        if is_given and name not in query.parameters:
            raise UsageProblem(f"--{name} does nothing for {what}", "leave it out")


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise UsageProblem(f"--zone: {name!r} is no zone", "name one such as Europe/London") from problem
