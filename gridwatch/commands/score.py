"""`gridwatch score`: gap alerts and late events in the database against the truth manifest of a replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click
from sqlalchemy import Connection, select

from gridwatch.errors import GridwatchError
from gridwatch.settings import load_settings
from replay.manifest import Manifest, read_manifest
from replay.scoring import FoundGap, FoundLate, Rates, Score, score
from sinks.database import connect
from sinks.schema import gap_alerts, late_events

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ROWS_AT_ONCE = 10_000
_RATE = click.FloatRange(0, 1)


@click.command(
    epilog="Example:  gridwatch score truth.jsonl --min-recall 1",
    short_help="Hold what was detected against the injected truth.",
)
@click.argument("truth", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--database-url", help="Database to score; GRIDWATCH_DATABASE_URL if left out.")
@click.option("--min-precision", type=_RATE, help="Exit 1 if the overall precision is below this.")
@click.option("--min-recall", type=_RATE, help="Exit 1 if the overall recall is below this.")
@click.option(
    "--show", type=click.IntRange(0), default=20, show_default=True, help="Differences to name; 0 names all."
)
def command(
    *,
    truth: Path,
    as_json: bool,
    database_url: str | None,
    min_precision: float | None,
    min_recall: float | None,
    show: int,
) -> None:
    """Compare gap alerts and late events in the database with the manifest that `replay --truth` wrote.

    Precision, recall and every difference by name. Exit 0 whenever it could be scored, unless
    --min-precision or --min-recall asks for more.
    """
    settings = load_settings(**({"database_url": database_url} if database_url else {}))
    result = score_database(read_manifest(truth), settings.database)
    click.echo(json.dumps(result.as_dict()) if as_json else _text(result, show))
    for name, least, reached in (
        ("precision", min_precision, result.overall.precision),
        ("recall", min_recall, result.overall.recall),
    ):
        if least is not None and reached < least:
            raise GridwatchError(f"{name} is {reached:.3f}, less than --min-{name} {least}")


def score_database(truth: Manifest, url: str) -> Score:
    """Score what the database at `url` holds. GridwatchError when it cannot be read."""
    with connect(url) as connection:
        return score(truth, _gaps(connection, truth), _late(connection, truth))


def _gaps(connection: Connection, truth: Manifest) -> Iterator[FoundGap]:
    table = gap_alerts.c
    query = select(
        table.meter_id,
        table.missing_from,
        table.missing_to,
        table.missing_intervals,
        table.state,
        table.detected_at,
    ).where(table.time >= _moment(truth.first))
    if truth.settled_to is not None:
        query = query.where(table.time <= _moment(truth.settled_to))
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield FoundGap(
            row.meter_id,
            _micros(row.missing_from),
            _micros(row.missing_to),
            row.missing_intervals,
            row.state,
            _micros(row.detected_at),
        )


def _late(connection: Connection, truth: Manifest) -> Iterator[FoundLate]:
    table = late_events.c
    query = select(table.meter_id, table.time).where(
        table.time >= _moment(truth.first), table.time <= _moment(truth.last)
    )
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield FoundLate(row.meter_id, _micros(row.time))


def _moment(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _text(result: Score, show: int) -> str:
    lines = [f"{'':<13}{'expected':>9}{'found':>9}{'matched':>9}{'precision':>11}{'recall':>9}"]
    lines += [
        _row(name, rates)
        for name, rates in (("gaps", result.gaps), ("late events", result.late), ("overall", result.overall))
    ]
    if result.unjudged:
        lines.append(
            f"not judged: {result.unjudged:,} (before a meter's grid was known, or outside of the replay)"
        )
    named = result.differences[: show or None]
    lines += [str(difference) for difference in named]
    if len(result.differences) > len(named):
        lines.append(f"… and {len(result.differences) - len(named):,} more (--show 0 names all)")
    return "\n".join(lines)


def _row(name: str, rates: Rates) -> str:
    counts = f"{rates.expected:>9,}{rates.found:>9,}{rates.matched:>9,}"
    return f"{name:<13}{counts}{rates.precision:>11.3f}{rates.recall:>9.3f}"
