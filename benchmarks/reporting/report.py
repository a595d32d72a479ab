"""The report of a comparison: the figures as ratios with their spread, as JSON, Markdown and a plot.

A ratio is computed within a round, and the median of the rounds is shown with the minimum and the maximum:
within a round all contestants have the same machine load. The marginal rate is that between two sizes of
input, so that neither the start nor the end counts.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measuring.percentiles import Latency
from benchmarks.race.contestants import Contestant
from benchmarks.race.environments import pins_of
from benchmarks.race.race import Result
from benchmarks.reporting import charts

_MEBIBYTE = 1024 * 1024
#: Starts alone differ by this much CPU time.
_NOISE_SECONDS = 0.5


@dataclass(frozen=True)
class Spread:
    """A median with the minimum and maximum."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """The median of some values, at least one."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours by theirs, round by round."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])


def marginal(small: Sequence[Result], large: Sequence[Result]) -> float | None:
    """Readings per CPU-second between the two sizes; None where the difference is within the noise."""
    cpu = statistics.median(r.cpu for r in large) - statistics.median(r.cpu for r in small)
    more = large[0].readings - small[0].readings
    return more / cpu if cpu > _NOISE_SECONDS and more > 0 else None


@dataclass(frozen=True)
class Comparison:
    """All measurements on one input. Results by contestant, in order of rounds."""

    meters: int
    readings: int
    partitions: int
    contestants: Sequence[Contestant]
    small: Mapping[str, Sequence[Result]]
    large: Mapping[str, Sequence[Result]]
    latencies: Mapping[str, Latency]
    #: Why a contestant is missing.
    left_out: Mapping[str, str]

    def rows(self) -> list[dict[str, Any]]:
        """One row per contestant.

        `of_floor`, `gridwatch_is` and `compiled_is` (how many times as fast) are ratios of rates.
        `wall_of_cpu` is how near its readings a second come to its readings a CPU-second, once started.
        """
        rates = {name: [one.rate for one in runs] for name, runs in self.large.items()}
        compiled = rates.get("gridwatch-compiled")
        rows = []
        for contestant in self.contestants:
            if contestant.name not in self.large:
                continue
            runs, latency = self.large[contestant.name], self.latencies.get(contestant.name)
            rows.append(
                {
                    "contestant": contestant.name,
                    "title": contestant.title,
                    "readings": runs[0].readings,
                    "rate": asdict(spread(rates[contestant.name])),
                    "of_floor": asdict(ratios(rates[contestant.name], rates["floor"])),
                    "gridwatch_is": asdict(ratios(rates["gridwatch"], rates[contestant.name])),
                    "compiled_is": asdict(ratios(compiled, rates[contestant.name])) if compiled else None,
                    "marginal_rate": marginal(self.small[contestant.name], runs),
                    "wall_rate": asdict(spread([one.wall_rate for one in runs])),
                    "wall_of_cpu": statistics.median(one.wall_rate / one.running_rate for one in runs),
                    "start_cpu_seconds": statistics.median(one.start_cpu for one in runs),
                    "start_seconds": statistics.median(one.start_wall for one in runs),
                    "memory_mib": statistics.median(one.memory for one in runs) / _MEBIBYTE,
                    "latency": asdict(latency) if latency else None,
                }
            )
        return rows

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON data."""
        return {
            "meters": self.meters,
            "readings": self.readings,
            "partitions": self.partitions,
            "rounds": len(next(iter(self.large.values()))),
            "left_out": dict(self.left_out),
            "rows": self.rows(),
            "runs": [
                asdict(run) for runs in (self.small, self.large) for one in runs.values() for run in one
            ],
        }


def machine() -> dict[str, Any]:
    """The machine, the date and the load of the figures."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model
        )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": model,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def where(site: Mapping[str, Any]) -> str:
    """The machine in one sentence."""
    return (
        f"{site['date']}, {site['cores']} cores of {site['processor']}, {site['system']}, "
        f"Python {site['python']}"
    )


def markdown(comparison: Mapping[str, Any]) -> str:
    """The table of one comparison, from its JSON."""
    runs = comparison["runs"]
    loads = sorted(run["load"] for run in runs)
    lines = [
        f"{comparison['readings']:,} readings of {comparison['meters']:,} meters, {comparison['partitions']} "
        f"partitions, {comparison['rounds']} interleaved rounds; load of the machine before a run "
        f"{loads[0]:.1f} to {loads[-1]:.1f}.",
        "",
        "| | readings a CPU-second | of the floor | gridwatch is … times as fast | compiled … times | "
        "between two sizes | readings a second (of its CPU rate) | start, CPU-s | memory, MiB | "
        "latency p50 / p99, ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in comparison["rows"]:
        latency = row["latency"]
        cells = [
            row["title"],
            f"{row['rate']['median']:,.0f}",
            str(Spread(**row["of_floor"])),
            str(Spread(**row["gridwatch_is"])),
            str(Spread(**row["compiled_is"])) if row["compiled_is"] else "–",
            f"{row['marginal_rate']:,.0f}" if row["marginal_rate"] else "–",
            f"{row['wall_rate']['median']:,.0f} ({row['wall_of_cpu']:.2f})",
            f"{row['start_cpu_seconds']:.1f}",
            f"{row['memory_mib']:,.0f}",
            f"{latency['p50']:,.0f} / {latency['p99']:,.0f} at {latency['rate']:,.0f}/s" if latency else "–",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for name, reason in comparison["left_out"].items():
        lines += ["", f"Left out: {name} ({reason})."]
    return "\n".join(lines) + "\n"


def settings_table(contestants: Sequence[Contestant]) -> str:
    """The packages and settings of each contestant."""
    lines = ["| contestant | packages | settings | part of the input |", "| --- | --- | --- | --- |"]
    for one in contestants:
        pins = ", ".join(pins_of(one.environment)) if one.environment else "those of constraints.txt"
        lines.append(f"| {one.title} | {pins} | {one.settings} | {one.share:.0%} |")
    return "\n".join(lines) + "\n"


def picture(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """Each contestant's part of the floor, a bar for each input."""
    titles = {row["contestant"]: row["title"] for one in comparisons for row in one["rows"]}
    by_name = [{row["contestant"]: row["of_floor"] for row in one["rows"]} for one in comparisons]
    rows = []
    for name, title in titles.items():
        found = [of_floor.get(name) for of_floor in by_name]
        rows.append(
            (title, [charts.Value(one["median"], one["low"], one["high"]) if one else None for one in found])
        )
    series = [f"{one['meters']:,} meters" for one in comparisons]
    return charts.bars("Readings per CPU-second", "the plain confluent-kafka loop = 1", series, rows)
