"""Windows and regions in the database against what its readings say that they must be.

Windows are judged from the first reading of the replay up to where it was settled, quarters of regions once
they are final. What cannot be told from the readings is counted as not judged (`windows.py`, `quarters.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from gridwatch.cli.scoring.quarters import QUARTER, Quarters
from gridwatch.cli.scoring.readings import Reading
from gridwatch.cli.scoring.stored import Stored, anchors
from gridwatch.cli.scoring.windows import Window, Windows, windows_of
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import MINUTE
from gridwatch.settings import Settings
from replay.truth.manifest import Manifest
from sinks.tables.aggregates import aggregates_1m, aggregates_15m

#: The windows by their length.
TABLES = {MINUTE: aggregates_1m, QUARTER: aggregates_15m}
_NAMES = {MINUTE: "windows of 1 min", QUARTER: "windows of 15 min"}
REGIONS = "quarters of regions"
#: Differences that are kept to be named.
_MOST_NAMED = 1000


@dataclass
class Tally:
    """How many rows were judged, and how many of them are exactly what they must be."""

    judged: int = 0
    exact: int = 0
    missing: int = 0
    extra: int = 0
    wrong: int = 0
    unjudged: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = (
            ("missing", self.missing), ("wrong", self.wrong), ("too many", self.extra),
            ("not judged", self.unjudged),
        )  # fmt: skip
        others = "".join(f", {count:,} {kind}" for kind, count in kinds if count)
        return f"{self.exact:,} of {self.judged:,} exact{others}"

    def take(self, name: str, expected: Mapping[str, Any] | None, found: Mapping[str, Any] | None) -> None:
        """Judge one row: what it must be against what it is; None where there is to be none, or is none."""
        self.judged += 1
        if expected is None:
            self.extra += 1
            problem = "there is to be none"
        elif found is None:
            self.missing += 1
            problem = "missing"
        else:
            problem = ", ".join(
                f"{key} {found[key]} instead of {value}"
                for key, value in expected.items()
                if found[key] != value
            )
            self.wrong += bool(problem)
            self.exact += not problem
        if problem and len(self.differences) < _MOST_NAMED:
            self.differences.append(f"{name}: {problem}")

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        counts = ("judged", "exact", "missing", "extra", "wrong", "unjudged")
        return {**{name: getattr(self, name) for name in counts}, "differences": self.differences}


@dataclass
class Sums:
    """The tallies by what they are of, in the order in which they are shown."""

    parts: dict[str, Tally] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether every row that was judged is what it must be."""
        return all(part.exact == part.judged for part in self.parts.values())

    @property
    def differences(self) -> list[str]:
        """Those of all parts."""
        return [difference for part in self.parts.values() for difference in part.differences]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {name: part.as_dict() for name, part in self.parts.items()}


def score_sums(connection: Connection, truth: Manifest, settings: Settings) -> Sums:
    """Judge the windows of the settings' flow, and the regions if it is the only flow that takes part."""
    policy = settings.policy()
    lateness = policy.allowed_lateness
    parts = {length: Tally() for length in policy.windows}
    quarters = Quarters(lateness) if settings.region_flows == (settings.flow,) else None
    judge = _Judge(truth, settings.flow, lateness)
    stored = Stored(connection, settings.flow, judge.first - lateness, judge.until)
    at_end = anchors(connection)
    rows = merge(*(_rows(stored, length) for length in (0, *parts)), key=itemgetter(0))
    for meter, found in groupby(rows, key=itemgetter(0)):
        own: list[Reading] = []
        of_length: dict[int, dict[int, Any]] = {length: {} for length in parts}
        for _, length, row in found:
            if length:
                of_length[length][row["start"]] = row
            else:
                own.append(row)
        end_anchor = at_end.get(meter, policy.anchor) == "end"
        if own and quarters is not None:
            quarters.add(own, end_anchor=end_anchor)
        for length, part in parts.items():
            must = windows_of(own, length, lateness, end_anchor=end_anchor) if own else None
            judge.windows(part, meter, length, must, of_length[length])
    result = Sums({_NAMES[length]: part for length, part in parts.items()})
    if quarters is not None:
        result.parts[REGIONS] = judge.regions(quarters, stored)
    return result


def _rows(stored: Stored, length: int) -> Iterator[tuple[str, int, Any]]:
    """(meter, length, row) of all windows of a length, by meter; with 0 of all readings."""
    rows = stored.windows(TABLES[length]) if length else stored.readings()
    return ((meter, length, row) for meter, row in rows)


class _Judge:
    """What is judged of a replay."""

    def __init__(self, truth: Manifest, flow: str, lateness: int) -> None:
        self.first = truth.first - truth.first % QUARTER
        self.until = truth.first if truth.settled_to is None else truth.settled_to
        self._flow = flow
        self._lateness = lateness

    def windows(
        self, part: Tally, meter: str, length: int, must: Windows | None, found: Mapping[int, Any]
    ) -> None:
        """Judge the windows of one meter."""
        expected = {} if must is None else must.of
        for start in sorted(expected.keys() | found.keys()):
            if start < self.first or start + length > self.until:
                continue
            if must is not None and not must.judges(start):
                part.unjudged += 1
                continue
            window, row = expected.get(start), found.get(start)
            name = f"{meter}@{format_instant(start)}/{length // MINUTE}m"
            if window is None:
                part.take(name, None, row)
            else:
                powerless = must is not None and start in must.powerless
                part.take(name, _fields(window, row, powerless=powerless), row)

    def regions(self, quarters: Quarters, stored: Stored) -> Tally:
        """Judge the quarters of all regions."""
        part = Tally()
        rows = {(row["region"], row["start"]): row for row in stored.quarters()}
        for region, start in sorted(quarters.energy.keys() | rows.keys()):
            if start < self.first or start + QUARTER + self._lateness > self.until:
                continue
            row = rows.get((region, start))
            if (region, start) in quarters.unjudged or (row is not None and row["state"] != "FINAL"):
                part.unjudged += 1
                continue
            energy = quarters.energy.get((region, start), 0)
            part.take(f"{region}@{format_instant(start)}", {"energy_kwh_sum": energy / 1e9}, row)
        return part


def _fields(window: Window, row: Mapping[str, Any] | None, *, powerless: bool) -> dict[str, Any]:
    """What the row of a window must have. Its completeness has to fit its own counts."""
    average, lowest, highest = window.power
    power = {"power_kw_avg": average, "power_kw_min": lowest, "power_kw_max": highest}
    expected = None if row is None else row["expected_readings"]
    return {
        "reading_count": window.readings,
        "energy_kwh_sum": window.energy,
        **({} if powerless else power),
        "voltage_avg": window.voltage,
        "current_avg": window.current,
        "power_factor_avg": window.power_factor,
        "completeness": min(1.0, round(10_000 * window.readings / expected) / 10_000) if expected else None,
    }
