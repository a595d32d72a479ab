"""Daily and monthly meters in six zones over three years: what is missing is missing, and nothing else is.

What to expect comes from walking through the half-hours of the zone, and shares nothing with the rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridwatch.codecs.decode import decode_readings
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.outputs import GapAlert, LateEvent, Validated
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from tests.unit.domain.log import LATER, Log

#: Changes at 02:00 and 03:00, at midnight in both ways, at midnight backwards into the day before, in the
#: other half of the year, of half an hour, and none.
ZONES = (
    "Europe/Berlin",
    "America/Havana",
    "Asia/Beirut",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)
FIRST, END = date(2022, 1, 1), date(2025, 1, 2)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
GRACE_MINUTES = 15
HALF_HOUR = timedelta(minutes=30)


@cache
def days(zone: str) -> dict[date, int]:
    """Each local date of the years, and its first half-hour (µs)."""
    found: dict[date, int] = {}
    place = ZoneInfo(zone)
    moment = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) - timedelta(days=1)
    while (day := moment.astimezone(place).date()) < END:
        found.setdefault(day, (moment - EPOCH) // MICROSECOND)
        moment += HALF_HOUR
    return {day: start for day, start in found.items() if day >= FIRST}


def starts(zone: str, unit: str) -> list[int]:
    """The slots of a daily or a monthly meter."""
    return [start for day, start in days(zone).items() if unit == "1d" or day.day == 1]


def stamp(time: int) -> str:
    return f"{EPOCH + time * MICROSECOND:%Y-%m-%dT%H:%M:%SZ}"


def records(stamps: Iterable[int], unit: str, zone: str, *, ticks: bool) -> list[LogRecord]:
    """Readings of one meter, each after a tick: others say how far time is, so that no leap is too long."""
    made = []
    for n, time in enumerate(stamps):
        value = (
            f'{{"meter_id":"M","timestamp":"{stamp(time)}","consumption_kwh":1.5,'
            f'"interval":"{unit}","timezone":"{zone}"}}'
        )
        if ticks:
            made.append(LogRecord(2 * n, LATER, stamp(time - 10_000_000).encode(), tick=True))
        made.append(LogRecord(2 * n + 1, LATER, value.encode()))
    return made


def read(stamps: Iterable[int], unit: str, zone: str, every: int = 100, *, ticks: bool = True) -> Log:
    """A log of one meter, worked on by a worker that starts anew from time to time."""
    log = Log(Policy(partitions=1), decode_readings)
    made = records(stamps, unit, zone, ticks=ticks)
    for begin in range(0, len(made), every):
        log.work(made[begin : begin + every])
        log.restart()
    return log


def runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring numbers as first and last."""
    ordered = sorted(numbers)
    breaks = [n for n, (one, other) in enumerate(pairwise(ordered), 1) if other != one + 1]
    for begin, end in zip([0, *breaks], [*breaks, len(ordered)], strict=True):
        yield ordered[begin], ordered[end - 1]


def test_the_zones_have_days_of_every_kind() -> None:
    lengths = {zone: {(b - a) // (30 * MINUTE) for a, b in pairwise(starts(zone, "1d"))} for zone in ZONES}
    assert lengths == {
        "Europe/Berlin": {46, 48, 50},
        "America/Havana": {46, 48, 50},
        "Asia/Beirut": {46, 48, 50},
        "America/Santiago": {46, 48, 50},
        "Australia/Lord_Howe": {47, 48, 49},
        "Asia/Kolkata": {48},
    }


@pytest.mark.parametrize("minutes", [0, 3, 437, -4])
@pytest.mark.parametrize("unit", ["1d", "1mo"])
@pytest.mark.parametrize("zone", ZONES)
def test_a_meter_that_reports_each_day_or_month_has_no_gap(zone: str, unit: str, minutes: int) -> None:
    slots = starts(zone, unit)
    # A slot is missing once its grace is over: what comes later must not find time ahead of it.
    log = read([slot + minutes * MINUTE for slot in slots], unit, zone, ticks=minutes < GRACE_MINUTES)
    assert log.of(GapAlert) == []
    accepted = log.of(Validated)
    assert len(accepted) == len(slots)
    assert accepted[0].flags == ("FIRST",)
    assert {(one.status, one.flags, str(one.calendar)) for one in accepted[1:]} == {
        ("OK", (), f"{unit} {zone}")
    }


@pytest.mark.parametrize("unit", ["1d", "1mo"])
@pytest.mark.parametrize("zone", ZONES)
def test_the_days_and_months_that_never_come_are_the_gaps(zone: str, unit: str) -> None:
    slots = starts(zone, unit)
    draw = Random(f"{zone} {unit}")
    # A meter of months is given up after ninety days, which two of them and the one before may be.
    most = 2 if unit == "1d" else 1
    gone = {first + n for first in range(4, len(slots) - 4, 9) for n in range(draw.randint(1, most))}
    gone |= {n for n, (a, b) in enumerate(pairwise(slots)) if 4 < n < len(slots) - 4 and _odd(b - a, unit)}
    there = [
        (n, slot + draw.randrange(0, GRACE_MINUTES) * MINUTE) for n, slot in enumerate(slots) if n not in gone
    ]
    log = read([time for _, time in there], unit, zone, every=37)
    expected = {
        slots[first]: (slots[last + 1], last - first + 1, ((slots[first], slots[last + 1]),))
        for first, last in runs(gone)
    }
    found = {
        gap.missing_from: (gap.missing_to, gap.missing_intervals, gap.missing_ranges)
        for gap in log.gaps.values()
        if gap.state == "CLOSED"
    }
    assert found == expected
    assert len(log.gaps) == len(expected)
    for gap in log.gaps.values():
        fields: Any = _fields(gap)
        assert fields["gap_minutes"] == (gap.missing_to - gap.missing_from) / MINUTE
        assert fields["calendar"] == f"{unit} {zone}"
    # Expected is received and missing, over all days and over each.
    assert len(there) + sum(gap.missing_intervals for gap in log.gaps.values()) == len(slots)


@pytest.mark.parametrize("zone", ZONES)
def test_days_that_come_within_the_memory_of_gaps_fill_their_own(zone: str) -> None:
    slots = starts(zone, "1d")
    last = len(slots) - 10
    behind = set(range(5, last, 7)) | {n for n in range(5, last) if _odd(slots[n + 1] - slots[n], "1d")}
    behind -= {n for n in behind if n - 1 in behind}
    stamps: list[int] = []
    for n, slot in enumerate(slots):
        # One that is behind comes after the one that follows it, where the gap has ended.
        stamps += ([] if n in behind else [slot]) + ([slots[n - 1]] if n - 1 in behind else [])
    log = read(stamps, "1d", zone)
    assert {(gap.missing_from, gap.state) for gap in log.gaps.values()} == {
        (slots[n], "FILLED") for n in behind
    }
    assert {one.time for one in log.of(LateEvent)} == {slots[n] for n in behind}


@pytest.mark.parametrize("zone", ZONES)
def test_two_readings_of_one_local_day_fill_one_slot(zone: str) -> None:
    slots = starts(zone, "1d")[:400]
    ends = starts(zone, "1d")[1:401]
    stamps = sorted({*slots, *(end - 6 * MINUTE for end in ends)})
    log = read(stamps, "1d", zone)
    assert log.of(GapAlert) == []
    assert {one.time for one in log.of(Validated) if "EXTRA" in one.flags} == set(stamps) - set(slots)


def _odd(length: int, unit: str) -> bool:
    return unit == "1d" and length != 24 * 60 * MINUTE


def _fields(gap: GapAlert) -> Any:
    ((message,),) = encode_outputs([gap]).values()
    return json.loads(message[1])
