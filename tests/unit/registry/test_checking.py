"""Rows are checked by the rules of the domain, a distinct value once, with the same result as row by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.policy import Policy
from gridwatch.domain.validation.findings import Refusal
from gridwatch.registry.cells import copy_text, value_of
from gridwatch.registry.checking import Checker, Known
from gridwatch.registry.entities import METER, OUTAGE, REGION, VERSION, Entity
from gridwatch.registry.problems import SHOWN, Problem, Problems, RefusedError

KNOWN = Known(("smartmeter",), frozenset({"R01"}))


def check(entity: Entity, head: list[str], *rows: list[str]) -> tuple[list[str], list[Problem]]:
    problems = Problems()
    checker = Checker(entity, head, Policy(), KNOWN, problems)
    lines = list(checker.lines(enumerate(rows, 2)))
    return lines, problems.shown


def test_rows_are_copy_text_in_the_order_that_the_checker_says() -> None:
    checker = Checker(
        METER, ["feeder", "removed_at", "meter_id", "installed_at"], Policy(), KNOWN, Problems()
    )
    assert checker.order == ("meter_id", "feeder", "installed_at", "removed_at")
    rows = [(2, ["a\\b", "", "M1", "2024-01-01T00:00:00+01:00"])]
    assert list(checker.lines(rows)) == ["2\tM1\ta\\\\b\t2023-12-31T23:00:00Z\t\\N\n"]


def test_a_row_with_a_problem_keeps_its_key_alone() -> None:
    lines, problems = check(METER, ["meter_id", "status", "feeder"], ["M1", "off", "F"])
    assert lines == ["2\tM1\t\\N\t\\N\n"]
    assert [one.field for one in problems] == ["status"]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("max_kw", "8,5"), ("max_kw", "0"), ("max_kw", "8 kW"), ("max_kw", "inf"), ("fuse_amps", "-1"),
        ("register_digits", "6.0"), ("register_digits", "2"), ("grace", "33d"), ("grace", "0s"),
        ("interval", "1500ms"), ("interval", "2mo"), ("anchor", "middle"), ("energy_mode", "both"),
        ("timezone", "CET+1"), ("version", "0"), ("version", "1.5"), ("valid_from", "2024-01-01"),
        ("feeder", "x" * 257), ("feeder", "a\x00b"), ("flow", "other"), ("region", "R02"),
    ],
)  # fmt: skip
def test_a_value_that_the_stream_would_refuse_is_a_problem(name: str, cell: str) -> None:
    _, [problem] = check(METER, ["meter_id", name], ["M1", cell])
    assert (problem.line, problem.field) == (2, name)


def test_a_version_may_be_left_empty() -> None:
    assert check(METER, ["meter_id", VERSION], ["M1", ""]) == (["2\tM1\t\\N\n"], [])


def test_lists_of_dates_have_blanks_or_semicolons_between_them() -> None:
    column = REGION.by_name["holidays"]
    for cell in ("2026-12-25 2026-12-26", "2026-12-25;2026-12-26", " 2026-12-25; 2026-12-26 "):
        assert value_of(column, cell) == ["2026-12-25", "2026-12-26"]
        assert copy_text(column, cell) == "{2026-12-25,2026-12-26}"
    _, [problem] = check(REGION, ["region", "holidays"], ["R1", "25.12.2026"])
    assert "list of dates" in problem.message


def test_yes_and_no_are_written_in_several_ways() -> None:
    column = OUTAGE.by_name["cancelled"]
    assert [value_of(column, cell) for cell in ("true", "Yes", "1", "false", "no", "0", "", "maybe")] == [
        *(True, True, True, False, False, False, None, "maybe")
    ]


_CELLS = {
    "status": ["active", "removed", "", "gone"],
    "installed_at": ["2024-01-01T00:00:00Z", "", "2025-01-01T00:00:00Z", "soon"],
    "removed_at": ["2024-06-01T00:00:00Z", "", "2023-01-01T00:00:00Z"],
    "interval": ["15m", "1d", "", "1x"],
    "timezone": ["Europe/Berlin", "", "Nowhere"],
    "max_kw": ["17", "", "-1"],
    "register_digits": ["6", "", "99"],
}


@given(st.lists(st.tuples(*map(st.sampled_from, _CELLS.values())), min_size=1, max_size=8))
def test_a_row_is_refused_exactly_if_the_domain_refuses_its_record(rows: list[tuple[str, ...]]) -> None:
    head = ["meter_id", *_CELLS]
    _, problems = check(METER, head, *(["M1", *row] for row in rows))
    refused = {problem.line for problem in problems}
    for line, row in enumerate(rows, 2):
        values: dict[str, Any] = {
            name: value_of(METER.by_name[name], cell) for name, cell in zip(_CELLS, row, strict=True)
        }
        record = {"meter_id": "M1", "version": 1, **values, "status": values["status"] or "active"}
        assert (line in refused) == isinstance(METER.record(record, "UTC"), Refusal)


def test_problems_are_counted_and_those_of_the_first_lines_are_kept() -> None:
    problems = Problems()
    for line in range(1000, 0, -1):
        problems.add(Problem(line, "f", "is wrong", "mend it"))
    problems.add_counted([Problem(0, "g", "is wrong", "")], 10)
    assert problems.count == 1010
    assert [one.line for one in problems.shown] == list(range(SHOWN))
    text = str(RefusedError("file", problems))
    assert "1,010 errors" in text
    assert "… and 960 more" in text
