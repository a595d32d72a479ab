"""Reading files: what is accepted, and how a row that is not is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import SPEC
from replay.files.reading.opening import inspect
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import at

HEADER = "meter_id,timestamp,consumption_kwh\n"
GOOD = HEADER + "M1,2024-01-01T10:00:00Z,2.5\n"


def read(
    folder: Path,
    content: str | bytes,
    *,
    skip_bad: bool = False,
    zone: str = "UTC",
    selection: Selection | None = None,
    tally: Tally | None = None,
) -> list[Row]:
    path = folder / "meters.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    blocks = read_rows(path, SPEC, zone, selection or Selection(), tally or Tally(), skip_bad=skip_bad)
    return [row for block in blocks for row in block]


@pytest.mark.parametrize("meter", ["meter_id", "meterId", "id", " METER_ID "])
@pytest.mark.parametrize("energy", ["consumption_kwh", "consumption", "kwh", "KWH "])
def test_headers_have_aliases_and_are_read_without_case_and_blanks(
    tmp_path: Path, meter: str, energy: str
) -> None:
    text = f"{meter},Timestamp,{energy}\nM1,2024-01-01T10:00:00Z,2.5\n"
    assert read(tmp_path, text) == [(at("10:00"), "M1", 2.5, 0, "")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    assert read(tmp_path, GOOD.replace(",", delimiter)) == [(at("10:00"), "M1", 2.5, 0, "")]


def test_gzip_is_told_by_its_magic_not_by_its_name(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(GOOD.encode())) == [(at("10:00"), "M1", 2.5, 0, "")]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    assert len(read(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())) == 1


def test_a_decimal_comma_is_read_where_the_comma_does_not_delimit(tmp_path: Path) -> None:
    assert read(tmp_path, "id;timestamp;kwh\nM1;2024-01-01 10:00:00;0,25\n")[0][2] == 0.25


def test_a_stamp_without_offset_is_in_the_configured_zone(tmp_path: Path) -> None:
    text = HEADER + "M1,2024-07-01 10:00:00,1\n"
    assert read(tmp_path, text, zone="Europe/London")[0][0] == read(tmp_path, text)[0][0] - 3_600_000_000


def test_two_instants_of_one_name_are_counted(tmp_path: Path) -> None:
    tally = Tally()
    read(tmp_path, HEADER + "M1,2024-10-27 01:30:00,1\n", zone="Europe/London", tally=tally)
    assert tally.ambiguous == 1


def test_optional_columns_go_through_as_json_members(tmp_path: Path) -> None:
    text = (
        'id,timestamp,kwh,interval_minutes,region,voltage,colour\nM1,2024-01-01T10:00Z,1,15,"N ""x""",,red\n'
    )
    assert read(tmp_path, text) == [
        (at("10:00"), "M1", 1.0, 15, ',"interval_minutes":15,"region":"N \\"x\\""'),
    ]
    assert inspect(tmp_path / "meters.csv", SPEC).ignored == ["colour"]


def test_rows_are_chosen_by_time_and_meter(tmp_path: Path) -> None:
    text = HEADER + "".join(
        f"{m},2024-01-01T{h}:00:00Z,1\n" for m in ("A1", "B1") for h in ("09", "10", "11")
    )
    tally = Tally()
    chosen = read(tmp_path, text, selection=Selection(at("10:00"), at("11:00"), "A*"), tally=tally)
    assert [row[:2] for row in chosen] == [(at("10:00"), "A1")]
    assert (tally.rows, tally.left_out) == (6, 5)


BAD_ROWS = {
    "M1,2024-01-01T10:00:00Z,abc": ("consumption_kwh", "not a number"),
    "M1,2024-01-01T10:00:00Z,nan": ("consumption_kwh", "not a number"),
    "M1,2024-01-01T10:00:00Z,1e999": ("consumption_kwh", "not a number"),
    "M1,2024-01-01T10:00:00Z,1_0": ("consumption_kwh", "not a number"),
    "M1,2024-01-01T10:00:00Z,": ("consumption_kwh", "empty"),
    "M1,yesterday,1": ("timestamp", "not a time"),
    "M1,2024-02-30T10:00:00Z,1": ("timestamp", "not a time"),
    ",2024-01-01T10:00:00Z,1": ("meter_id", "empty"),
    "M\x01,2024-01-01T10:00:00Z,1": ("meter_id", "control characters"),
    "M1,2024-01-01T10:00:00Z": ("(row)", "2 columns, the header has 3"),
    "M1,2024-01-01T10:00:00Z,1,2": ("(row)", "4 columns, the header has 3"),
}


@pytest.mark.parametrize("line", BAD_ROWS)
def test_a_bad_row_names_file_line_column_and_the_headers(tmp_path: Path, line: str) -> None:
    column, reason = BAD_ROWS[line]
    with pytest.raises(GridwatchError) as failure:
        read(tmp_path, GOOD + line + "\n")
    message = str(failure.value)
    for part in (
        "meters.csv",
        "line 3",
        f"column {column}",
        reason,
        "headers found: meter_id",
        "meter_id|meterId|id",
    ):
        assert part in message
    assert "--skip-bad" in message
    assert failure.value.exit_code == 1


def test_skip_bad_counts_by_reason_shows_the_first_and_goes_on(tmp_path: Path) -> None:
    tally = Tally()
    lines = [*BAD_ROWS, "M2,2024-01-01T10:00:00Z,1"]
    rows = read(tmp_path, GOOD + "\n".join(lines) + "\n", skip_bad=True, tally=tally)
    assert [row[1] for row in rows] == ["M1", "M2"]
    assert tally.bad.total() == len(BAD_ROWS)
    assert tally.bad["consumption_kwh: not a number"] == 4
    assert [bad.line for bad in tally.examples] == [3, 4, 5, 6, 7]


def test_the_line_told_is_that_of_the_file_also_after_a_cell_of_several_lines(tmp_path: Path) -> None:
    text = GOOD + '"M\n2",2024-01-01T10:00:00Z,1\n\n"M\r\n3",2024-01-01T10:00:00Z,1\nM4,never,1\n'
    tally = Tally()
    read(tmp_path, text, skip_bad=True, tally=tally)
    assert [bad.line for bad in tally.examples] == [4, 7, 8]


def test_bytes_that_are_not_utf8_spoil_their_row_only(tmp_path: Path) -> None:
    tally = Tally()
    rows = read(
        tmp_path,
        (GOOD + "M?,2024-01-01T10:00Z,1\n" + "M2,2024-01-01T10:00Z,1\n").encode().replace(b"?", b"\xff"),
        skip_bad=True,
        tally=tally,
    )
    assert [row[1] for row in rows] == ["M1", "M2"]
    assert list(tally.bad) == ["meter_id: has control characters or bytes that are not UTF-8"]


def test_what_only_the_detector_may_judge_is_sent(tmp_path: Path) -> None:
    assert [
        row[2] for row in read(tmp_path, HEADER + "M,2024-01-01T10:00Z,-1\nM,2024-01-01T10:30Z,1e6\n")
    ] == [-1.0, 1e6]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x7fELF\x00\x01", "binary"),
        (b"id,timestamp,colour\n", "no column consumption_kwh; headers found: id, timestamp, colour"),
        (b"a,b,c\n", "no column meter_id and no column timestamp and no column consumption_kwh"),
        (b"\x1f\x8b\x08garbage", "gzip data is damaged"),
        (gzip.compress(GOOD.encode() * 9000)[:-400], "gzip data is damaged"),
    ],
)
def test_a_file_that_is_no_meter_file_is_told(tmp_path: Path, content: bytes, part: str) -> None:
    with pytest.raises(GridwatchError, match=r"meters\.csv") as failure:
        read(tmp_path, content, skip_bad=True)
    assert part in str(failure.value)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="no such file"):
        inspect(tmp_path / "nothing.csv", SPEC)
    with pytest.raises(GridwatchError, match="cannot be read"):
        inspect(tmp_path, SPEC)
