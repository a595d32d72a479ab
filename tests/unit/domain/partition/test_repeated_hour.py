"""The hour that comes twice when clocks go back: one meter's order of arrival tells which pass is meant."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.domain.instants import format_instant, parse_instant, second_instant
from gridwatch.domain.meter.gaps import OPEN
from gridwatch.domain.outputs import Validated
from gridwatch.domain.policy import Policy
from tests.unit.domain.log import LATER, Log

MINUTE = 60_000_000


def local(stamp: str, kwh: float = 1.0, meter: str = "M1") -> dict[str, Any]:
    return {"meter_id": meter, "timestamp": f"2024-10-27T{stamp}:00", "consumption_kwh": kwh}


def berlin(**more: Any) -> Log:
    return Log(Policy(partitions=1, timezone="Europe/Berlin", **more))


def instants(log: Log, meter: str = "M1") -> list[tuple[str, float]]:
    return [
        (format_instant(one.time)[11:16], one.reading.consumption_kwh)
        for one in log.of(Validated)
        if one.reading.meter_id == meter
    ]


NIGHT = ("01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30")
#: The same in UTC: Berlin goes from two hours ahead to one at 01:00.
UTC = ("23:00", "23:30", "00:00", "00:30", "01:00", "01:30", "02:00", "02:30")


def test_the_second_pass_is_the_second_instant_and_no_energy_is_lost_and_no_gap_seen() -> None:
    log = berlin()
    log.read(*(local(stamp, 1 + number / 10) for number, stamp in enumerate(NIGHT)))
    assert instants(log) == [(stamp, 1 + number / 10) for number, stamp in enumerate(UTC)]
    assert log.gaps == {}
    flagged = [("AMBIGUOUS_TIME" in one.flags, "REVISED" in one.flags) for one in log.of(Validated)]
    assert flagged == [(2 <= number < 6, False) for number in range(8)]


def test_each_meter_is_resolved_by_its_own_readings() -> None:
    log = berlin()
    log.read(*(local(stamp, meter=meter) for stamp in NIGHT for meter in ("M1", "M2")))
    assert [stamp for stamp, _ in instants(log, "M1")] == list(UTC)
    assert [stamp for stamp, _ in instants(log, "M2")] == list(UTC)


def test_a_second_pass_whose_first_never_came_is_recognised_by_the_readings_since() -> None:
    log = berlin()
    log.read(*(local(stamp) for stamp in ("01:30", "02:30", "02:00", "02:30", "03:00")))
    assert [stamp for stamp, _ in instants(log)] == ["23:30", "00:30", "01:00", "01:30", "02:00"]
    (gap,) = log.gaps.values()
    assert (gap.gap_id[-9:], gap.state != OPEN) == ("00:00:00Z", True)


@pytest.mark.parametrize("when", ["as it flows", "long after"])
def test_a_first_pass_is_never_taken_for_the_second_before_that_can_have_come(when: str) -> None:
    log = berlin()
    first = parse_instant("2024-10-27T00:00:00Z")[0]
    log.read(local("01:30"))
    log.read(local("02:00"), local("02:00"), record_time=first + MINUTE if when == "as it flows" else LATER)
    passes = [stamp for stamp, _ in instants(log)]
    assert passes == (["23:30", "00:00"] if when == "as it flows" else ["23:30", "00:00", "01:00"])


def test_a_pass_that_is_sent_again_is_known_by_its_values() -> None:
    log = berlin(allowed_lateness=6 * 60 * MINUTE)
    log.read(*(local(stamp, 1 + number / 10) for number, stamp in enumerate(NIGHT)))
    known = instants(log)
    log.read(local("02:00", 1.2), local("02:30", 1.3), local("02:00", 1.4), local("02:30", 1.5))
    assert instants(log) == known
    log.read(local("02:30", 9.0))
    assert instants(log)[-1] == ("01:30", 9.0)


def test_an_unknown_meter_begins_with_the_first() -> None:
    log = berlin()
    log.read(local("02:30"))
    assert instants(log) == [("00:30", 1.0)]


def test_a_stamp_with_an_offset_says_it_itself() -> None:
    log = berlin()
    for offset in ("+02:00", "+01:00", "+02:00"):
        log.read({**local("02:30"), "timestamp": f"2024-10-27T02:30:00{offset}"})
    assert instants(log) == [("00:30", 1.0), ("01:30", 1.0)]


@pytest.mark.parametrize(
    ("zone", "stamp", "minutes"),
    [
        ("Europe/Berlin", "2024-10-27T02:15:00", 60),
        ("America/New_York", "2024-11-03T01:15:00", 60),
        ("Australia/Lord_Howe", "2024-04-07T01:45:00", 30),
    ],
)
def test_the_second_instant_is_as_far_as_the_clocks_went_back(zone: str, stamp: str, minutes: int) -> None:
    first, ambiguous = parse_instant(stamp, zone)
    assert ambiguous
    assert second_instant(first, zone) - first == minutes * MINUTE
