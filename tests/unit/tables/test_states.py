"""States in memory are those that the last commit left, the very objects that the domain works on."""

from __future__ import annotations

from typing import Any

from gridwatch.domain.meter.state import MeterState
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from gridwatch.tables.states import StoredStates


class Disk:
    """What is stored, and how often it was asked for."""

    def __init__(self, **stored: MeterState) -> None:
        self.rows = {name.encode(): METER.encode(state) for name, state in stored.items()}
        self.asked: list[bytes] = []

    def row(self, partition: int, key: bytes) -> bytes | None:
        self.asked.append(key)
        return self.rows.get(key)


def meters_of(disk: Any, limit: int = 1000) -> StoredStates[MeterState]:
    return StoredStates(disk, METERS, 0, limit)


def test_a_stored_state_is_read_once() -> None:
    disk = Disk(A=MeterState(0, 60))
    meters = meters_of(disk)
    assert meters.get("A") is meters.get("A") is not None
    assert meters.get("B") is None
    assert disk.asked == [b"A", b"B"]


def test_a_commit_adds_created_states_and_removes_removed_ones() -> None:
    disk = Disk(A=MeterState(0, 60), B=MeterState(0, 60))
    meters = meters_of(disk)
    a, b = meters.get("A"), meters.get("B")
    made, again = MeterState(5, 60), MeterState(6, 60)
    meters.apply({"A": a, "B": again, "C": made, "D": None})
    disk.rows.clear()
    assert (meters.get("A"), meters.get("B"), meters.get("C")) == (a, again, made)
    assert b is not again
    assert meters.get("D") is None


def test_the_oldest_states_beyond_the_limit_are_forgotten() -> None:
    disk = Disk(**{f"M{number}": MeterState(0, 60) for number in range(1100)})
    meters = meters_of(disk)
    for number in range(1100):
        meters.get(f"M{number}")
    meters.trim()
    disk.asked.clear()
    assert meters.get("M100") is not None
    assert disk.asked == []
    assert meters.get("M99") is not None
    assert disk.asked == [b"M99"]
