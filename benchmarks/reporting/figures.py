"""`python -m benchmarks.reporting.figures`: regenerates docs/speed.md and docs/capacity.md from kept results.

As in the other pages, a table is between `<!-- table: NAME -->` and `<!-- end -->`. A table without results
names the command that measures them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.race.contestants import CONTESTANTS
from benchmarks.race.environments import ROOT
from benchmarks.reporting import capacity, published, report
from benchmarks.windows.contestants import CONTESTANTS as WINDOWS
from docs import marked

PAGES = (ROOT / "docs" / "speed.md", ROOT / "docs" / "capacity.md")
_MEBIBYTE = 1024 * 1024


def race() -> str:
    """The comparison, input by input."""
    return _comparison("race", "make bench")


def windows() -> str:
    """That of sums by minute."""
    return _comparison("windows", "make bench-windows")


def _comparison(name: str, command: str) -> str:
    kept = published.kept(name)
    if not kept:
        return _nothing(f"{command} ARGS=--keep")
    tables = [report.markdown(one) for one in kept["comparisons"]]
    image = _image(name, "Readings per CPU-second of each contestant, the floor being 1")
    return f"{report.where(kept['machine'])}.\n\n" + "\n".join(tables) + image


def contestants() -> str:
    """With what each of them runs."""
    return report.settings_table(CONTESTANTS)


def windows_contestants() -> str:
    """Likewise, for sums by minute."""
    return report.settings_table(WINDOWS)


def windows_pair() -> str:
    """Meters without windows: the speed with windows by that without."""
    kept = published.kept("windows-pair")
    if not kept:
        return _nothing("make bench-pair ARGS=--keep")
    inputs = kept["inputs"]
    head = ["of the speed without", *(f"{one['meters']:,} meters" for one in inputs)]
    rows = [
        [f"with {name}", *(str(report.Spread(**one["ratios"][name])) for one in inputs)]
        for name in inputs[0]["ratios"]
    ]
    return f"{report.where(kept['machine'])}, {kept['rounds']} rounds.\n\n{marked.table(head, rows)}"


def profile() -> str:
    """µs of CPU for each reading by stage."""
    kept = published.kept("profile")
    if not kept:
        return _nothing("make profile ARGS=--keep")
    profiles = kept["profiles"]
    head = ["stage", "what it is", *(f"{one['meters']:,} meters" for one in profiles)]
    stages = [
        [stage, meaning, *(f"{one['stages'][stage]:.2f} µs" for one in profiles)]
        for stage, meaning in kept["meaning"].items()
    ]
    total = ["all", "", *(f"{sum(one['stages'].values()):.2f} µs" for one in profiles)]
    loads = ", ".join(f"{one['load']:.1f}" for one in profiles)
    table = marked.table(head, [*stages, total])
    image = _image("profile", "CPU time of the worker by stage")
    return f"{report.where(kept['machine'])}; load before: {loads}.\n\n{table}{image}"


def scale() -> str:
    """Cost, memory and start time by number of meters."""
    kept = published.kept("scale")
    if not kept:
        return _nothing("make bench-scale ARGS=--keep")
    starts = {one["meters"]: one for one in kept["starts"]}
    rows = []
    for point in kept["by_meters"]:
        start = starts.get(point["meters"])
        rows.append(
            [
                f"{point['meters']:,}",
                f"{point['cost']:.1f} µs",
                f"{point['memory'] / _MEBIBYTE:,.0f} MiB",
                f"{start['changelog']:.1f} s" if start else "–",
                f"{start['local']:.1f} s" if start else "–",
                f"{point['load']:.1f}",
            ]
        )
    costs = [point["cost"] for point in kept["by_meters"]]
    head = ["meters", "CPU a reading", "memory", "start from the changelog alone", "from local state", "load"]
    worst = f"The dearest costs {max(costs) / min(costs):.2f} times the cheapest."
    image = _image("scale", "Cost of a reading as meters grow")
    return f"{report.where(kept['machine'])}. {worst}\n\n{marked.table(head, rows)}{image}"


def partitions() -> str:
    """Cost as partitions grow."""
    kept = published.kept("scale")
    if not kept:
        return _nothing("make bench-scale ARGS=--keep")
    rows = [
        [
            f"{point['partitions']}",
            f"{point['cost']:.1f} µs",
            f"{point['memory'] / _MEBIBYTE:,.0f} MiB",
            f"{point['load']:.1f}",
        ]
        for point in kept["by_partitions"]
    ]
    image = _image("partitions", "Cost of a reading as partitions grow")
    return marked.table(["partitions", "CPU a reading", "memory", "load"], rows) + image


def latency() -> str:
    """From sent to validated, and to the database."""
    kept = published.kept("latency")
    if not kept:
        return _nothing("make bench-latency ARGS=--keep")
    ways = {"to the validated record": kept["validated"], "to the committed database row": kept["database"]}
    return _latencies("from sent", ways, kept["machine"])


def windows_latency() -> str:
    """From the end of a minute to its rows."""
    kept = published.kept("windows-latency")
    if not kept:
        return _nothing("make bench-rows ARGS=--keep")
    return _latencies(
        "from the reading that ends a minute", {"to the row of a meter": kept["rows"]}, kept["machine"]
    )


def _latencies(start: str, ways: Mapping[str, Any], machine: Mapping[str, Any]) -> str:
    rows = [
        [
            way,
            f"{found['rate']:,.0f}",
            f"{found['p50']:,.0f} ms",
            f"{found['p99']:,.0f} ms",
            f"{found['worst']:,.0f} ms",
            f"{found['load']:.1f}",
        ]
        for way, found in ways.items()
    ]
    head = [start, "readings a second", "p50", "p99", "longest", "load"]
    return f"{report.where(machine)}.\n\n" + marked.table(head, rows)


def reckoning() -> str:
    """The capacity page's lines."""
    results = [published.kept(name) for name in ("scale", "latency", "sink")]
    if not all(results):
        return _nothing("make bench-scale, bench-latency and bench-sink, each with ARGS=--keep")
    lines = capacity.calculate(capacity.measured(*results), capacity.Assumptions())
    text = []
    for subject, steps in lines.items():
        rows = [[step.what, step.how, f"**{step.result}**"] for step in steps]
        text.append(f"### {subject.capitalize()}\n\n" + marked.table(["", "from", ""], rows))
    return "\n".join(text)


def assumptions() -> str:
    """What is chosen, not measured."""
    return marked.table(["assumption", "value"], capacity.assumptions_table(capacity.Assumptions()))


TABLES: dict[str, Callable[[], str]] = {
    "race": race,
    "contestants": contestants,
    "profile": profile,
    "scale": scale,
    "partitions": partitions,
    "latency": latency,
    "windows": windows,
    "aggregators": windows_contestants,
    "rows": windows_latency,
    "pair": windows_pair,
    "reckoning": reckoning,
    "assumptions": assumptions,
}


def renewed(page: str) -> str:
    """The page with its tables as the kept results have them. KeyError for a table that there is not."""
    return marked.renewed(page, TABLES)


def renew() -> None:
    """Regenerate the pages."""
    marked.renew(PAGES, TABLES)


def _image(name: str, words: str) -> str:
    """The plot that was kept with the results."""
    return f"\n![{words}](images/speed-{name}.svg)\n"


def _nothing(command: str) -> str:
    return f"Nothing is kept yet: `{command}`.\n"


if __name__ == "__main__":
    renew()
