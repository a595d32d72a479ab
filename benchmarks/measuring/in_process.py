"""A replay without files and broker: the sequence and its truth, and the rules' results for its records.

The records are those that a replay sends, byte for byte except for headers, and are processed by the worker's
own decoder and rules, partition by partition.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from gridwatch.codecs.decode import decode_readings
from gridwatch.codecs.wire import raw_text
from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import DeadLetter, GapAlert, LateEvent, Metric
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from replay.faults import FaultPlan, Faults
from replay.files.rows import Row
from replay.order.emission import EmissionPlan, Item, Kind, emit
from replay.scoring.score import Found, FoundGap, FoundLate
from replay.sending.placement import Placement
from replay.truth.manifest import Manifest, ManifestWriter, read_manifest
from replay.truth.perfect_detector import Truth

#: The log append time of the records: 2030, later than any of their timestamps.
APPENDED = 1_893_456_000_000_000


def sequence(rows: Sequence[Row], faults: FaultPlan, policy: Policy) -> list[Item]:
    """A replay of `rows`, in order of time."""
    plan = EmissionPlan(policy.max_out_of_orderness, policy.grace)
    return list(emit([list(rows)], Faults(faults), plan))


def manifest(items: Iterable[Item], policy: Policy, folder: Path) -> Manifest:
    """The truth, written to `folder` and read back."""
    with ManifestWriter(folder / "truth.jsonl") as writer:
        truth = Truth(policy, Placement(policy.partitions).partition, writer.report, APPENDED)
        for item in items:
            truth.see(item)
        truth.finish()
        writer.close(truth.head)
    return read_manifest(folder / "truth.jsonl")


def logs(items: Iterable[Item], partitions: int) -> list[list[LogRecord]]:
    """The raw partitions of the sequence."""
    placement = Placement(partitions)
    made: list[list[LogRecord]] = [[] for _ in range(partitions)]
    for item in items:
        row = item.row
        if item.kind is Kind.WITHHELD:
            continue
        if row is None:
            value = format_instant(item.instant).encode()
            end = None if item.end is None else format_instant(item.end).encode()
            for log in made:
                log.append(LogRecord(len(log), APPENDED, value, True, True, end))
            continue
        log = made[placement.partition(row[1])]
        value = row[4].encode("latin-1") if item.kind is Kind.GARBAGE else _record(row)
        log.append(LogRecord(len(log), APPENDED, value, False, True))
    return made


def _record(row: Row) -> bytes:
    time, meter, kwh, _, more = row
    name = json.dumps(meter, ensure_ascii=False)
    return (
        f'{{"meter_id":{name},"timestamp":"{format_instant(time)}","consumption_kwh":{kwh!r}{more}}}'.encode()
    )


def detected(items: Iterable[Item], policy: Policy) -> Found:
    """The worker's results for the sequence: last revisions of gaps, late readings, and so on."""
    gaps: dict[tuple[str, int], FoundGap] = {}
    found = Found()
    refused: Counter[tuple[str, str]] = Counter()
    for partition, log in enumerate(logs(items, policy.partitions)):
        processor = Processor(policy, PartitionState(partition), {}, decode=decode_readings)
        for output in processor.process(log).outputs:
            if isinstance(output, Metric):
                continue
            if isinstance(output, GapAlert):
                gaps[output.meter_id, output.missing_from] = _gap(output)
            elif isinstance(output, DeadLetter):
                text, encoding = raw_text(output.raw)
                refused[encoding, text] += 1
            elif isinstance(output, LateEvent):
                found.late.append(FoundLate(output.reading.meter_id, output.time))
            else:
                key = output.reading.meter_id, output.time
                if output.status == "LATE":
                    found.late_readings.add(key)
                if "REVISED" in output.flags:
                    found.revised.add(key)
    found.gaps, found.refused = list(gaps.values()), dict(refused)
    return found


def _gap(alert: GapAlert) -> FoundGap:
    return FoundGap(
        alert.meter_id,
        alert.missing_from,
        alert.missing_to,
        alert.missing_intervals,
        alert.state,
        alert.detected_at,
        alert.interval,
        alert.missing_ranges,
        "" if alert.calendar is None else str(alert.calendar),
    )
