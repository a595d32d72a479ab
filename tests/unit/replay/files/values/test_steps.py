"""Power in steps that vary: energy over the step that was, or an error that names the distance."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import at


def read(
    folder: Path, values: list[tuple[str, str]], interval: str = "stamps", anchor: str = "end",
    unit: str = "kW", tally: Tally | None = None,
) -> list[Row]:  # fmt: skip
    """The rows of (clock, value) of one meter on 2024-01-01."""
    toml = folder / "p.toml"
    toml.write_text(
        f'unit = "{unit}"\ninterval = "{interval}"\nanchor = "{anchor}"\nnulls = [""]\n'
        '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'
    )
    path = folder / "M.csv"
    lines = [f"M,2024-01-01T{clock}Z,{value}" for clock, value in values]
    path.write_text("\n".join(["m,t,v", *lines]) + "\n")
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), tally or Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def brief(rows: list[Row]) -> list[tuple[int, float, int]]:
    return sorted((row[0], row[2], row[3]) for row in rows)


ENDS = [("10:00", "1"), ("11:00", "2"), ("12:00", "3"), ("12:30", "4"), ("12:40", "6"), ("12:50", "6")]
STARTS = [("10:00", "1"), ("11:00", "2"), ("12:00", "3"), ("12:30", "4"), ("12:40", "6"), ("12:50", "6")]


@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
def test_a_value_at_the_end_counts_since_the_stamp_before(order: int, tmp_path: Path) -> None:
    assert brief(read(tmp_path, ENDS[::order])) == [
        (at("09:00"), 1.0, 60), (at("10:00"), 2.0, 60), (at("11:00"), 3.0, 60), (at("12:00"), 2.0, 30),
        (at("12:30"), 1.0, 10), (at("12:40"), 1.0, 10),
    ]  # fmt: skip


@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
def test_a_value_at_the_start_counts_until_the_next_stamp(order: int, tmp_path: Path) -> None:
    assert brief(read(tmp_path, STARTS[::order], anchor="start")) == [
        (at("10:00"), 1.0, 60), (at("11:00"), 2.0, 60), (at("12:00"), 1.5, 30),
        (at("12:30"), 0.666666666667, 10),
        (at("12:40"), 1.0, 10), (at("12:50"), 1.0, 10),
    ]  # fmt: skip


def test_a_longer_step_between_shorter_ones_is_a_gap(tmp_path: Path) -> None:
    values = [("10:00", "1"), ("10:30", "1"), ("12:30", "1"), ("13:00", "1"), ("15:00", "1")]
    assert [row[2] for row in read(tmp_path, values)] == [0.5] * 5
    assert [row[2] for row in read(tmp_path, values, anchor="start")] == [0.5] * 5


def test_a_stamp_without_a_value_ends_a_step(tmp_path: Path) -> None:
    values = [("10:00", "1"), ("10:30", "1"), ("11:00", ""), ("11:30", "1")]
    tally = Tally()
    assert [row[2] for row in read(tmp_path, values, tally=tally)] == [0.5] * 3
    assert tally.null_values == 1


def test_steps_that_vary_are_told_with_their_counts(tmp_path: Path) -> None:
    tally = Tally()
    read(tmp_path, ENDS, tally=tally)
    assert [note.partition(": ")[2] for note in tally.notes] == [
        "steps that vary: 60 min × 3, 10 min × 2, 30 min × 1"
    ]


#: Local days of Berlin with 1 kW each, and how many hours they have.
DAYS = {
    "autumn": [("10-25", 24), ("10-26", 24), ("10-27", 25), ("10-28", 24), ("10-29", 24)],
    "spring": [("03-29", 24), ("03-30", 24), ("03-31", 23), ("04-01", 24), ("04-02", 24)],
    "long day first": [("10-27", 25), ("10-28", 24), ("10-29", 24)],
    "long day last": [("10-25", 24), ("10-26", 24), ("10-27", 25)],
    "day behind a long one last": [("10-26", 24), ("10-27", 25), ("10-28", 24)],
    "long day before a gap": [("10-25", 24), ("10-26", 24), ("10-27", 25), ("10-29", 24), ("10-30", 24)],
    "long day behind a gap": [("10-24", 24), ("10-25", 24), ("10-27", 25), ("10-28", 24), ("10-29", 24)],
}


@pytest.mark.parametrize("stamp", ["%Y-%m-%dT00:00", "%Y-%m-%d"])
@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
@pytest.mark.parametrize("anchor", ["start", "end"])
@pytest.mark.parametrize("season", DAYS)
def test_power_once_a_day_counts_the_hours_that_the_day_has(
    season: str, anchor: str, order: int, stamp: str, tmp_path: Path
) -> None:
    toml, path, tally = tmp_path / "p.toml", tmp_path / "M.csv", Tally()
    toml.write_text(
        f'unit = "kW"\ninterval = "stamps"\nanchor = "{anchor}"\nzone = "Europe/Berlin"\n'
        f'stamps = ["{stamp.replace("00:00", "%H:%M")}"]\nmeter_from_file = true\n'
        '[columns]\ntimestamp = "t"\nconsumption_kwh = "v"\n'
    )
    days = [(datetime.fromisoformat(f"2024-{day}"), hours) for day, hours in DAYS[season]]
    lines = [f"{day + timedelta(days=anchor == 'end'):{stamp}},1" for day, _ in days]
    path.write_text("\n".join(["t,v", *lines[::order]]) + "\n")
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), tally, skip_bad=False)
    found = brief([row for block in blocks for row in block])
    berlin = ZoneInfo("Europe/Berlin")
    assert found == [
        (round(day.replace(tzinfo=berlin).timestamp() * 1e6), float(hours), 1440) for day, hours in days
    ]
    assert not tally.notes


def test_days_by_utc_have_24_hours_in_any_zone(tmp_path: Path) -> None:
    toml, path = tmp_path / "p.toml", tmp_path / "M.csv"
    toml.write_text(
        'unit = "kW"\ninterval = "stamps"\nanchor = "start"\nzone = "Europe/Berlin"\nmeter_from_file = true\n'
        '[columns]\ntimestamp = "t"\nconsumption_kwh = "v"\n'
    )
    path.write_text("t,v\n" + "".join(f"2024-10-{day}T00:00Z,1\n" for day in range(25, 30)))
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False)
    assert [row[2] for block in blocks for row in block] == [24.0] * 5


def test_energy_keeps_its_value_and_gets_the_step_as_interval(tmp_path: Path) -> None:
    assert [(row[2], row[3]) for row in read(tmp_path, ENDS, unit="kWh")][2:4] == [(3.0, 60), (4.0, 30)]


def test_a_single_value_of_unknown_length_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=r"line 2, column v: the only value of its meter"):
        read(tmp_path, [("10:00", "1")])


def test_with_one_interval_nearer_stamps_are_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        GridwatchError, match=r"line 3, column v: the stamps are 10 min apart and the interval is 30 min"
    ):
        read(tmp_path, [("10:00", "1"), ("10:10", "1")], interval="30m")


def test_with_one_interval_several_equal_longer_steps_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        GridwatchError, match=r"line 5, column v: the stamps are 60 min apart.*interval = \"stamps\""
    ):
        read(tmp_path, [("10:00", "1"), ("11:00", "1"), ("12:00", "1"), ("13:00", "1")], interval="30m")


def test_with_one_interval_a_gap_is_a_gap_and_noted(tmp_path: Path) -> None:
    tally = Tally()
    values = [("10:00", "1"), ("10:30", "1"), ("13:00", "1"), ("13:30", "1")]
    assert [row[2] for row in read(tmp_path, values, interval="30m", tally=tally)] == [0.5] * 4
    assert any("power 150 min apart, each counted over 30 min" in note for note in tally.notes)


def test_power_from_one_stamp_until_another_counts_over_that_time(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        'unit = "kW"\nmeter_from_file = true\n[columns]\ntimestamp = "a"\nuntil = "b"\n'
        'consumption_kwh = "v"\n'
    )
    path = tmp_path / "M.csv"
    path.write_text("a,b,v\n2024-01-01T10:00Z,2024-01-01T10:15Z,4\n2024-01-01T10:15Z,2024-01-01T11:15Z,4\n")
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False)
    assert [row[:4] for block in blocks for row in block] == [
        (at("10:00"), "M", 1.0, 15), (at("10:15"), "M", 4.0, 60),
    ]  # fmt: skip
    path.write_text("a,b,v\n2024-01-01T10:15Z,2024-01-01T10:00Z,4\n")
    with pytest.raises(GridwatchError, match=r"line 2, .*the end of an interval lies before its start"):
        list(read_rows(path, load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False))
