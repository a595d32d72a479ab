"""A window that is filled for the first time after its end begins with revision 1."""

from __future__ import annotations

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import Aggregate
from gridwatch.domain.policy import MINUTE, Policy
from tests.unit.domain.log import Log, reading

POLICY = Policy(partitions=1, windows=(MINUTE, 15 * MINUTE), anchor="end")


def revisions(log: Log, meter: str, length: int = MINUTE) -> dict[str, list[int]]:
    """Those of the windows of a meter, by their start."""
    found: dict[str, list[int]] = {}
    for window in log.of(Aggregate):
        if (window.meter_id, window.length) == (meter, length):
            found.setdefault(format_instant(window.start)[11:16], []).append(window.revision)
    return found


@pytest.mark.parametrize("restarted", [False, True])
def test_readings_that_stamp_the_end_of_a_window_which_is_over(restarted: bool) -> None:
    log = Log(POLICY)
    for minute in range(1, 8):
        stamp = f"10:{minute:02}:00"
        log.read(reading("A", stamp, interval_seconds=60))
        log.tick(f"10:{minute:02}:30")  # the window before the stamp is over
        log.read(reading("B", stamp, interval_seconds=60))
        if restarted:
            log.restart()
    log.tick("10:30:00")
    assert revisions(log, "B") == {f"10:{minute:02}": [1] for minute in range(7)}


def test_a_reading_alone_in_the_last_slot_of_a_window_which_is_over() -> None:
    log = Log(POLICY)
    for second in (10, 20, 30, 40, 50, 60):
        log.read(reading("A", f"10:0{second // 60}:{second % 60:02}", interval_seconds=10))
    log.tick("10:02:00")
    log.read(reading("A", "10:02:00", interval_seconds=10))
    log.tick("10:30:00")
    assert revisions(log, "A") == {"10:00": [1], "10:01": [1]}


def test_a_window_of_the_time_before_the_interval_was_known_may_have_been_emitted() -> None:
    log = Log(Policy(partitions=1, windows=(MINUTE,), anchor="end", default_interval=MINUTE))
    log.read(reading("A", "10:01:00"))
    log.tick("10:03:00")  # in the minute of its stamp: what it covers is not known
    log.read(reading("A", "10:02:00"), reading("A", "10:04:00"))
    log.tick("10:30:00")
    found = revisions(log, "A")
    assert found["10:01"][:1] == [1]
    assert all(sorted(set(some)) == some for some in found.values())
