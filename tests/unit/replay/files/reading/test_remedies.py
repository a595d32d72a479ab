"""An error of a row says what to do: to correct the row only where nothing else is more likely."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import PROFILES, Profile, load_custom
from replay.files.reading.reader import read_rows
from replay.files.tally import Tally

HEADER = "meter_id;timestamp;kwh"


def remedy(folder: Path, profile: Profile, *rows: str, header: str = HEADER, zone: str = "UTC") -> str:
    path = folder / "a.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(GridwatchError) as raised:
        list(read_rows(path, profile, zone, Selection(), Tally(), skip_bad=False))
    return raised.value.remedy


@pytest.mark.parametrize(
    ("stamp", "forms"),
    [
        ("31/12/2024 10:30", '["%d/%m/%Y %H:%M"]'),
        ("12/31/2024 10:30:00", '["%m/%d/%Y %H:%M:%S"]'),
        ("01.02.2024 10:30", '["%d.%m.%Y %H:%M"] or ["%m.%d.%Y %H:%M"]'),
        ("31-12-24", '["%d-%m-%y"]'),
        ("1/31/2024 1:30 PM", '["%m/%d/%Y %I:%M %p"]'),
        ("1/31/2024 1:30pm", '["%m/%d/%Y %I:%M%p"]'),
    ],
)
def test_dates_in_another_form_name_the_key(stamp: str, forms: str, tmp_path: Path) -> None:
    said = remedy(tmp_path, PROFILES["spec"], f"M;{stamp};1")
    assert said.startswith(f"say how stamps are written in a profile of your own: stamps = {forms}, or go on")


def test_a_date_that_there_is_not_is_for_the_row_to_correct(tmp_path: Path) -> None:
    assert remedy(tmp_path, PROFILES["spec"], "M;31/02/2024 10:30;1").startswith("correct the row, or go on")


def test_an_hour_that_the_clocks_skipped_asks_for_the_zone(tmp_path: Path) -> None:
    said = remedy(tmp_path, PROFILES["spec"], "M;2024-03-31T02:30;1", zone="Europe/Berlin")
    assert said.startswith("name the zone that the stamps are in with --zone: UTC where no hour is skipped")


@pytest.mark.parametrize(
    "rows", [["M;2024-01-01T10:00Z;0.5", "M;2024-01-01T11:00Z;0,5"], ["M;2024-01-01T10:00Z;1.234.567"]]
)
def test_decimal_marks_name_the_keys(rows: list[str], tmp_path: Path) -> None:
    said = remedy(tmp_path, PROFILES["spec"], *rows)
    assert said.startswith('say which mark is which in a profile of your own, such as decimal = ","')


@pytest.mark.parametrize("cell", ["", "-", "NA", "n"])
def test_cells_that_seem_to_have_no_value_name_the_key(cell: str, tmp_path: Path) -> None:
    said = remedy(tmp_path, PROFILES["spec"], f"M;2024-01-01T10:00Z;{cell}")
    assert f'nulls = ["{cell}"]' in said


def test_stamps_of_two_kinds_say_what_to_write(tmp_path: Path) -> None:
    said = remedy(tmp_path, PROFILES["spec"], "M;2024-01-01T10:00Z;1", "M;2024-01-01T11:00;1")
    assert said.startswith("write all stamps with an offset, or none")


def test_power_in_other_steps_names_the_interval(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        'unit = "kW"\ninterval = "1h"\n[columns]\nmeter_id = "meter_id"\ntimestamp = "timestamp"\n'
        'consumption_kwh = "kwh"\n'
    )
    said = remedy(tmp_path, load_custom(toml), "M;2024-01-01T10:00Z;1", "M;2024-01-01T10:15Z;1")
    assert said.startswith('give the interval that the file has, or interval = "stamps"')


def test_a_register_that_falls_asks_whether_it_is_one(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        'difference = true\n[columns]\nmeter_id = "meter_id"\ntimestamp = "timestamp"\n'
        'consumption_kwh = "kwh"\n'
    )
    said = remedy(tmp_path, load_custom(toml), "M;2024-01-01T10:00Z;900", "M;2024-01-01T10:15Z;800")
    assert said.startswith("correct the row, or the profile: no difference = true if values are the energy")


def test_rows_that_only_are_wrong_are_to_be_corrected_or_skipped(tmp_path: Path) -> None:
    said = remedy(tmp_path, PROFILES["spec"], ";2024-01-01T10:00Z;1")
    assert said == "correct the row, or go on without bad rows: --skip-bad"
