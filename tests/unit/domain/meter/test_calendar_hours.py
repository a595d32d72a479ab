"""Meters of local days and months that report at another time than midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.outputs import GapAlert
from gridwatch.domain.policy import DAY, HOUR, MINUTE
from tests.unit.domain.log import Log, at, reading

BERLIN = ZoneInfo("Europe/Berlin")


def utc(day: date, hour: int, minute: int) -> str:
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN)
    return local.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize("clock", [(0, 0), (0, 4), (7, 17), (12, 0), (23, 50)])
def test_a_day_is_waited_for_until_the_meter_usually_reports(clock: tuple[int, int]) -> None:
    log = Log()
    day, missed = date(2024, 3, 1), date(2024, 9, 3)
    while day < date(2024, 12, 1):
        for hour in range(24):  # time goes on by others
            if hour == clock[0] and day != missed:
                log.tick(utc(day, hour, max(0, clock[1] - 1)))
                log.read(reading("A", utc(day, *clock), interval="1d", timezone="Europe/Berlin"))
            log.tick(utc(day, hour, 59))
        day += timedelta(days=1)
    [first, *_, last] = log.of(GapAlert)
    begin = at(utc(missed, 0, 0))
    assert {gap.missing_from for gap in log.of(GapAlert)} == {begin}
    due = (0 if clock[0] == 0 else at(utc(missed, *clock)) - begin) + 15 * MINUTE
    assert first.detected_at - HOUR < begin + due <= first.detected_at
    assert first.missing_to == begin + due
    assert (last.state, last.missing_intervals) == ("CLOSED", 1)


def test_a_longer_day_is_waited_for_as_much_longer() -> None:
    calendar = Calendar("1d", "Europe/Berlin")
    seen = at("2024-10-26T05:17:00")  # 07:17
    for day, delay in ((27, 8 * HOUR + 17 * MINUTE), (28, 7 * HOUR + 17 * MINUTE)):
        slot = calendar.slot_at(at(f"2024-10-{day}T12:00:00"))
        assert calendar.delay(seen, slot) == delay
    assert calendar.delay(at("2024-10-25T22:04:00"), slot) == 0
    months = Calendar("1mo", "Europe/Berlin")
    slot = months.slot_at(at("2024-11-12T00:00:00"))
    assert months.delay(at("2024-10-03T06:00:00"), slot) == 2 * DAY + 8 * HOUR
