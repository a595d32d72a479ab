"""A score as one self-contained HTML file with plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gridwatch import __version__
from gridwatch.cli.scoring.anomalies import SEVERITIES, AnomalyScore
from gridwatch.cli.scoring.database import NearbyReading
from gridwatch.cli.scoring.sums import Sums
from gridwatch.cli.scoring.text import figures
from gridwatch.errors import GridwatchError
from gridwatch.http.assets import stylesheet
from gridwatch.plots.axes import DAY, HOUR, MINUTE
from gridwatch.plots.canvas import Frame, Region
from gridwatch.plots.charts import Series, bars, lines
from replay.scoring.score import Difference, Found, Score
from replay.truth.manifest import Manifest

#: Longer replays are drawn by the day.
_HOURLY = 21 * DAY
_MARGIN = 2 * HOUR
#: Windows, regions and anomalies that are named.
_MOST_SUMS = 100


@dataclass(frozen=True)
class Picture:
    """One plot with title and caption."""

    title: str
    svg: Markup
    caption: str


def write_page(
    path: Path,
    truth: Manifest,
    found: Found,
    result: Score,
    named: Sequence[tuple[Difference, Sequence[NearbyReading]]],
    *,
    sums: Sums,
    anomalies: AnomalyScore | None = None,
) -> None:
    """Write the page to `path`. GridwatchError when it cannot be written."""
    environment = Environment(
        loader=PackageLoader("gridwatch.cli.scoring", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    page = environment.get_template(
        "score.html"
    ).render(
        style=Markup(stylesheet()),  # noqa: S704  our own file
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        head=truth.head,
        files=", ".join(map(str, truth.head.get("file", ()))),
        faults=truth.faults,
        score=result,
        parts={**result.parts, "overall": result.overall},
        kinds=sorted((key, rates) for key, rates in result.kinds.items() if rates.expected or rates.found),
        figures=[*figures(result).values(), *(f"{name}: {part}" for name, part in sums.parts.items())],
        sums=sums.differences[:_MOST_SUMS],
        anomalies=anomalies,
        severities=SEVERITIES,
        missed=anomalies.missed[:_MOST_SUMS] if anomalies is not None else [],
        plots=_pictures(truth, found, result),
        differences=[(one, readings, _close_up(one, readings)) for one, readings in named],
        version=__version__,
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as problem:
        raise GridwatchError(
            f"{path}: cannot be written: {problem.strerror}", "name another --html"
        ) from problem


def _pictures(truth: Manifest, found: Found, result: Score) -> list[Picture]:
    """Plots over time: missing slots expected and found, differences, and the time to detect gaps."""
    start, end = truth.first, max(truth.last, truth.settled_to or 0) + 1
    step, unit = (HOUR, "hour") if end - start <= _HOURLY else (DAY, "day")
    start -= start % step

    def frame(title: str, of: str) -> Frame:
        return Frame(title, of, start, end)

    expected = _by(step, ((gap.missing_from, gap.missing_intervals) for gap in truth.gaps), start, end)
    seen = _by(
        step,
        ((gap.missing_from, gap.missing_intervals) for gap in found.gaps if gap.state != "RETRACTED"),
        start,
        end,
    )
    delays: dict[int, float] = {}
    for first, duration in result.detection:
        delays[first - first % step] = max(delays.get(first - first % step, 0.0), duration / MINUTE)
    pictures = [
        Picture(
            "Missing readings, expected and found",
            lines(
                frame("Missing readings, expected and found", f"slots each {unit}"),
                [Series("expected", expected), Series("found", seen)],
            ),
            "By when their gap begins. Where both agree one line hides the other.",
        ),
        Picture(
            "Time to detect",
            bars(frame("Time to detect", "minutes"), sorted(delays.items()), step),
            f"The longest of each {unit}: event time from the first missing slot of a gap to the watermark "
            "that opened it.",
        ),
    ]
    if result.differences:
        differences = _by(step, ((one.start, 1) for one in result.differences), start, end)
        pictures.insert(
            1,
            Picture(
                "Differences over time",
                bars(frame("Differences over time", f"differences each {unit}"), differences, step),
                "Missed, reported otherwise, or false.",
            ),
        )
    return pictures


def _by(step: int, values: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, float]]:
    """Sums of each step from `start` to `end`."""
    sums: Counter[int] = Counter()
    for time, value in values:
        sums[time - time % step] += value
    return [(bucket, float(sums[bucket])) for bucket in range(start, end, step)]


def _close_up(difference: Difference, readings: Sequence[NearbyReading]) -> Markup:
    """A plot of the readings around a difference, its time range shaded."""
    points = [(reading.time, reading.kwh) for reading in readings]
    times = [time for time, _ in points] or [difference.start]
    stretch = max(difference.end, difference.start + MINUTE)
    start, end = min(*times, difference.start) - _MARGIN, max(*times, stretch) + _MARGIN
    apart = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    note = f"expected {difference.expected}, found {difference.found}"
    shaded = Region(difference.start, stretch, "open", note)
    title = f"{difference.meter} around {difference.at}"
    frame = Frame(title, "kWh a reading", start, end, [shaded], height=150)
    return bars(frame, points, min(apart, default=HOUR) // 2)
