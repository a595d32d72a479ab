"""A replay without files and broker: rows in; the sequence, its truth, and what the rules report, out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gridwatch import topics
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.partition import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.processor import Processor
from gridwatch.domain.reading import LogRecord
from gridwatch.models.wire import encode_outputs
from replay.emission import EmissionPlan, Item, Kind, emit
from replay.faults import FaultPlan, Faults
from replay.findings import Finding
from replay.manifest import Manifest, ManifestWriter, read_manifest
from replay.placement import Placement
from replay.rows import Row
from replay.scoring import Found, FoundGap, FoundLate, Score, score
from replay.truth import Truth

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(clock: str, day: int = 1) -> int:
    """`10:30` on a day of January 2024, in µs."""
    return parse_instant(f"2024-01-{day:02d}T{clock}Z")[0]


def row(meter: str, time: int, kwh: float = 1.0, given: int = 0) -> Row:
    return time, meter, kwh, given, f',"interval_minutes":{given}' if given else ""


def every(minutes: int, meter: str, start: int, count: int, without: Iterable[int] = ()) -> list[Row]:
    """`count` slots of a meter, without the ones of these numbers."""
    left_out = set(without)
    return [row(meter, start + n * minutes * MINUTE) for n in range(count) if n not in left_out]


def sequence(
    rows: Iterable[Row], faults: FaultPlan | None = None, policy: Policy | None = None, **plan: bool
) -> list[Item]:
    policy = policy or Policy()
    ordered = sorted(rows) if plan.get("by_time", True) else list(rows)
    fates = Faults(faults or FaultPlan())
    return list(emit([ordered], fates, EmissionPlan(policy.max_out_of_orderness, policy.grace, **plan)))


def findings(items: Iterable[Item], policy: Policy | None = None) -> list[Finding]:
    policy = policy or Policy()
    found: list[Finding] = []
    truth = Truth(policy, Placement(policy.partitions).partition, found.append)
    for item in items:
        truth.see(item)
    truth.finish()
    return found


def manifest(items: list[Item], folder: Path, policy: Policy | None = None) -> Manifest:
    """The truth, written and read back."""
    policy = policy or Policy()
    times = [item.row[0] for item in items if item.row and item.kind is Kind.READING] or [0]
    with ManifestWriter(folder / "truth.jsonl") as writer:
        truth = Truth(policy, Placement(policy.partitions).partition, writer.report)
        for item in items:
            truth.see(item)
        truth.finish()
        head = {
            "first": format_instant(min(times)),
            "last": format_instant(max(times)),
            "settled_to": None if truth.settled_to is None else format_instant(truth.settled_to),
            "grace_seconds": policy.grace / SECOND,
            "meter_count": truth.meters,
            "overtaken": truth.overtaken,
        }
        writer.close(head)
    return read_manifest(folder / "truth.jsonl")


def logs(items: Iterable[Item], partitions: int) -> list[list[LogRecord]]:
    """The raw partitions that the sequence makes."""
    placement = Placement(partitions)
    made: list[list[LogRecord]] = [[] for _ in range(partitions)]

    def append(partition: int, value: str, tick: bool, encoding: str = "utf-8") -> None:
        log = made[partition]
        log.append(LogRecord(len(log), at("00:00", 31) * 2, value.encode(encoding), tick, True))

    for item in items:
        if item.kind is Kind.WITHHELD:
            continue
        if item.row is None:
            for partition in range(partitions):
                append(partition, format_instant(item.instant), True)
        elif item.kind is Kind.GARBAGE:
            append(placement.partition(item.row[1]), item.row[4], False, "latin-1")
        else:
            time, meter, kwh, given, _ = item.row
            reading: dict[str, Any] = {
                "meter_id": meter,
                "timestamp": format_instant(time),
                "consumption_kwh": kwh,
            }
            append(
                placement.partition(meter),
                json.dumps(reading | ({"interval_minutes": given} if given else {})),
                False,
            )
    return made


def detected(items: Iterable[Item], policy: Policy | None = None) -> Found:
    """What the real rules report for the sequence: last revisions of gaps, late events, and so on."""
    policy = policy or Policy()
    gaps: dict[str, FoundGap] = {}
    found = Found()
    refused: Counter[tuple[str, str]] = Counter()
    for partition, log in enumerate(logs(items, policy.partitions)):
        outcome = Processor(policy, PartitionState(partition), {}).process(log)
        for topic, messages in encode_outputs(outcome.outputs).items():
            for record in (json.loads(value) for _, value in messages):
                if topic == topics.GAP_ALERTS.name:
                    gaps[record["gap_id"]] = FoundGap(
                        record["meter_id"],
                        _micros(record["missing_from"]),
                        _micros(record["missing_to"]),
                        record["missing_intervals"],
                        record["state"],
                        _micros(record["detected_at"]),
                        round(record["interval_minutes"] * MINUTE),
                        tuple((_micros(start), _micros(to)) for start, to in record["missing_ranges"]),
                    )
                elif topic == topics.DEAD_LETTERS.name:
                    refused[record["raw_encoding"], record["raw"]] += 1
                elif topic != topics.METRICS.name:
                    key = record["meter_id"], _micros(record["timestamp"])
                    if topic == topics.LATE_EVENTS.name:
                        found.late.append(FoundLate(*key))
                    else:
                        if record["status"] == "LATE":
                            found.late_readings.add(key)
                        if "REVISED" in record["flags"]:
                            found.revised.add(key)
    found.gaps, found.refused = list(gaps.values()), dict(refused)
    return found


def scored(items: list[Item], folder: Path, policy: Policy | None = None) -> Score:
    return score(manifest(items, folder, policy), detected(items, policy))


def _micros(text: str) -> int:
    return parse_instant(text)[0]
