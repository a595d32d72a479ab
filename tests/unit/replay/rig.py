"""A replay without files and broker: rows in; the sequence, its truth, and what the rules report, out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.measuring import in_process
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import Policy
from replay.faults import FaultPlan, Faults
from replay.faults.base.given import giving
from replay.files.rows import Row
from replay.order.emission import EmissionPlan, Item, emit
from replay.scoring.score import Found, Score, score
from replay.sending.placement import Placement
from replay.truth.findings import Finding
from replay.truth.manifest import Manifest
from replay.truth.perfect_detector import Truth

#: Files made after public reports of wrong numbers.
CASES = Path(__file__).parent / "cases"

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(clock: str, day: int = 1) -> int:
    """`10:30` on a day of January 2024, in µs."""
    return parse_instant(f"2024-01-{day:02d}T{clock}Z")[0]


def row(meter: str, time: int, kwh: float = 1.0, given: int = 0) -> Row:
    return time, meter, kwh, given, f',"interval_minutes":{given}' if given else ""


def row_giving(meter: str, time: int, kwh: float, interval: int) -> Row:
    """A reading that gives an interval in µs; 0 for none."""
    return (time, meter, kwh, *giving(interval, "")) if interval else row(meter, time, kwh)


def every(minutes: int, meter: str, start: int, count: int, without: Iterable[int] = ()) -> list[Row]:
    """`count` slots of a meter, without the ones of these numbers."""
    left_out = set(without)
    return [row(meter, start + n * minutes * MINUTE) for n in range(count) if n not in left_out]


def sequence(
    rows: Iterable[Row], faults: FaultPlan | None = None, policy: Policy | None = None, **plan: Any
) -> list[Item]:
    policy = policy or Policy()
    ordered = sorted(rows, key=lambda one: one[:2]) if plan.get("by_time", True) else list(rows)
    fates = Faults(faults or FaultPlan())
    return list(emit([ordered], fates, EmissionPlan(policy.max_out_of_orderness, policy.grace, **plan)))


def findings(items: Iterable[Item], policy: Policy | None = None) -> list[Finding]:
    policy = policy or Policy()
    found: list[Finding] = []
    truth = Truth(policy, Placement(policy.partitions).partition, found.append, in_process.APPENDED)
    for item in items:
        truth.see(item)
    truth.finish()
    return found


def manifest(items: list[Item], folder: Path, policy: Policy | None = None) -> Manifest:
    """The truth, written and read back."""
    return in_process.manifest(items, policy or Policy(), folder)


def detected(items: Iterable[Item], policy: Policy | None = None) -> Found:
    """What the real rules report for the sequence."""
    return in_process.detected(items, policy or Policy())


def scored(items: list[Item], folder: Path, policy: Policy | None = None) -> Score:
    return score(manifest(items, folder, policy), detected(items, policy))
