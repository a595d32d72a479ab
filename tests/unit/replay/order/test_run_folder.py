"""Sorted runs on disk: whose they are, who may go on with them, and that nothing stays that nobody wants."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from replay.files.rows import Row
from replay.order.run_folder import RunFolder
from replay.order.time_order import TimeOrder
from tests.unit.replay.rig import at, every

ROWS = [r for m in range(6) for r in every(30, f"M{m}", at("00:00"), 40)]
MIXED = random.Random(1).sample(ROWS, len(ROWS))


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def read() -> Iterator[list[Row]]:
    return (MIXED[start : start + 7] for start in range(0, len(MIXED), 7))


def never_read() -> Iterator[list[Row]]:
    raise AssertionError("read again")


def interrupted(replay: str) -> None:
    order = TimeOrder(read, run_rows=50, replay=replay, remember=lambda: "it")
    with pytest.raises(KeyboardInterrupt), order:
        next(order.blocks())
        raise KeyboardInterrupt


def test_what_an_interrupted_replay_has_sorted_is_taken_over_and_not_read_again(temporary: Path) -> None:
    interrupted("a")
    with TimeOrder(never_read, replay="a", resume=True) as order:
        assert [r for block in order.blocks() for r in block] == sorted(ROWS)
        assert order.remembered == "it"
        assert (order.survey.rows, order.survey.meters, order.survey.order) == (240, 6, "no order")
        assert order.survey.runs_on_disk > 1
    assert not list(temporary.iterdir())


def test_it_may_be_interrupted_again_and_again() -> None:
    interrupted("a")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), TimeOrder(never_read, replay="a", resume=True):
            raise KeyboardInterrupt


def test_another_replay_does_not_take_it_over_and_removes_it_when_it_sorts(temporary: Path) -> None:
    interrupted("a")
    (left,) = temporary.iterdir()
    with TimeOrder(read, run_rows=50, replay="b", resume=True) as order:
        assert order.remembered is None
        assert not left.exists()


def test_without_resume_it_is_sorted_anew(temporary: Path) -> None:
    interrupted("a")
    with TimeOrder(read, run_rows=50, replay="a") as order:
        assert order.remembered is None
        assert len(list(temporary.iterdir())) == 1


def test_a_replay_without_a_name_leaves_nothing(temporary: Path) -> None:
    interrupted("")
    assert not list(temporary.iterdir())


def test_what_was_not_sorted_to_the_end_is_not_taken_over(temporary: Path) -> None:
    killed = RunFolder.made("a")
    (killed.path / "run-0").write_bytes(b"half")
    killed.leave()
    assert RunFolder.left("a") is None
    assert not list(temporary.iterdir())


def test_what_is_not_whole_any_more_is_not_taken_over(temporary: Path) -> None:
    interrupted("a")
    next(temporary.glob("*/run-0")).unlink()
    with TimeOrder(read, run_rows=50, replay="a", resume=True) as order:
        assert [r for block in order.blocks() for r in block] == sorted(ROWS)


def test_a_living_replay_keeps_its_own() -> None:
    one = RunFolder.made("a")
    one.seal("it")
    other = RunFolder.made("a")
    assert RunFolder.left("a") is None
    assert one.path.exists()
    other.remove()
    one.leave()
    found = RunFolder.left("a")
    assert found is not None
    assert (found[0].path, found[1]) == (one.path, "it")
    found[0].remove()


def test_folders_of_other_users_are_left_alone(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    interrupted("a")
    (left,) = temporary.iterdir()
    monkeypatch.setattr("os.geteuid", lambda: 4_711)
    assert RunFolder.left("a") is None
    RunFolder.made("b").remove()
    assert left.exists()
