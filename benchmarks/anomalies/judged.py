"""Readings of files through the rules of the worker, in process, in order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridwatch.codecs.decode import decode_readings, decode_telemetry
from gridwatch.domain.anomalies.anomaly import RETRACTED, Anomaly
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import DAY, MINUTE, Policy
from gridwatch.domain.reading import LogRecord
from replay.files.rows import Row
from replay.run.inputs import Inputs
from replay.run.request import Request
from replay.run.summary import Summary

_YEAR = 365.25 * DAY
_BATCH = 10_000


@dataclass
class Found:
    """What was found in some files: the last revision of each anomaly, and how much was looked at."""

    files: int = 0
    meters: int = 0
    readings: int = 0
    years: float = 0.0
    """Of all meters together."""
    anomalies: list[Anomaly] = field(default_factory=list)


def judge(paths: Sequence[Path], policy: Policy) -> Found:
    """Process the files, each as a log of its own."""
    found = Found(files=len(paths))
    for path in paths:
        rows = [
            row
            for block in Inputs(Request((path,), None), policy.timezone, Summary()).read()
            for row in block
        ]
        rows.sort(key=lambda row: row[:2])
        spans: dict[str, tuple[int, int]] = {}
        for time, meter, *_ in rows:
            spans[meter] = (spans.get(meter, (time, 0))[0], time)
        found.meters += len(spans)
        found.readings += len(rows)
        found.years += sum(last - first for first, last in spans.values()) / _YEAR
        found.anomalies += _last_revisions(rows, policy)
    return found


def _records(rows: Sequence[Row]) -> Iterator[LogRecord]:
    for offset, (time, meter, kwh, seconds, _) in enumerate(rows):
        value = {"meter_id": meter, "timestamp": format_instant(time), "consumption_kwh": kwh}
        if seconds:
            value["interval_seconds"] = seconds
        yield LogRecord(offset, time + MINUTE, json.dumps(value).encode())
    after = rows[-1][0] + 30 * DAY
    yield LogRecord(len(rows), after, format_instant(after).encode(), tick=True)


def _last_revisions(rows: Sequence[Row], policy: Policy) -> list[Anomaly]:
    states: dict[str, object] = {}
    processor = Processor(
        policy, PartitionState(0), states, decode=decode_readings, decode_other=decode_telemetry
    )
    last: dict[str, Anomaly] = {}
    records = list(_records(rows))
    for at in range(0, len(records), _BATCH):
        outcome = Outcome()
        processor.process(records[at : at + _BATCH], onto=outcome)
        processor.seal(outcome)
        for name, state in outcome.changed.items():
            if state is None:
                states.pop(name, None)
            else:
                states[name] = state
        for output in outcome.outputs:
            if isinstance(output, Anomaly):
                last[output.anomaly_id] = output
    return [one for one in last.values() if one.state != RETRACTED]


def policy_of(timezone: str, judged: int | None) -> Policy:
    """The rules with which files are judged."""
    return Policy(
        partitions=1,
        timezone=timezone,
        windows=(MINUTE, 15 * MINUTE),
        judges=True,
        judged_window=judged,
        max_future_skew=400 * DAY,
        max_watermark_jump=400 * DAY,
    )
