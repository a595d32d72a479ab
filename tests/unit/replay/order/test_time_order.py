"""Time order in bounded memory: in memory, in one more pass, or by runs on disk."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from replay.files.rows import Row
from replay.files.survey.survey import Survey, survey_of
from replay.order import sorted_runs
from replay.order.time_order import TimeOrder
from tests.unit.replay.rig import at, every, row

BY_METER = [r for m in range(6) for r in every(30, f"M{m}", at("00:00"), 40)]
BY_TIME = sorted(BY_METER)


def in_blocks(rows: list[Row], size: int = 7) -> Iterator[list[Row]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def ordered(rows: list[Row], run_rows: int) -> tuple[list[Row], Survey]:
    with TimeOrder(lambda: in_blocks(rows), run_rows=run_rows) as order:
        return [r for block in order.blocks() for r in block], order.survey


@pytest.mark.parametrize("run_rows", [10_000, 50, 8])
@pytest.mark.parametrize("rows", [BY_METER, BY_TIME, random.Random(1).sample(BY_METER, len(BY_METER))])
def test_every_input_comes_out_in_time_order(rows: list[Row], run_rows: int) -> None:
    assert ordered(rows, run_rows)[0] == BY_TIME


def test_equal_times_are_ordered_by_meter() -> None:
    rows = [row(m, at("10:00")) for m in ("C", "A", "B")] + [row(m, at("10:30")) for m in ("B", "A")]
    assert [r[1] for r in ordered(rows, 2)[0]] == ["A", "B", "C", "A", "B"]


def test_the_order_found_is_told() -> None:
    assert ordered(BY_METER, 50)[1].order == "by meter"
    assert ordered(BY_TIME, 50)[1].order == "by time"
    assert ordered(BY_TIME[::-1], 50)[1].order == "no order"


def test_what_is_in_order_never_touches_the_disk() -> None:
    assert ordered(BY_TIME, 20)[1].runs_on_disk == 0
    assert ordered(BY_METER, 20)[1].runs_on_disk > 1


@pytest.mark.parametrize(("run_rows", "most_bytes", "reads"), [(1_000, 150, 1), (20, 10_000, 1), (20, 10, 2)])
def test_what_is_in_order_is_read_again_only_where_it_cannot_be_kept_packed(
    monkeypatch: pytest.MonkeyPatch, run_rows: int, most_bytes: int, reads: int
) -> None:
    monkeypatch.setattr("replay.order.time_order._BYTES_PACKED", most_bytes)
    passes: list[int] = []

    def read() -> Iterator[list[Row]]:
        passes.append(1)
        yield from in_blocks(BY_TIME)

    with TimeOrder(read, run_rows=run_rows) as order:
        assert [r for block in order.blocks() for r in block] == BY_TIME
    assert len(passes) == reads


@pytest.mark.parametrize("most_bytes", [10, 10_000])
def test_an_order_that_breaks_late_is_mended(monkeypatch: pytest.MonkeyPatch, most_bytes: int) -> None:
    monkeypatch.setattr("replay.order.time_order._BYTES_PACKED", most_bytes)
    rows = [*BY_TIME, row("M0", at("00:15"))]
    assert ordered(rows, 30)[0] == sorted(rows)


def test_many_runs_are_merged_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_runs, "FAN_IN", 3)
    found, survey = ordered(BY_METER, 8)
    assert found == BY_TIME
    assert survey.runs_on_disk < 3


def test_the_runs_are_gone_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with TimeOrder(lambda: in_blocks(BY_METER), run_rows=20) as order:
        assert list(tmp_path.iterdir())
        next(order.blocks())
    assert not list(tmp_path.iterdir())


def test_the_runs_are_gone_after_a_bad_row_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failing() -> Iterator[list[Row]]:
        yield from in_blocks(BY_METER)
        raise ValueError("bad row")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ValueError, match="bad row"), TimeOrder(failing, run_rows=20):
        pass
    assert not list(tmp_path.iterdir())


def test_a_survey_counts_meters_rows_and_span() -> None:
    survey = survey_of(in_blocks(BY_METER), lambda rows: None)
    assert (survey.rows, survey.meters, survey.first, survey.last) == (240, 6, BY_TIME[0][0], BY_TIME[-1][0])
