"""Files as they should not be: told with file, line and what was expected, or counted and written down."""

from __future__ import annotations

import csv
import gzip
import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from gridwatch.cli import run
from gridwatch.errors import GridwatchError
from replay.files.detection.detect import detect
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.sources import Source, expand
from replay.files.tally import Tally
from tests.unit.replay import public_sets

SPEC_TEXT = "meter_id,timestamp,consumption_kwh\nM1,2024-01-01T10:00:00Z,2.5\n"


def read(
    path: Path, profile: str = "spec", *, skip_bad: bool = False, tally: Tally | None = None
) -> list[Row]:
    return [
        row
        for source in expand([path])
        for block in read_rows(
            source, PROFILES[profile], "UTC", Selection(), tally or Tally(), skip_bad=skip_bad
        )
        for row in block
    ]


def failure(path: Path, profile: str = "spec", **options: bool) -> str:
    with pytest.raises(GridwatchError) as raised:
        read(path, profile, **options)
    assert path.name in str(raised.value)
    return str(raised.value)


def file(folder: Path, text: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def zipped(folder: Path, members: dict[str, str]) -> Path:
    path = folder / "files.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_zip_that_was_cut_is_damaged(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a.csv": SPEC_TEXT * 50})
    path.write_bytes(path.read_bytes()[:-40])
    assert "zip data is damaged" in failure(path)


def test_a_zip_whose_data_is_spoilt_is_damaged(tmp_path: Path) -> None:
    lines = "".join(f"M1,2024-01-01T10:00:00Z,{n * 7919 % 1009}.{n}\n" for n in range(60_000))
    path = zipped(tmp_path, {"a.csv": "id,timestamp,kwh\n" + lines})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "damaged" in failure(path, skip_bad=True)


def test_a_gzip_that_was_cut_says_after_which_line(tmp_path: Path) -> None:
    lines = "".join(f"M1,2024-01-01T10:00:00Z,{n * 7919 % 1009}.{n}\n" for n in range(60_000))
    path = file(tmp_path, gzip.compress(("id,timestamp,kwh\n" + lines).encode())[:-2000], "file.csv.gz")
    assert "after line" in failure(path)


def test_half_a_line_at_the_end_is_a_bad_row(tmp_path: Path) -> None:
    message = failure(file(tmp_path, SPEC_TEXT + "M1,2024-01-01T10:3"))
    assert "line 3" in message
    assert "2 columns, the header has 3" in message


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "goiener"])
def test_the_wrong_profile_is_told_at_once(profile: str, tmp_path: Path) -> None:
    text = "colour,weight,age\nred,1,2\nblue,2,3\n"
    message = failure(file(tmp_path, text), profile)
    assert "line 1" in message
    assert "accepted" in message or "expected" in message or "not a Green Button file" in message


def test_stamps_with_and_without_offset_are_mixed_zones(tmp_path: Path) -> None:
    message = failure(file(tmp_path, SPEC_TEXT + "M1,2024-01-01 11:00:00,1\n"))
    assert "line 3" in message
    assert "mixed zones: the stamp has no offset, those before it had one" in message


def test_a_mark_and_blank_lines_before_the_header_are_passed_over(tmp_path: Path) -> None:
    path = file(tmp_path, b"\xef\xbb\xbf\r\n\n" + SPEC_TEXT.replace("\n", "\r\n").encode())
    assert [row[1:3] for row in read(path)] == [("M1", 2.5)]
    assert "line 5" in failure(file(tmp_path, "\n\n" + SPEC_TEXT + "M1,yesterday,1\n"))
    assert "line 3: no column" in failure(file(tmp_path, "\n\nmeter,time\n"))


def test_rows_of_empty_cells_are_passed_over_and_noted(tmp_path: Path) -> None:
    for profile, text in (
        ("spec", SPEC_TEXT + ",,\n , ,\n"),
        ("simbench", "time;H0\n01.01.2016 00:00;1\n;\n;\n"),
    ):
        tally = Tally()
        assert len(read(file(tmp_path, text), profile, tally=tally)) == 1
        assert tally.notes == {"rows of empty cells: passed over": 2}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_with_its_mark_is_read_and_without_it_told(encoding: str, tmp_path: Path) -> None:
    path = file(tmp_path, SPEC_TEXT.encode(encoding))
    if encoding == "utf-16":
        assert len(read(path)) == 1
    else:
        assert "marked as UTF-16" in failure(path)


def test_utf16_that_was_cut_is_told(tmp_path: Path) -> None:
    assert "utf-16" in failure(file(tmp_path, SPEC_TEXT.encode("utf-16")[:-1]))


def test_a_decimal_comma_in_a_file_of_points_is_told(tmp_path: Path) -> None:
    assert "is it a decimal comma" in failure(file(tmp_path, SPEC_TEXT + "M1,2024-01-01T10:30:00Z,0,25\n"))
    assert "decimal comma in a file of" in failure(
        file(tmp_path, SPEC_TEXT + 'M1,2024-01-01T10:30:00Z,"0,25"\n')
    )
    text = SPEC_TEXT.replace(",", ";")
    assert "decimal comma in a file of" in failure(file(tmp_path, text + "M1;2024-01-01T10:30:00Z;0,25\n"))
    text = text.replace("2.5", "2,5")
    assert "decimal point in a file of" in failure(file(tmp_path, text + "M1;2024-01-01T10:30:00Z;0.25\n"))


def test_a_second_header_row_is_told_as_such(tmp_path: Path) -> None:
    header, row = SPEC_TEXT.splitlines()
    path = file(tmp_path, f"{header}\n{header}\n{row}\n")
    assert "line 2, column (row): a second header row" in failure(path)
    assert len(read(path, skip_bad=True)) == 1


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    path = file(tmp_path, "KWH/hh (per half hour) ,DateTime,LCLid\r\n 0.2 ,2012-10-12 00:30:00.0000000,M\r\n")
    assert [row[1:4] for row in read(path, "london")] == [("M", 0.2, 30)]


def test_columns_of_a_file_without_header_in_another_order_are_told(tmp_path: Path) -> None:
    assert "line 1, column timestamp: not a day" in failure(file(tmp_path, "19503 1392 0.14\n"), "cer")


@pytest.mark.parametrize("number", ["19549", "19500", "00010"])
def test_a_half_hour_that_the_day_has_not_is_told(number: str, tmp_path: Path) -> None:
    assert "half-hour" in failure(file(tmp_path, f"1392 {number} 0.14\n"), "cer")


def test_half_hours_that_the_clocks_skipped_are_told_one_by_one(tmp_path: Path) -> None:
    text = "".join(f"1392 452{n:02d} 0.1\n" for n in range(1, 49))
    tally = Tally()
    assert len(read(file(tmp_path, text), "cer", skip_bad=True, tally=tally)) == 46
    assert tally.bad.total() == 2


def test_nem12_that_begins_with_a_blank_line_is_the_same(tmp_path: Path) -> None:
    path = file(tmp_path, "\r\n" + public_sets.nem12(header=False)[0])
    assert detect([Source(path)])[0].name == "nem12"
    assert "line 2, column (row): the first record is not a 100 record" in failure(path, "nem12")


def test_nem12_without_its_first_record_is_told_or_counted(tmp_path: Path) -> None:
    text, truth = public_sets.nem12(header=False)
    path = file(tmp_path, text)
    assert "line 1, column (row): the first record is not a 100 record" in failure(path, "nem12")
    tally = Tally()
    assert len(read(path, "nem12", skip_bad=True, tally=tally)) == len(truth)
    assert tally.bad.total() == 1


@pytest.mark.parametrize(
    ("before", "after", "line", "part"),
    [
        (",kWh,30,", ",kWh,thirty,", 2, "not a number of minutes"),
        (",kWh,30,", ",kWh,7,", 2, "5, 15 or 30 minutes, or divides"),
        ("NEM12", "NEM13", 1, "only interval data"),
        ("300,20040201,", "300,2004-02,", 3, "not a date"),
        ("300,20040202,", "300,20040202,many", 4, "not a number"),
        ("400,21,40,", "400,40,21,", 7, "not a 400 record"),
        ("300,20040201,", "301,20040201,", 3, "none of 100"),
    ],
)
def test_a_bad_nem12_record_names_its_line(
    before: str, after: str, line: int, part: str, tmp_path: Path
) -> None:
    text = public_sets.nem12()[0].replace(before, after, 1)
    message = failure(file(tmp_path, text), "nem12")
    assert f"line {line}," in message
    assert part in message


def test_days_of_a_200_record_that_is_bad_are_not_taken_for_those_before(tmp_path: Path) -> None:
    text = public_sets.nem12()[0].replace(",B1,N1,METSER123,Wh,30,", ",B1,N1,METSER123,Wh,x,")
    rows = read(file(tmp_path, text), "nem12", skip_bad=True)
    assert {row[1] for row in rows} == {"6001000163-E1"}


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
OUTSIDE = '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "document_type",
    [OUTSIDE, f'<!DOCTYPE feed [<!ENTITY e0 "lol">{BOMB}]>', '<!DOCTYPE feed SYSTEM "http://x/">'],
)
def test_a_document_type_in_a_green_button_file_is_refused(document_type: str, tmp_path: Path) -> None:
    name = "x" if "ENTITY x" in document_type else "e11"
    extra = f"<title>&{name};</title>" if "ENTITY" in document_type else ""
    text, _ = public_sets.green_button(before_feed=document_type + "\n", feed_extra=extra)
    tracemalloc.start()
    message = failure(file(tmp_path, text, "gb.xml"), "green-button", skip_bad=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "line 2" in message
    assert "refused" in message
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("<a>" * 100_000, "more than 64 deep"),
        ("<feed><title " + "a" * 6_000_000, "an element without end"),
        ("<feed><entry><content><IntervalBlock><IntervalReading>" + "<quality>1</quality>" * 50_000, "parts"),
        ("<feed><title>" + "long " * 2_000_000, "not whole XML"),
        ("<feed><!-- naesb.org/espi " + "x" * 6_000_000, "an element without end"),
    ],
)
def test_xml_that_would_fill_the_memory_is_refused(text: str, part: str, tmp_path: Path) -> None:
    path = file(tmp_path, '<?xml version="1.0"?><feed xmlns="http://naesb.org/espi">\n' + text, "gb.xml")
    tracemalloc.start()
    message = failure(path, "green-button", skip_bad=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert part in message
    assert "line" in message
    assert peak < 20_000_000


def test_half_a_green_button_file_is_told_with_its_line(tmp_path: Path) -> None:
    text, _ = public_sets.green_button()
    message = failure(file(tmp_path, text[: len(text) // 2], "gb.xml"), "green-button", skip_bad=True)
    assert "not whole XML" in message
    assert "line" in message


def test_a_bad_reading_of_a_green_button_file_is_told_or_counted(tmp_path: Path) -> None:
    text, truth = public_sets.green_button()
    path = file(tmp_path, text.replace("<value>1237</value>", "<value>many</value>", 1), "gb.xml")
    message = failure(path, "green-button")
    assert "column value: not a number" in message
    tally = Tally()
    assert len(read(path, "green-button", skip_bad=True, tally=tally)) == len(truth) - 1
    assert tally.bad == {"value: not a number": 1}


def test_a_green_button_file_without_reading_types_says_so(tmp_path: Path) -> None:
    text, _ = public_sets.green_button()
    path = file(tmp_path, text.replace("ReadingType>", "OtherType>"), "gb.xml")
    assert "no ReadingType belongs to this IntervalBlock" in failure(path, "green-button")


def test_rejected_rows_are_all_written_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, SPEC_TEXT + "".join(f"M1,2024-01-01T1{n}:00:00Z,bad{n}\n" for n in range(9)))
    out = tmp_path / "rejected.csv"
    options = ["--dry-run", "--json", "--skip-bad", "--rejected", str(out)]
    assert run(["replay", str(path), *options]) == 0
    assert json.loads(capsys.readouterr().out)["bad_rows"] == {"consumption_kwh: not a number": 9}
    with out.open(newline="") as lines:
        found = list(csv.DictReader(lines))
    assert [row["line"] for row in found] == [str(n) for n in range(3, 12)]
    assert found[0]["row"] == "M1,2024-01-01T10:00:00Z,bad0"


def test_rejected_without_skip_bad_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(file(tmp_path, SPEC_TEXT)), "--rejected", "x.csv"]) == 2
    assert "--skip-bad" in capsys.readouterr().err


def test_a_line_of_a_wide_file_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    text = '"";"MT_001";"MT_002"\n"2011-06-01 00:15:00";1;x\n"2011-06-01 00:30:00";1;2\n'
    tally = Tally()
    rows = read(file(tmp_path, text), "uci", skip_bad=True, tally=tally)
    assert [row[1] for row in rows] == ["MT_001", "MT_002"]
    assert tally.bad.total() == 1


def test_a_file_without_line_ends_is_told_before_it_is_read_whole(tmp_path: Path) -> None:
    assert "no line end" in failure(file(tmp_path, "x," * 200_000))


def test_a_line_without_end_further_down_is_told_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.files.reading.opening.LONGEST_LINE", 1 << 20)
    path = file(tmp_path, gzip.compress((SPEC_TEXT * 500 + "x" * 30_000_000).encode()), "file.csv.gz")
    tracemalloc.start()
    message = failure(path, skip_bad=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "line 1001: no line end in 1 MB" in message
    assert peak < 12_000_000


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    rows = "M1,2024-01-01T10:30:00Z,1\n" * 10_000
    assert "line" in failure(file(tmp_path, SPEC_TEXT + '"M1,2024-01-01T10:30:00Z,1\n' + rows))


def test_a_spreadsheet_is_told_and_notes_beside_the_data_are_passed_over(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})
    with pytest.raises(GridwatchError, match="a spreadsheet"):
        read(path)
    members = {"notes.pdf": "%PDF", "a.csv": SPEC_TEXT, "LICENSE": "free"}
    assert expand([zipped(tmp_path, members)]) == (Source(path, "a.csv"),)


def test_gzip_within_zip_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv.gz", gzip.compress(SPEC_TEXT.encode()))
    assert len(read(path)) == 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv.gz", gzip.compress(SPEC_TEXT.encode())[:-9])
    assert "damaged" in failure(path)


def test_an_archive_with_a_password_or_without_files_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"a.csv": SPEC_TEXT})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(GridwatchError, match="locked with a password"):
        read(path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(GridwatchError, match="no meter files in this folder"):
        expand([empty])
    with pytest.raises(GridwatchError, match="no file has such a name"):
        expand([tmp_path / "*.parquet"])


def test_folders_patterns_and_archives_are_opened(tmp_path: Path) -> None:
    deep = tmp_path / "year" / "month"
    deep.mkdir(parents=True)
    file(deep, SPEC_TEXT, "a.csv")
    file(deep, gzip.compress(SPEC_TEXT.encode()), "b.csv.gz")
    file(deep, "notes", "README.md")
    archive = zipped(deep, {"c.csv": SPEC_TEXT, "__MACOSX/._c.csv": "x", "d/e.txt": SPEC_TEXT})
    members = [Source(archive, "c.csv"), Source(archive, "d/e.txt")]
    assert expand([tmp_path]) == (Source(deep / "a.csv"), Source(deep / "b.csv.gz"), *members)
    assert expand([tmp_path / "year" / "*" / "*.csv"]) == (Source(deep / "a.csv"),)
    assert len(read(tmp_path)) == 4
