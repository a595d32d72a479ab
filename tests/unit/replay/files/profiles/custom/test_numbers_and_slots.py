"""Marks that part thousands, other delimiters, and intervals that are named by both of their ends."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.detection.detect import detect
from replay.files.job import Selection
from replay.files.profiles import PROFILES, load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.sources import Source
from replay.files.tally import Tally
from tests.unit.replay.rig import HOUR, MINUTE, at

LONG = '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'
DAY = 'shape = "day"\ncells = "[0-9].*"\n{keys}\n[columns]\nmeter_id = "m"\ntimestamp = "d"\n'
SLOT = (
    'interval = "{minutes}m"\nanchor = "{anchor}"\nzone = "Europe/Berlin"\n[columns]\nmeter_id = "m"\n'
    'timestamp = "d"\nslot = "s"\nconsumption_kwh = "v"\n'
)


def read(folder: Path, toml: str, text: str) -> list[Row]:
    path, profile = folder / "M7.csv", folder / "p.toml"
    path.write_text(text, encoding="utf-8")
    profile.write_text(toml, encoding="utf-8")
    blocks = read_rows(path, load_custom(profile), "UTC", Selection(), Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def values(folder: Path, keys: str, *cells: str) -> list[float]:
    """The values of cells, in a file with a reading a line."""
    lines = [f"M;2024-01-01T10:{n:02d}Z;{cell}" for n, cell in enumerate(cells)]
    return [row[2] for row in read(folder, f"{keys}\n{LONG}", "\n".join(["m;t;v", *lines]) + "\n")]


@pytest.mark.parametrize(
    ("keys", "cells", "kwh"),
    [
        ('thousands = "."', ["1.234", "1.234,5", "12,25", "-1.234.567"], [1234, 1234.5, 12.25, -1234567]),
        ('thousands = "."\ndecimal = ","', ["1.234", "0,5"], [1234, 0.5]),
        ('thousands = ","', ["1,234", "1,234.5", "12.25", "0.125"], [1234, 1234.5, 12.25, 0.125]),
        ('thousands = "\'"', ["1'234", "1'234.5", "0.125"], [1234, 1234.5, 0.125]),
        ('thousands = "’"', ["1’234", "1’234,5"], [1234, 1234.5]),
        ('thousands = " "', ["1 234", "1\xa0234,5", "1\u202f234\u202f567"], [1234, 1234.5, 1234567]),
    ],
)  # fmt: skip
def test_a_mark_parts_thousands(keys: str, cells: list[str], kwh: list[float], tmp_path: Path) -> None:
    assert values(tmp_path, keys, *cells) == kwh


@pytest.mark.parametrize("cell", ["1.23", "12345.678", "1.2345", ".123", "1.234.56", "1,234.567"])
def test_a_mark_of_thousands_elsewhere_is_an_error(cell: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=r"line 3, column v: not a number: '\.' parts thousands"):
        values(tmp_path, 'thousands = "."', "1.234", cell)


def test_thousands_in_files_of_other_shapes(tmp_path: Path) -> None:
    toml = (
        'thousands = "."\nshape = "meters"\ncells = "[AB]"\ninterval = "1h"\n{}[columns]\ntimestamp = "t"\n'
    )
    for split in ("", 'dst = "split"\n'):
        rows = read(tmp_path, toml.format(split), "t;A;B\n2024-01-01T10:00;1.234;0,5\n")
        assert [row[2] for row in rows] == [1234.0, 0.5]


def test_a_mark_of_thousands_that_is_also_another_is_wrong_use(tmp_path: Path) -> None:
    for keys, part in (
        ('thousands = "."\ndecimal = "."', "'.' is the decimal mark, too"),
        ('thousands = "x"', "'x': one of"),
    ):
        with pytest.raises(UsageProblem, match=part):
            values(tmp_path, keys, "1")


def test_marks_that_are_doubtful_name_the_key(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError) as raised:
        values(tmp_path, 'decimal = ","', "1.234.567")
    assert 'thousands = "."' in raised.value.remedy


def test_bars_are_read_as_delimiters(tmp_path: Path) -> None:
    rows = read(tmp_path, LONG, "m|t|v\nM|2024-01-01T10:00Z|0,5\n")
    assert [row[:3] for row in rows] == [(at("10:00"), "M", 0.5)]
    path = tmp_path / "a.csv"
    path.write_text("meter_id|timestamp|kwh\nM|2024-01-01T10:00Z|0.5\n")
    assert detect([Source(path)])[0].name == "spec"
    (rows,) = read_rows(path, PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False)
    assert [row[:3] for row in rows] == [(at("10:00"), "M", 0.5)]


def spans(minutes: int, form: str) -> list[str]:
    """The intervals of a day by both of their ends."""
    found = []
    for start in range(0, 1440, minutes):
        end = start + minutes
        h, m, to_h, to_m = start // 60, start % 60, end // 60, end % 60
        found.append(form.format(h=h, m=m, to_h=to_h, to_m=to_m, over_h=to_h % 24))
    return found


FORMS = [
    (60, "{h:02d}-{to_h:02d}"),
    (60, "{h:02d}-{over_h:02d}"),
    (60, "{h}-{to_h}"),
    (60, "{h:02d}:{m:02d}-{over_h:02d}:{to_m:02d}"),
    (60, "{h:02d}:{m:02d} - {to_h:02d}:{to_m:02d}"),
    (15, "{h:02d}:{m:02d}–{over_h:02d}:{to_m:02d}"),
    (30, "{h}:{m:02d} - {to_h}:{to_m:02d}"),
]


@pytest.mark.parametrize("anchor", ["start", "end"])
@pytest.mark.parametrize(("minutes", "form"), FORMS)
def test_columns_that_are_named_by_both_ends(minutes: int, form: str, anchor: str, tmp_path: Path) -> None:
    headers = spans(minutes, form)
    line = ";".join(["M", "2024-01-01", *(f"{n}" for n in range(len(headers)))])
    toml = DAY.format(keys=f'anchor = "{anchor}"')
    rows = read(tmp_path, toml, ";".join(["m", "d", *headers]) + f"\n{line}\n")
    assert [row[0] for row in rows] == [at("00:00") + n * minutes * MINUTE for n in range(len(headers))]
    assert [row[2] for row in rows] == list(range(len(headers)))


def test_columns_by_both_ends_that_do_not_begin_at_midnight_are_refused(tmp_path: Path) -> None:
    headers = spans(60, "{h:02d}:00-{over_h:02d}:00")
    turned = [*headers[1:], headers[0]]
    text = ";".join(["m", "d", *turned]) + "\n" + ";".join(["M", "2024-01-01", *["1"] * 24]) + "\n"
    with pytest.raises(GridwatchError, match="the first column of a day does not start at midnight"):
        read(tmp_path, DAY.format(keys=""), text)


@pytest.mark.parametrize("anchor", ["start", "end"])
@pytest.mark.parametrize(("minutes", "form"), FORMS)
def test_slots_that_are_named_by_both_ends(minutes: int, form: str, anchor: str, tmp_path: Path) -> None:
    slots = spans(minutes, form)
    text = "m;d;s;v\n" + "".join(f"M;2024-01-02;{slot};{n}\n" for n, slot in enumerate(slots))
    rows = read(tmp_path, SLOT.format(minutes=minutes, anchor=anchor), text)
    first = at("00:00", 2) - HOUR
    assert [row[0] for row in rows] == [first + n * minutes * MINUTE for n in range(len(slots))]


def test_a_repeated_hour_by_both_ends_comes_twice(tmp_path: Path) -> None:
    slots = spans(60, "{h:02d}-{to_h:02d}")
    slots.insert(3, slots[2])
    text = "m;d;s;v\n" + "".join(f"M;{date(2024, 10, 27)};{slot};{n}\n" for n, slot in enumerate(slots))
    rows = read(tmp_path, SLOT.format(minutes=60, anchor="start"), text)
    assert [row[0] - rows[0][0] for row in rows] == [n * HOUR for n in range(25)]


@pytest.mark.parametrize("slot", ["00-02", "01-01", "00:30-01:30", "23:00-01:00", "24-25"])
def test_ends_that_are_not_those_of_the_interval_are_an_error(slot: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="line 2, column s: not from one end of an interval of 60 min"):
        read(tmp_path, SLOT.format(minutes=60, anchor="start"), f"m;d;s;v\nM;2024-01-02;{slot};1\n")
