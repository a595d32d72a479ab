"""Two series of a meter whose steps differ are refused where they have one time in common, and only there."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from replay.files.overlaps.walk import Walk
from replay.files.profiles import PROFILES, load_custom
from replay.run.progress import Quiet
from replay.run.replay import Replay
from replay.run.request import Request

SETTINGS = Settings()
HEADER = "meter_id,timestamp,consumption_kwh"
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Wh of each quarter of an hour.
QUARTERS = [random.Random(7).randint(50, 400) for _ in range(60 * 96)]

Rows = list[tuple[datetime, int]]


def energy(minutes: int, start: datetime, end: datetime) -> Rows:
    """The Wh of intervals from `start` up to `end`."""
    step, at, found = timedelta(minutes=minutes), start, []
    while at < end:
        first = round((at - MONDAY) / timedelta(minutes=15))
        found.append((at, sum(QUARTERS[first : first + minutes // 15])))
        at += step
    return found


def lines(rows: Rows, meter: str = "M") -> list[str]:
    return [f"{meter},{at:%Y-%m-%dT%H:%M:%SZ},{wh / 1000:.3f}" for at, wh in rows]


def file(folder: Path, name: str, *texts: list[str], header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *(line for text in texts for line in text)]) + "\n")
    return path


def planned(*paths: Path, profile: Any = None, zone: str = "UTC", **asked: Any) -> float:
    """The kWh that a dry run finds."""
    settings = SETTINGS.model_copy(update={"timezone": zone})
    request = Request(paths, profile or PROFILES["spec"], **asked)
    census = Replay(request, settings, Quiet(), lambda _: None).plan().census
    assert census is not None
    return census.micro_kwh / 1_000_000


def refusal(*paths: Path, **asked: Any) -> GridwatchError:
    with pytest.raises(GridwatchError, match="their energy would count twice") as raised:
        planned(*paths, **asked)
    return raised.value


def total(rows: Rows) -> float:
    return pytest.approx(sum(wh for _, wh in rows) / 1000)


HOURS, DAYS = energy(60, MONDAY, MONDAY + 10 * DAY), energy(1440, MONDAY, MONDAY + 10 * DAY)


def test_the_error_names_meter_files_lines_steps_times_and_remedy(tmp_path: Path) -> None:
    hours, days = file(tmp_path, "hours.csv", lines(HOURS)), file(tmp_path, "days.csv", lines(DAYS[4:6]))
    for paths in ((hours, days), (days, hours)):
        problem = refusal(*paths)
        assert str(problem).startswith(
            f"{days}, line 2: M has intervals of 1440 minutes here and of 60 minutes in {hours}, line 98, "
            "both from 2024-01-05T00:00:00Z to 2024-01-06T23:00:00Z: their energy would count twice"
        )
        assert problem.remedy.startswith("send one of the two")
        assert "--start and --end" in problem.remedy


def with_sums(hours: Rows, days: Rows, *, above: bool) -> Rows:
    """Each day's hours, with the day above or below them."""
    found: Rows = []
    for number, day in enumerate(days):
        of_day = hours[24 * number : 24 * number + 24]
        found += [day, *of_day] if above else [*of_day, day]
    return found


def in_time(*rows: Rows, backwards: bool = False) -> Rows:
    return sorted((one for some in rows for one in some), key=lambda row: row[0], reverse=backwards)


@pytest.mark.parametrize(
    "arranged",
    [
        lambda hours, days: hours + days,
        lambda hours, days: days + hours,
        in_time,
        lambda hours, days: in_time(days, hours),
        lambda hours, days: in_time(hours, days, backwards=True),
        lambda hours, days: with_sums(hours, days, above=False),
        lambda hours, days: with_sums(hours, days, above=True),
    ],
    ids=[
        "hours, days",
        "days, hours",
        "sorted",
        "sorted, days first",
        "backwards",
        "sums below",
        "sums above",
    ],
)
def test_in_one_file_they_are_refused_however_its_rows_lie(arranged: Any, tmp_path: Path) -> None:
    problem = refusal(file(tmp_path, "m.csv", lines(arranged(HOURS, DAYS))))
    assert "columns.series" in problem.remedy


@pytest.mark.parametrize(("fine", "coarse"), [(15, 30), (30, 60), (15, 60), (60, 1440), (15, 1440)])
@pytest.mark.parametrize("by_time", [True, False], ids=["by time", "as they lie"])
def test_any_two_steps_are_refused_in_any_order_of_sending(
    fine: int, coarse: int, by_time: bool, tmp_path: Path
) -> None:
    paths = [
        file(tmp_path, f"{n}.csv", lines(energy(step, MONDAY, MONDAY + 5 * DAY)))
        for n, step in enumerate((coarse, fine))
    ]
    refusal(*paths, by_time=by_time)


def test_nothing_is_sent_of_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.run.replay.partitions_of", lambda *_: 6)
    monkeypatch.setattr("replay.run.replay.Sender", lambda *_: pytest.fail("it was about to send"))
    paths = file(tmp_path, "hours.csv", lines(HOURS)), file(tmp_path, "days.csv", lines(DAYS))
    replay = Replay(Request(paths), SETTINGS, Quiet(), lambda _: None)
    with pytest.raises(GridwatchError, match="count twice"):
        replay.send()


def test_one_day_beside_its_hours_is_refused(tmp_path: Path) -> None:
    refusal(file(tmp_path, "hours.csv", lines(HOURS)), file(tmp_path, "day.csv", lines(DAYS[3:4])))


def test_months_beside_days_are_refused(tmp_path: Path) -> None:
    days = energy(1440, MONDAY, MONDAY + 59 * DAY)
    january, february = sum(wh for _, wh in days[:31]), sum(wh for _, wh in days[31:])
    months = [(MONDAY, january), (MONDAY + 31 * DAY, february), (MONDAY + 60 * DAY, 1)]
    problem = refusal(file(tmp_path, "days.csv", lines(days)), file(tmp_path, "months.csv", lines(months)))
    assert "intervals of 31 days" in str(problem)


def test_the_times_that_are_asked_for_decide(tmp_path: Path) -> None:
    hours, days = file(tmp_path, "hours.csv", lines(HOURS[:96])), file(tmp_path, "days.csv", lines(DAYS[2:]))
    refusal(hours, days)
    request = Request((hours,), PROFILES["spec"])
    start = round((MONDAY + 4 * DAY).timestamp()) * 1_000_000
    after = type(request.selection)(start=start)
    assert planned(hours, days, selection=after) == total(DAYS[4:])


def test_the_same_step_once_more_is_a_correction(tmp_path: Path) -> None:
    again = [(at, wh + 7) for at, wh in HOURS[50:130]]
    found = planned(file(tmp_path, "a.csv", lines(HOURS)), file(tmp_path, "b.csv", lines(again)))
    assert found == total(HOURS[:50] + again + HOURS[130:])


@pytest.mark.parametrize("every", [2, 3, 5, 24])
def test_some_readings_again_at_regular_times_are_corrections_though_they_look_like_longer_steps(
    every: int, tmp_path: Path
) -> None:
    again = [(at, round(wh * 1.2)) for at, wh in HOURS[7::every]]
    stands = dict(HOURS) | dict(again)
    found = planned(file(tmp_path, "a.csv", lines(HOURS)), file(tmp_path, "b.csv", lines(again)))
    assert found == total(list(stands.items()))


def test_a_file_that_fills_the_regular_gaps_of_another_one_is_taken(tmp_path: Path) -> None:
    gaps = HOURS[3::24]
    rest = [row for row in HOURS if row not in gaps]
    assert planned(file(tmp_path, "a.csv", lines(rest)), file(tmp_path, "b.csv", lines(gaps))) == total(HOURS)


def test_single_values_corrected_at_random_are_taken(tmp_path: Path) -> None:
    rng = random.Random(3)
    for number in range(40):
        again = [(at, rng.randint(1, 3000)) for at, _ in sorted(rng.sample(HOURS, rng.randint(1, 30)))]
        stands = dict(HOURS) | dict(again)
        found = planned(file(tmp_path, "a.csv", lines(HOURS)), file(tmp_path, f"b{number}.csv", lines(again)))
        assert found == total(list(stands.items()))


@pytest.mark.parametrize(("before", "after"), [(60, 30), (30, 60), (1440, 60), (60, 1440), (60, 15)])
@pytest.mark.parametrize("cut", [True, False], ids=["two files", "one file"])
def test_a_step_that_changes_at_some_date_is_taken(
    before: int, after: int, cut: bool, tmp_path: Path
) -> None:
    change = MONDAY + 5 * DAY
    one, other = energy(before, MONDAY, change), energy(after, change, MONDAY + 10 * DAY)
    paths = (
        (file(tmp_path, "a.csv", lines(one)), file(tmp_path, "b.csv", lines(other)))
        if cut
        else (file(tmp_path, "a.csv", lines(one), lines(other)),)
    )
    assert planned(*paths) == total(one + other)
    assert planned(*paths[::-1]) == total(one + other)


def test_a_step_that_changes_is_taken_where_stamps_name_the_ends_and_nobody_says_so(tmp_path: Path) -> None:
    change = MONDAY + 5 * DAY
    one = [(at + HOUR, wh) for at, wh in energy(60, MONDAY, change)]
    other = [(at + HOUR / 2, wh) for at, wh in energy(30, change, MONDAY + 9 * DAY)]
    assert planned(file(tmp_path, "a.csv", lines(one), lines(other))) == total(one + other)


def test_days_between_hours_of_other_days_are_taken(tmp_path: Path) -> None:
    hours = [row for n in range(0, 10, 2) for row in HOURS[24 * n : 24 * n + 24]]
    paths = file(tmp_path, "hours.csv", lines(hours)), file(tmp_path, "days.csv", lines(DAYS[1::2]))
    assert planned(*paths) == total(hours + DAYS[1::2])


def test_gaps_and_irregular_stamps_are_taken(tmp_path: Path) -> None:
    rng = random.Random(5)
    gaps = [row for row in HOURS if rng.random() < 0.6]
    odd = [(at + timedelta(minutes=rng.randint(0, 59)), wh) for at, wh in HOURS]
    path = file(tmp_path, "m.csv", lines(gaps), lines(odd, "ODD"))
    assert planned(path) == total(gaps + odd)
    again = file(tmp_path, "n.csv", lines(gaps[10:90]), lines(odd[20:80], "ODD"))
    assert planned(path, again) == total(gaps + odd)


@pytest.mark.parametrize("month", [3, 10])
def test_days_of_23_and_25_hours_before_hours_are_taken(month: int, tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    change = datetime(2024, month, 31 if month == 3 else 27, tzinfo=zone)
    days = [(change + n * DAY).astimezone(UTC) for n in range(-6, 1)]
    after = (change + DAY).astimezone(UTC)
    rows = [(at, 9000 + n) for n, at in enumerate(days)] + [(after + n * HOUR, 400 + n) for n in range(72)]
    assert planned(file(tmp_path, "m.csv", lines(rows))) == total(rows)


def test_intervals_that_rows_state_are_believed_of_single_readings_too(tmp_path: Path) -> None:
    header = f"{HEADER},interval_minutes"
    hours = [f"{line},60" for line in lines(HOURS)]
    day = [f"{line},1440" for line in lines([(MONDAY + 3 * DAY, 1)])]
    refusal(file(tmp_path, "a.csv", hours, header=header), file(tmp_path, "b.csv", day, header=header))
    later = [f"{line},1440" for line in lines([(MONDAY + 10 * DAY, 1)])]
    file(tmp_path, "b.csv", later, header=header)
    assert planned(tmp_path / "a.csv", tmp_path / "b.csv") == total([*HOURS, (MONDAY, 1)])


def test_events_of_varying_length_are_taken(tmp_path: Path) -> None:
    rng, at, rows = random.Random(9), MONDAY, []
    for _ in range(300):
        minutes = rng.randint(5, 300)
        rows.append(f"M,{at:%Y-%m-%dT%H:%M:%SZ},{rng.randint(1, 9)},{minutes}")
        at += timedelta(minutes=minutes + rng.choice((0, 0, rng.randint(1, 600))))
    path = file(tmp_path, "m.csv", rows, header=f"{HEADER},interval_minutes")
    assert planned(path) > 0


def test_other_meters_and_directions_do_not_matter(tmp_path: Path) -> None:
    hours, days = file(tmp_path, "a.csv", lines(HOURS)), file(tmp_path, "b.csv", lines(DAYS, "M-export"))
    assert planned(hours, days) == total(HOURS + DAYS)


def test_columns_of_a_day_and_of_another_number_are_refused(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        'shape = "day"\ncells = "h\\\\d+"\nstamps = ["%Y-%m-%d"]\nzone = "UTC"\n'
        '[columns]\nmeter_id = "id"\ntimestamp = "day"\n'
    )
    profile = load_custom(toml)

    def days(name: str, columns: int) -> Path:
        header = ",".join(["id", "day", *(f"h{n:02d}" for n in range(columns))])
        rows = [f"M,2024-01-{day:02d}," + ",".join(["0.5"] * columns) for day in range(1, 6)]
        return file(tmp_path, name, rows, header=header)

    problem = refusal(days("hours.csv", 24), days("halves.csv", 48), profile=profile)
    assert "hours.csv, line 2: M has intervals of 60 minutes here and of 30 minutes in" in str(problem)
    assert planned(days("hours.csv", 24), profile=profile) == pytest.approx(60)


def test_days_of_a_register_beside_its_hours_are_refused(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        'difference = true\nzone = "UTC"\nstamps = ["RFC 3339"]\n[columns]\n'
        'meter_id = "meter_id"\ntimestamp = "timestamp"\nconsumption_kwh = "consumption_kwh"\n'
    )
    reads, counted = [], 100_000
    for at, wh in HOURS:
        reads.append((at, counted))
        counted += wh
    profile = load_custom(toml)
    hours, days = file(tmp_path, "hours.csv", lines(reads)), file(tmp_path, "days.csv", lines(reads[::24]))
    assert planned(hours, profile=profile) == total(HOURS[:-1])
    refusal(hours, days, profile=profile)


def nem12(folder: Path, name: str, interval: int, days: range, serial: str = "S1", zeros: str = "") -> Path:
    count = 1440 // interval
    rows = ["100,NEM12,202401010000,A,B", f"200,NMI1,E1,1,E1,N1,{serial},kWh,{interval},"]
    for day in days:
        values = ["0.5"] * count
        if zeros == "morning":
            values[: count // 2] = ["0"] * (count // 2)
        elif zeros == "evening":
            values[count // 2 :] = ["0"] * (count // 2)
        rows.append(f"300,202401{day:02d}," + ",".join(values) + ",A,,,20240201000000,")
    path = folder / name
    path.write_text("\n".join([*rows, "900"]) + "\n")
    return path


def test_half_hours_and_five_minutes_of_a_day_of_nem12_are_refused(tmp_path: Path) -> None:
    profile = PROFILES["nem12"]
    halves, fives = nem12(tmp_path, "a.csv", 30, range(1, 6)), nem12(tmp_path, "b.csv", 5, range(5, 9))
    refusal(halves, fives, profile=profile)
    fives = nem12(tmp_path, "b.csv", 5, range(6, 9))
    assert planned(halves, fives, profile=profile) == pytest.approx(0.5 * (5 * 48 + 3 * 288))


def test_devices_that_replace_each_other_within_a_day_may_have_other_steps(tmp_path: Path) -> None:
    old = nem12(tmp_path, "a.csv", 30, range(5, 6), "OLD", "evening")
    new = nem12(tmp_path, "b.csv", 5, range(5, 6), "NEW", "morning")
    assert planned(old, new, profile=PROFILES["nem12"]) == pytest.approx(0.5 * (24 + 144))


def test_a_walk_keeps_little_of_an_irregular_series() -> None:
    rng, walk, at = random.Random(1), Walk(), 0
    for _ in range(5_000):
        at += rng.randint(1, 10**9)
        walk.take([at])
    assert walk.few is None
    assert len(walk.regular()) < 5
