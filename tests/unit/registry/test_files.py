"""CSV files: rows keep the number of the line that they begin in, whatever is wrong around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError
from gridwatch.registry.entities import METER, OUTAGE, REGION, Entity
from gridwatch.registry.files import check_columns, open_table
from gridwatch.registry.problems import Problems


def read(path: Path, text: bytes, entity: Entity = METER) -> tuple[list[tuple[int, list[str]]], Problems]:
    path = path / "some.csv"
    path.write_bytes(text)
    problems = Problems()
    with open_table(path, entity, problems) as table:
        return [(line, list(row)) for line, row in table.rows], problems


def test_blank_lines_count_as_lines_and_are_no_rows(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, b"meter_id\n\nM1\n\nM2\n")
    assert rows == [(3, ["M1"]), (5, ["M2"])]
    assert problems.count == 0


def test_a_cell_of_two_lines_counts_as_two(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b'meter_id,feeder\nM1,"a\nb"\nM2,c\n')
    assert rows == [(2, ["M1", "a\nb"]), (4, ["M2", "c"])]


def test_ragged_rows_are_problems(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, b"meter_id,feeder\nM1\nM2,b\nM3,c,d\n")
    assert rows == [(3, ["M2", "b"])]
    assert [(one.line, one.message) for one in problems.shown] == [
        (2, "has 1 cells instead of 2"),
        (4, "has 3 cells instead of 2"),
    ]


def test_a_line_that_is_not_utf8_is_a_problem_and_others_keep_their_numbers(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, b"meter_id\nM\xff\nM2\n")
    assert rows == [(3, ["M2"])]
    assert [(one.line, one.field) for one in problems.shown] == [(2, "row")]


def test_quotes_that_never_end_are_a_problem(tmp_path: Path) -> None:
    _, problems = read(tmp_path, b'meter_id,feeder\nM1,"a\nM2,b\n')
    assert [one.line for one in problems.shown] == [2]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_of_the_header_are_those_of_the_file(tmp_path: Path, delimiter: str) -> None:
    text = f"meter_id{delimiter}feeder\r\nM1{delimiter}F\r\n".encode()
    assert read(tmp_path, text)[0] == [(2, ["M1", "F"])]


def test_lines_are_counted_for_progress(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b"meter_id\nM1\nM2")
    with open_table(path, METER, Problems()) as table:
        assert table.count == 2


def test_a_header_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="line 1 is not UTF-8"):
        read(tmp_path, b"meter_id\xff\n")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="cannot be read"), open_table(tmp_path, METER, Problems()):
        pass


@pytest.mark.parametrize(
    ("entity", "head", "what"),
    [
        (METER, ["meter_id", "intervall"], "unknown column 'intervall', did you mean interval?"),
        (METER, ["meter_id", "x"], "unknown column 'x'"),
        (REGION, ["region"], "column capacity_kw is missing"),
        (OUTAGE, ["outage_id", "scope", "target", "from"], "column until is missing"),
    ],
)
def test_columns_that_are_wrong_are_named(entity: Entity, head: list[str], what: str) -> None:
    with pytest.raises(GridwatchError, match=what.replace("?", r"\?")) as refusal:
        check_columns("f", head, entity)
    assert ", ".join(entity.by_name) in refusal.value.remedy
