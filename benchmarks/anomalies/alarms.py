"""`python -m benchmarks.anomalies FILE…`: anomalies per meter and year in files of real meters.

Nothing is injected: each is something that a meter did, and what is `high` would raise an alert. So these are
the false alarms that a user with such meters has to expect, at most. It draws how they spread over the year.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from benchmarks.anomalies.judged import Found, judge, policy_of
from gridwatch.domain.anomalies.anomaly import KINDS, Anomaly
from gridwatch.domain.policy import DAY, MINUTE
from gridwatch.plots.canvas import Frame
from gridwatch.plots.charts import Layer, layered
from gridwatch.plots.style import STYLE

_JUDGED = {"15m": 15 * MINUTE, "1m": MINUTE, "reading": None}
_TONES = {"SPIKE": "spike", "DROP": "drop", "LEVEL_SHIFT": "level-shift", "REVERSE_FLOW": "reverse-flow"}
_WEEK = 7 * DAY


@click.command(epilog="Example:  python -m benchmarks.anomalies --timezone Europe/Berlin LoadProfile.csv")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--timezone", default="UTC", show_default=True, help="Zone of the hours and days of the meters."
)
@click.option(
    "--judged", type=click.Choice(list(_JUDGED)), default="15m", show_default=True, help="What is judged."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw them by week into this SVG file.")
def main(files: tuple[Path, ...], timezone: str, judged: str, plot: Path | None) -> None:
    """Count the anomalies in files of real meters, per meter and year."""
    found = judge(files, policy_of(timezone, _JUDGED[judged]))
    click.echo(
        f"{found.meters} meters, {found.readings:,} readings, {found.years:.1f} meter-years,"
        f" {len(found.anomalies)} anomalies"
    )
    click.echo(f"{'per meter and year':<18} {'high':>8} {'low':>8}")
    for kind in KINDS:
        counts = Counter(one.confidence for one in found.anomalies if one.kind == kind)
        if counts:
            click.echo(f"{kind:<18} {counts['high'] / found.years:8.2f} {counts['low'] / found.years:8.2f}")
    totals = Counter(one.confidence for one in found.anomalies)
    click.echo(f"{'all':<18} {totals['high'] / found.years:8.2f} {totals['low'] / found.years:8.2f}")
    if plot is not None:
        plot.write_text(drawn(found), encoding="utf-8")
        click.echo(f"written: {plot}")


def drawn(found: Found) -> str:
    """The sure ones by week and kind, as a plot of its own."""
    sure = [one for one in found.anomalies if one.confidence == "high"]
    weeks = {one.start - one.start % _WEEK for one in sure}
    layers = [Layer(kind, _by_week(sure, kind, found.meters), _TONES.get(kind, "run")) for kind in KINDS]
    frame = Frame(
        "Anomalies of high confidence in the data of real meters",
        "per meter and week",
        min(weeks, default=0),
        max(weeks, default=0) + _WEEK,
        width=900,
        height=260,
    )
    svg = layered(frame, [layer for layer in layers if layer.points], _WEEK, stacked=True)
    return (
        str(svg)
        .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        .replace(">", f"><style>{STYLE}</style>", 1)
    )


def _by_week(sure: list[Anomaly], kind: str, meters: int) -> list[tuple[int, float]]:
    counts = Counter(one.start - one.start % _WEEK for one in sure if one.kind == kind)
    return [(week, counts[week] / meters) for week in sorted(counts)]
