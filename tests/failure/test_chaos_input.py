"""The input of `gridwatch chaos` has every case, and what counts as processed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from chaos.input import DAY, MINUTE, Raw, make_input, meters_of
from chaos.schedule import INPUTS
from chaos.subject import GRIDWATCH
from gridwatch.codecs.decode import decode_readings, decode_telemetry
from gridwatch.domain.outputs import GapAlert
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.settings import load_settings
from gridwatch.tables.meter_rows import METER

pytestmark = pytest.mark.failure

PARTITIONS = 6
NOW = 1_790_000_000_000_000


def processed(records: list[Raw]) -> Counter[str]:
    """Count the kinds of output, state, flag and reason that the input gives."""
    found: Counter[str] = Counter()
    policy = Policy(metrics_window=60 * MINUTE, state_ttl=2 * DAY)
    for partition in range(PARTITIONS):
        fresh = PartitionState(partition)
        processor = Processor(policy, fresh, {}, decode=decode_readings, decode_other=decode_telemetry)
        of_it = [record for record in records if record.partition == partition]
        log = [
            LogRecord(number, NOW, one.value, one.tick, end=one.run_end, control=one.control)
            for number, one in enumerate(of_it)
        ]
        for output in processor.process(log).outputs:
            emitted: Any = output
            found[type(output).__name__] += 1
            if getattr(emitted, "interval", MINUTE) < MINUTE:
                grown = isinstance(emitted, GapAlert) and emitted.state == "OPEN" and emitted.revision > 2
                found.update(["below a minute", *["growth of seconds"] * grown])
            for names in (getattr(emitted, "flags", ()), getattr(emitted, "reasons", ())):
                found.update(names)
            found.update([getattr(emitted, "reason", "")])
            found.update(
                name for name in (getattr(emitted, "state", ""), getattr(emitted, "status", "")) if name
            )
    return found


@pytest.mark.parametrize("seed", range(INPUTS))
def test_the_input_has_every_case(seed: int) -> None:
    records = make_input(seed, 6000, PARTITIONS)
    assert records == make_input(seed, 6000, PARTITIONS)
    found = processed(records)
    wanted = {
        "OK", "LATE", "LateEvent", "OPEN", "CLOSED", "PARTIAL", "FILLED", "EXPIRED", "RETRACTED", "FIRST",
        "OFF_GRID", "REVISED", "EXTRA", "AHEAD", "SLOT_FILLED", "INTERVAL_CHANGED", "REGISTER_DIP",
        "REGISTER_RESET", "SUSPECT", "GAP_ENERGY", "DeadLetter", "Metric",
        "NOT_JSON", "NOT_AN_OBJECT", "BAD_TIMESTAMP", "below a minute", "growth of seconds",
        "PLANNED", "NEVER_HEARD", "REMOVED", "NOT_INSTALLED", "heard for the first time",
    }  # fmt: skip
    assert wanted <= found.keys(), f"not in it: {wanted - found.keys()}"
    wrong = {"UNKNOWN_STATUS", "BAD_INTERVAL", "UNKNOWN_ZONE", "WRONG_FLOW", "BAD_VALUE"}
    assert len(wrong & found.keys()) >= 3, f"wrong control records: {wrong & found.keys()}"
    assert any((record.value or b"").startswith(b"[{") for record in records)
    assert len({record.partition for record in records}) == PARTITIONS - 1
    ends = [record.run_end for record in records if record.run_end is not None]
    assert len(ends) >= PARTITIONS - 1
    assert all(record.tick for record in records if record.run_end is not None)


def test_another_seed_is_another_input() -> None:
    assert make_input(0, 1000, PARTITIONS) != make_input(1, 1000, PARTITIONS)


def test_a_meter_that_waits_for_the_end_of_a_run_to_be_passed_is_not_due() -> None:
    state, stamp = PartitionState(0), "2024-01-01T10:00:00Z"
    [meter] = meters_of(0, PARTITIONS, 1)
    body = {"meter_id": meter, "timestamp": stamp, "consumption_kwh": 1, "interval_seconds": 10}
    log = [
        LogRecord(0, NOW, json.dumps(body).encode()),
        LogRecord(1, NOW, b"2024-01-01T10:15:00Z", True, end=stamp.encode()),
    ]
    settings = load_settings()
    processor = Processor(settings.policy(), state, {}, decode=decode_readings, decode_other=decode_telemetry)
    outcome = processor.process(log)
    assert not any(isinstance(output, GapAlert) for output in outcome.outputs)
    rows = [METER.encode(changed) for changed in outcome.changed.values() if changed is not None]
    observed = GRIDWATCH.stages[0]
    assert observed.is_complete(settings, state, rows)
    state.end = None
    assert not observed.is_complete(settings, state, rows)
