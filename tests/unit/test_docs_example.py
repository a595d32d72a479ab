"""The example of docs/gaps.md is what the rules do."""

from __future__ import annotations

import json

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import GapAlert
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord

_RECORD_TIME = parse_instant("2024-01-02T00:00:00Z", "UTC")[0]


def _reading(time: str) -> tuple[bytes, bool]:
    return json.dumps(
        {"meter_id": "m", "timestamp": f"2024-01-01T{time}Z", "consumption_kwh": 1}
    ).encode(), False


def _tick(time: str) -> tuple[bytes, bool]:
    return f"2024-01-01T{time}Z".encode(), True


def test_the_example_of_the_page_about_gaps() -> None:
    meters: dict[str, MeterState] = {}
    processor = Processor(Policy(partitions=1), PartitionState(0), meters)
    log = [
        _reading("10:00:00"),
        _tick("10:44:59"),
        _tick("10:45:00"),
        _tick("11:15:00"),
        _reading("11:30:00"),
    ]
    told: list[list[tuple[str, int, str, str, int]]] = []
    for offset, (value, tick) in enumerate(log):
        outcome = processor.process([LogRecord(offset, _RECORD_TIME, value, tick)])
        meters.update({meter: state for meter, state in outcome.changed.items() if state is not None})
        told.append(
            [
                (
                    gap.state,
                    gap.revision,
                    format_instant(gap.missing_from)[11:16],
                    format_instant(gap.missing_to)[11:16],
                    gap.missing_intervals,
                )
                for gap in outcome.outputs
                if isinstance(gap, GapAlert)
            ]
        )
    assert told == [
        [],
        [],
        [("OPEN", 1, "10:30", "10:45", 1)],
        [("OPEN", 2, "10:30", "11:15", 2)],
        [("CLOSED", 3, "10:30", "11:30", 2)],
    ]
