"""`gridwatch score`: the contents of the database against the truth manifest of a replay."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gridwatch.cli.scoring.anomalies import score_anomalies
from gridwatch.cli.scoring.database import detected, nearby_readings
from gridwatch.cli.scoring.page import write_page
from gridwatch.cli.scoring.sums import score_sums
from gridwatch.cli.scoring.text import text
from gridwatch.errors import GridwatchError
from gridwatch.settings import load_settings
from gridwatch.topics import flow
from replay.scoring.score import score
from replay.truth.manifest import read_manifest
from sinks.database import connect

_RATE = click.FloatRange(0, 1)


@click.command(
    epilog="Example:  gridwatch score truth.jsonl --html score.html --min-recall 1",
    short_help="Compare what was detected with the injected truth.",
)
@click.argument("truth", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a self-contained page with plots to this file.",
)
@click.option("--database-url", help="Database to score. Default: GRIDWATCH_DATABASE_URL.")
@click.option("--min-precision", type=_RATE, help="Exit 1 if the overall precision is below this.")
@click.option("--min-recall", type=_RATE, help="Exit 1 if the overall recall is below this.")
@click.option(
    "--show",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Differences to list with the readings around them; 0 lists all.",
)
def command(
    *,
    truth: Path,
    as_json: bool,
    html: Path | None,
    database_url: str | None,
    min_precision: float | None,
    min_recall: float | None,
    show: int,
) -> None:
    """Compare what the database has of the flow with the manifest that `replay --truth` wrote.

    Gaps, late events, late and revised readings, dead letters: precision, recall, edges, time to detect,
    false alarms, by kind of fault, and every difference; and whether windows and regions are exactly what
    the stored readings add up to; and of injected anomalies, how many were found where the definition
    decides. docs/scoring.md defines each figure.
    The flow is the one that GRIDWATCH_FLOW names.
    Exit 0 whenever it could be scored, unless --min-precision or --min-recall is not reached.
    """
    settings = load_settings(**({"database_url": database_url} if database_url else {}))
    manifest = read_manifest(truth)
    with connect(settings.database) as connection:
        replayed = flow(settings.flow)
        found = detected(connection, manifest, replayed)
        result = score(manifest, found)
        shown = result.differences[: show or None]
        named = [(one, nearby_readings(connection, one, replayed)) for one in shown]
        sums = score_sums(connection, manifest, settings)
        anomalies = score_anomalies(connection, manifest, settings)
    if html is not None:
        write_page(html, manifest, found, result, named, sums=sums, anomalies=anomalies)
    if as_json:
        data = result.as_dict()
        for line, (_, readings) in zip(data["differences"], named, strict=False):
            line["readings"] = [reading.as_dict() for reading in readings]
        data["sums"] = sums.as_dict()
        if anomalies is not None:
            data["anomalies"] = anomalies.as_dict()
        click.echo(json.dumps(data))
    else:
        click.echo(text(result, named, sums, anomalies, show))
    for name, least, reached in (
        ("precision", min_precision, result.overall.precision),
        ("recall", min_recall, result.overall.recall),
    ):
        if least is not None and reached < least:
            raise GridwatchError(f"{name} is {reached:.4f}, less than --min-{name} {least}")
