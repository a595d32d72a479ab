"""A call stops at its budget, between two readings or two settled meters, and the next one goes on there."""

from __future__ import annotations

import json

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import GapAlert, Validated
from gridwatch.domain.reading import LogRecord
from tests.unit.domain.log import LATER, Log, at, reading

METERS = ["A", "B", "C"]


def an_array(clock: str, offset: int) -> LogRecord:
    return LogRecord(offset, LATER, json.dumps([reading(meter, clock) for meter in METERS]).encode())


def a_tick(clock: str, offset: int) -> LogRecord:
    return LogRecord(offset, LATER, format_instant(at(clock)).encode(), tick=True)


def calls(log: Log, record: LogRecord, budget: int) -> list[list[str]]:
    """The meters of what came out, call by call, until the record is complete."""
    came: list[list[str]] = []
    complete = False
    while not complete:
        assert len(came) < 10, "it does not get on"
        outcome = log.processor.process([record], budget=budget)
        log.meters.update({meter: state for meter, state in outcome.changed.items() if state})
        alerts = [one.meter_id for one in outcome.outputs if isinstance(one, GapAlert)]
        came.append([one.reading.meter_id for one in outcome.outputs if isinstance(one, Validated)] + alerts)
        complete = outcome.complete
    return came


@pytest.mark.parametrize("budget", [0, 1_000_000])
def test_without_a_budget_or_within_it_one_call_does_it_all(budget: int) -> None:
    log = Log()
    assert calls(log, an_array("10:00:00", 0), budget) == [METERS]
    assert calls(log, a_tick("10:45:00", 1), budget) == [METERS]


def test_the_smallest_budget_stops_after_each_reading_and_each_settled_meter() -> None:
    log = Log()
    assert [meters for meters in calls(log, an_array("10:00:00", 0), 1) if meters] == [["A"], ["B"], ["C"]]
    assert [meters for meters in calls(log, an_array("10:30:00", 1), 1) if meters] == [["A"], ["B"], ["C"]]
    assert [meters for meters in calls(log, a_tick("11:15:00", 2), 1) if meters] == [["A"], ["B"], ["C"]]


def test_a_call_weighs_what_it_changed() -> None:
    log = Log()
    outcome = log.processor.process([an_array("10:00:00", 0)])
    states = [state for state in outcome.changed.values() if state is not None]
    assert len(states) == 3
    assert outcome.weight == sum(state.weight() for state in states)
