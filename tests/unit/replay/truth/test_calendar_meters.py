"""Daily and monthly meters over changes of the clocks, from file to score, against a plain calendar."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.cli import run
from gridwatch.domain.policy import Policy
from replay.faults import FaultPlan
from replay.faults.file import plan_of
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from replay.order.emission import Kind
from tests.unit.replay.rig import CASES, detected, manifest, scored, sequence

CASE = CASES / "daily-meter-over-clock-changes"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Berlin",
    "America/Havana",
    "Asia/Beirut",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)
FIRST, LAST = date(2021, 12, 1), date(2025, 1, 31)


def days() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def months() -> list[date]:
    return [day for day in days() if day.day == 1]


def begins(day: date, zone: str) -> int:
    """The first minute (µs) of a local date, found by going through the minutes."""
    place = ZoneInfo(zone)
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while moment.astimezone(place).date() < day:
        moment += timedelta(minutes=30)
    return (moment - EPOCH) // timedelta(microseconds=1)


def rows_of(folder: Path, zone: str, unit: str, dates: list[date], extra: str = "") -> list[Row]:
    profile, file = folder / "profile.toml", folder / "file.csv"
    profile.write_text(
        f'interval = "{unit}"\nzone = "{zone}"\nstamps = ["%Y-%m-%d"]\n{extra}'
        '[columns]\nmeter_id = "meter"\ntimestamp = "day"\nconsumption_kwh = "kwh"\n'
    )
    file.write_text("meter,day,kwh\n" + "".join(f"M,{day},1.5\n" for day in dates))
    blocks = read_rows(file, load_custom(profile), "UTC", Selection(), Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["1d", "1mo"])
def test_every_local_day_or_month_is_sent_at_its_beginning(unit: str, zone: str, tmp_path: Path) -> None:
    dates = days() if unit == "1d" else months()
    rows = rows_of(tmp_path, zone, unit, dates)
    assert [row[0] for row in rows] == [begins(day, zone) for day in dates]
    assert {row[4] for row in rows} == {f',"interval":"{unit}","timezone":"{zone}"'}


@pytest.mark.parametrize("zone", ZONES)
def test_stamps_of_the_end_are_sent_at_the_beginning_too(zone: str, tmp_path: Path) -> None:
    dates, ends = days()[:-1], days()[1:]
    assert [row[0] for row in rows_of(tmp_path, zone, "1d", ends, 'anchor = "end"\n')] == [
        begins(day, zone) for day in dates
    ]
    starts = [begins(day, zone) for day in months()[:-1]]
    for last in (months()[1:], [day - timedelta(days=1) for day in months()[1:]]):
        assert [row[0] for row in rows_of(tmp_path, zone, "1mo", last, 'anchor = "end"\n')] == starts


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("unit", "lacking"), [("1d", (0, 1)), ("1mo", (0,))])
def test_withheld_days_and_months_are_the_gaps_and_nothing_else_is(
    unit: str, lacking: tuple[int, ...], zone: str, tmp_path: Path
) -> None:
    dates = days() if unit == "1d" else months()
    gone = {n + more for n in range(5, len(dates) - 5, 11) for more in lacking}
    gone |= {n for n, day in enumerate(dates[:-2]) if n > 4 and _changes(day, zone) and unit == "1d"}
    rows = rows_of(tmp_path, zone, unit, [day for n, day in enumerate(dates) if n not in gone])
    items = sequence(rows)
    found = {(gap.missing_from, gap.missing_to, gap.state) for gap in detected(items).gaps}
    expected = {
        (begins(dates[first], zone), begins(dates[last + 1], zone), "CLOSED") for first, last in _runs(gone)
    }
    assert found == expected
    truth = manifest(items, tmp_path)
    assert {(gap.missing_from, gap.missing_to, gap.state) for gap in truth.gaps} == expected
    assert {gap.calendar for gap in truth.gaps} == {f"{unit} {zone}"}
    assert not truth.unjudged
    score = scored(items, tmp_path)
    assert (score.slots.expected, score.slots.found, score.slots.matched) == (len(gone),) * 3
    assert (score.gaps.precision, score.gaps.recall, score.differences) == (1.0, 1.0, [])


@pytest.mark.parametrize("zone", ZONES[:3])
def test_injected_faults_of_daily_meters_score_exactly(zone: str, tmp_path: Path) -> None:
    plan = tmp_path / "faults.toml"
    plan.write_text(
        'seed = 7\n[[fault]]\nkind = "gap"\nrate = 0.1\n[[fault]]\nkind = "delay"\nrate = 0.2\n'
        'by = ["1h", "60h"]\n[[fault]]\nkind = "duplicate"\nrate = 0.1\n'
    )
    rows = rows_of(tmp_path, zone, "1d", days())
    others = [(time, name, *rest) for name in ("N", "O", "P") for time, _, *rest in rows]
    items = sequence([*rows, *others], plan_of(str(plan)))
    score = scored(items, tmp_path)
    assert score.gaps.expected > 100
    assert (score.gaps.precision, score.gaps.recall, score.differences) == (1.0, 1.0, [])


def test_whole_days_that_are_withheld_are_those_of_the_meter(tmp_path: Path) -> None:
    # The day of UTC on which summer time begins in London has two readings of daily meters.
    plan = tmp_path / "faults.toml"
    plan.write_text('seed = 3\n[[fault]]\nkind = "day"\nrate = 0.5\n')
    rows = [
        (time, f"M{n}", *rest)
        for n in range(40)
        for time, _, *rest in rows_of(tmp_path, "Europe/London", "1d", [date(2022, 3, 27), date(2022, 3, 28)])
    ]
    sent = [item.kind is Kind.READING for item in sequence(rows, plan_of(str(plan))) if item.row is not None]
    pairs = Counter(zip(sent[:40], sent[40:], strict=True))
    assert len(pairs) == 4


def test_without_faults_there_is_no_gap_at_all(tmp_path: Path) -> None:
    for zone in ZONES:
        for unit, dates in (("1d", days()), ("1mo", months())):
            items = sequence(rows_of(tmp_path, zone, unit, dates), FaultPlan())
            assert detected(items).gaps == []
            assert manifest(items, tmp_path).gaps == []


def test_local_days_that_a_meter_only_shows_are_learned_alike(tmp_path: Path) -> None:
    policy = Policy(timezone="Europe/Berlin", partitions=1)
    dates = [day for day in days() if day.day not in {17, 18} or day < date(2022, 2, 1)]
    rows = [(*row[:3], 0, "") for row in rows_of(tmp_path, policy.timezone, "1d", dates)]
    score = scored(sequence(rows, policy=policy), tmp_path, policy)
    # Of the days that it took to learn, the gaps of four were ended and forgotten by then.
    assert score.gaps.expected == 4 + 36
    assert (score.gaps.precision, score.gaps.recall, score.differences) == (1.0, 1.0, [])


@pytest.mark.parametrize(("file", "count"), [("daily.csv", 20), ("spring.csv", 16)])
def test_one_reading_a_local_day_has_no_gap_at_a_change_of_clocks(
    file: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = read_rows(
        CASE / file, load_custom(CASE / "daily.toml"), "UTC", Selection(), Tally(), skip_bad=False
    )
    rows = [row for block in blocks for row in block]
    assert len(rows) == count
    items = sequence(rows)
    assert detected(items).gaps == []
    assert manifest(items, tmp_path).gaps == []
    arguments = ["replay", "--dry-run", str(CASE / file), "--profile", "custom"]
    arguments += ["--profile-file", str(CASE / "daily.toml")]
    assert run(arguments) == 0
    said = capsys.readouterr().out
    assert f"interval  1 day (Europe/Berlin) (between readings of a meter: 1440 min × {count - 1})" in said
    assert "0 off the common grid" in said
    assert "hint" not in said
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    assert (found["calendar"], found["kwh_a_day"]["median"]) == ("1d Europe/Berlin", 9.5 + count / 2)


def _changes(day: date, zone: str) -> bool:
    return begins(day + timedelta(days=1), zone) - begins(day, zone) != 24 * 3_600_000_000


def _runs(numbers: set[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
