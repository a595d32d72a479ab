"""Anomalies of single meters, from their first reading on: what raises one, what does not, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gridwatch.domain.anomalies.anomaly import Anomaly
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy
from tests.unit.domain.log import Log, at

START = at("2024-01-01T00:00:00")  # a Monday
QUARTER = 15 * MINUTE


def log_of(**policy: Any) -> Log:
    return Log(Policy(partitions=1, **({"windows": (MINUTE, QUARTER), "judges": True} | policy)))


def sent(
    log: Log, watts: Callable[[int], float | None], until: int, step: int = QUARTER, start: int = 0
) -> None:
    """Readings of meter A, each for the time from its stamp on; ``watts`` by the time since ``START``."""
    for time in range(start, until, step):
        power = watts(time)
        if power is not None:
            kwh = round(power * step / HOUR / 1000, 9)
            log.read(
                {
                    "meter_id": "A",
                    "timestamp": format_instant(START + time),
                    "consumption_kwh": kwh,
                    "interval_seconds": step // SECOND,
                }
            )


def told(log: Log) -> list[tuple[str, str, str | None, int]]:
    """Kind, state, reason and first window of what was emitted, since ``START`` in quarters of an hour."""
    return [
        (one.kind, one.state, one.reason, (one.start - START) // QUARTER)
        for one in log.outputs
        if isinstance(one, Anomaly)
    ]


def kinds(log: Log) -> set[str]:
    return {one.kind for one in log.outputs if isinstance(one, Anomaly)}


def last(log: Log) -> Anomaly:
    return [one for one in log.outputs if isinstance(one, Anomaly)][-1]


def test_one_reading_is_none() -> None:
    log = log_of()
    sent(log, lambda _: 9000.0, QUARTER)
    log.tick("2024-01-03T00:00:00")
    assert told(log) == []


def test_constant_zero_is_a_zero_run_of_low_confidence_and_nothing_else() -> None:
    log = log_of()
    sent(log, lambda _: 0.0, 5 * DAY)
    assert told(log) == [("ZERO_RUN", "OPEN", None, 0)]
    assert last(log).confidence == "low"
    assert last(log).detected == START + DAY


def test_a_kettle_for_ten_seconds_is_none() -> None:
    log = log_of()
    sent(log, lambda time: 2300.0 if time == 30 * HOUR else 150.0, 31 * HOUR, step=10 * SECOND)
    assert kinds(log) <= {"FLATLINE"}  # 150 W all day
    log = log_of(judged_window=None)
    sent(
        log,
        lambda time: 2300.0 if time == 150 * MINUTE else 150.0 + time // SECOND % 7,
        3 * HOUR,
        step=10 * SECOND,
    )
    assert told(log) == [("SPIKE", "OPEN", None, 10), ("SPIKE", "CLOSED", "RETURNED", 10)]


def wave(time: int) -> float:
    """Watts that differ a little from window to window."""
    return 500.0 + time // MINUTE % 7


def test_a_spike_begins_grows_and_ends_with_two_near_windows() -> None:
    def watts(time: int) -> float:
        return {100: 1600.0, 101: 900.0, 102: 9000.0, 103: 550.0, 104: 900.0}.get(time // QUARTER, wave(time))

    log = log_of()
    sent(log, watts, 30 * HOUR)
    assert told(log) == [
        ("SPIKE", "OPEN", None, 100),
        ("SPIKE", "OPEN", None, 100),
        ("SPIKE", "CLOSED", "RETURNED", 100),
    ]
    spikes = [one for one in log.outputs if isinstance(one, Anomaly)]
    assert [(one.severity, one.confidence, one.value) for one in spikes] == [
        ("medium", "high", 1_600_000),
        ("critical", "high", 9_000_000),
        ("critical", "high", 9_000_000),
    ]
    assert [one.revision for one in spikes] == [1, 2, 3]
    assert spikes[-1].ended == START + 105 * QUARTER


def test_a_late_reading_takes_back_what_it_began_with() -> None:
    log = log_of()
    sent(log, lambda time: 5000.0 if time == 100 * QUARTER else wave(time), 103 * QUARTER)
    assert told(log) == [("SPIKE", "OPEN", None, 100)]
    sent(log, wave, 101 * QUARTER, start=100 * QUARTER)  # revised
    sent(log, wave, 104 * QUARTER, start=103 * QUARTER)
    assert told(log)[1:] == [("SPIKE", "RETRACTED", "REVISED", 100)]


def test_a_silent_meter_ends_after_a_day() -> None:
    log = log_of()
    sent(log, lambda time: 5000.0 if time == 100 * QUARTER else wave(time), 101 * QUARTER)
    log.tick("2024-01-03T01:14:00")
    assert told(log) == [("SPIKE", "OPEN", None, 100)]
    log.tick("2024-01-03T01:15:00")
    assert told(log)[1:] == [("SPIKE", "CLOSED", "SILENT", 100)]
    assert last(log).ended == START + 101 * QUARTER


def test_a_new_tenant_is_learned_within_eight_windows_and_nothing_else_is_forgotten() -> None:
    def watts(time: int) -> float:
        return wave(time) + (300 if time % DAY >= 12 * HOUR else 0) + (2000 if time >= 9 * DAY else 0)

    log = log_of()
    sent(log, watts, 17 * DAY)
    assert [one for one in told(log) if one[3] >= 9 * 96] == [
        ("SPIKE", "OPEN", None, 864),
        ("LEVEL_SHIFT", "OPEN", None, 864),
        ("SPIKE", "CLOSED", "RETURNED", 864),
        ("LEVEL_SHIFT", "CLOSED", "LEARNED", 864),
    ]
    shift = next(one for one in log.outputs if isinstance(one, Anomaly) and one.kind == "LEVEL_SHIFT")
    assert shift.detected == START + 9 * DAY + 8 * QUARTER


def test_a_level_that_returns_is_the_old_one_again() -> None:
    def watts(time: int) -> float:
        return wave(time) + (2000 if 9 * DAY <= time < 9 * DAY + 4 * HOUR else 0)

    log = log_of()
    sent(log, watts, 12 * DAY)
    assert [one for one in told(log) if one[3] >= 9 * 96] == [
        ("SPIKE", "OPEN", None, 864),
        ("LEVEL_SHIFT", "OPEN", None, 864),
        ("SPIKE", "CLOSED", "RETURNED", 864),
        ("LEVEL_SHIFT", "CLOSED", "RETURNED", 864),
    ]
    assert last(log).ended == START + 9 * DAY + 4 * HOUR


def test_a_level_before_a_silence_is_not_returned_to() -> None:
    log = log_of()
    sent(log, lambda time: wave(time) + (2000 if time >= 9 * DAY else 0), 9 * DAY + 4 * HOUR)
    log.tick("2024-01-11T10:00:00")
    sent(log, wave, 10 * DAY + 12 * HOUR, start=10 * DAY + 10 * HOUR)
    assert [one for one in told(log) if one[3] >= 9 * 96] == [
        ("SPIKE", "OPEN", None, 864),
        ("LEVEL_SHIFT", "OPEN", None, 864),
        ("SPIKE", "CLOSED", "RETURNED", 864),
        ("LEVEL_SHIFT", "CLOSED", "SILENT", 864),
        ("DROP", "OPEN", None, 10 * 96 + 40),
    ]


def test_export_that_is_usual_is_none() -> None:
    log = log_of()
    for quarter in range(21 * 96):
        noon = 40 <= quarter % 96 < 60
        power = -2.0 if noon and quarter >= 96 else 0.4 + quarter % 5 / 1000
        log.read(
            {
                "meter_id": "A",
                "timestamp": format_instant(START + quarter * QUARTER),
                "consumption_kwh": 0.0 if power < 0 else power / 4,
                "power_kw": power,
                "interval_seconds": 900,
            }
        )
    flows = [one for one in told(log) if one[0] == "REVERSE_FLOW"]
    assert flows[0] == ("REVERSE_FLOW", "OPEN", None, 96 + 40)
    assert max(first // 96 for *_, first in flows) < 14
    assert {state for _, state, *_ in flows} == {"OPEN", "CLOSED"}


def test_a_clock_that_is_a_day_off_is_none() -> None:
    log = log_of()
    sent(log, wave, 40 * HOUR)
    for days in (-1, 1):
        for quarter in range(8):
            stamp = format_instant(START + 40 * HOUR + days * DAY + quarter * QUARTER)
            log.read({"meter_id": "A", "timestamp": stamp, "consumption_kwh": 7, "interval_seconds": 900})
        sent(log, wave, (42 + 2 * days) * HOUR, start=(40 + 2 * days) * HOUR)
    assert told(log) == []


def test_a_window_of_which_too_little_is_there_is_not_judged() -> None:
    def some(quarter: int, share: int) -> Iterable[int]:
        return range(quarter * 15, quarter * 15 + share)

    for share, found in ((11, []), (12, [("SPIKE", "OPEN", None, 100)])):
        log = log_of()
        kept = {*range(1500), *some(100, share), *range(1515, 1545)}
        sent(
            log,
            lambda time, kept=kept: (  # type: ignore[misc]
                (5000.0 if 1500 <= time // MINUTE < 1515 else wave(time)) if time // MINUTE in kept else None
            ),
            1531 * MINUTE,
            step=MINUTE,
        )
        assert [one for one in told(log) if one[0] == "SPIKE"] == found


def test_the_own_slots_of_a_meter_with_longer_intervals_are_judged_with_the_reading() -> None:
    log = log_of()
    sent(log, lambda time: 5000.0 if time == 60 * HOUR else wave(time), 60 * HOUR + 1, step=30 * MINUTE)
    assert told(log) == [("SPIKE", "OPEN", None, 240)]
    assert last(log).length == 30 * MINUTE
