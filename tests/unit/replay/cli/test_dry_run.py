"""A dry run says what was found and assumed, for people and machines, in bounded memory."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from gridwatch.cli import run
from replay.order.time_order import RUN_ROWS, run_rows_within
from tests.unit.replay import public_sets

DIRTY = """id,timestamp,kwh
A,2024-01-01T00:00:00Z,1.5
A,2024-01-01T00:30:00Z,-0.25
A,2024-01-01T01:00:00Z,0
A,2024-01-01T01:30:00Z,1
A,2024-01-01T01:30:00Z,1
A,2024-01-01T02:00:00Z,1
A,2024-01-01T02:00:00Z,2
A,2024-01-01T02:11:00Z,1
B,2024-01-01T00:00:00Z,1
B,2024-01-01T00:30:00Z,1
B,2024-01-01T01:00:00Z,1
"""


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["replay", "--dry-run", "--json", *arguments]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def written(folder: Path, text: str, name: str = "file.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode())
    return str(path)


def test_what_is_odd_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = dry_run(capsys, written(tmp_path, DIRTY))["found"]
    assert found["interval_minutes"] == 30
    assert (found["duplicates"], found["contradicting_duplicates"], found["off_grid"]) == (1, 1, 1)
    assert (found["negative"], found["zero"]) == (1, 1)
    assert (found["energy_micro_kwh"], found["accepted_micro_kwh"]) == (8_250_000, 8_500_000)


def test_the_same_is_said_to_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--dry-run", written(tmp_path, DIRTY)]) == 0
    out = capsys.readouterr().out
    for part in (
        "11 readings of 2 meters",
        "order: by meter",
        "interval  30 min",
        "8.250000 kWh in all, as they stand; 1 negative, 1 zero; 1 exact duplicates, 1 with another value",
        "1 readings by the worker's own rules: they become dead letters, and 8.500000 kWh are accepted",
        "no change of clocks",
        "are UTC (assumed)",
        "which end of its interval a stamp names: unknown",
        "the worker refuses negative readings (NEGATIVE)",
    ):
        assert part in out


def test_days_on_which_the_clocks_change_are_named_with_their_readings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, public_sets.esb()[0])
    found = dry_run(capsys, path, "--profile", "auto", "--flow", "consumption")
    assert found["profile"] == "esb"
    assert found["assumed"] == {
        "unit": "kW", "multiply": "1", "interval_minutes": 30, "zone": "Europe/Dublin",
        "zone_known": True, "anchor": "end",
        "clock_changes": "order", "off_grid": "send",
    }  # fmt: skip
    changes = found["found"]["clock_changes"]
    assert [(change["date"], change["hours"], change["readings"]) for change in changes] == [
        ("2023-03-26", 23, 46), ("2023-10-29", 25, 50),
    ]  # fmt: skip


def test_a_zone_that_is_not_published_is_said_as_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWATCH_TIMEZONE", "Africa/Lagos")
    path = written(tmp_path, public_sets.kaggle()[0])
    said = dry_run(capsys, path, "--profile", "auto")
    assert (said["assumed"]["zone"], said["assumed"]["zone_known"]) == ("Africa/Lagos", False)
    assert said["first"] == "2013-03-29T23:00:00Z"


def test_meters_of_several_intervals_have_a_common_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, public_sets.green_button()[0], "gb.xml")
    found = dry_run(capsys, path, "--profile", "auto")["found"]
    assert {one["minutes"] for one in found["intervals"]} == {15, 60}
    assert found["off_grid"] == 0


def test_nulls_and_what_was_not_sent_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--dry-run", "--profile", "auto", written(tmp_path, public_sets.london()[0])]) == 0
    out = capsys.readouterr().out
    assert "2 values that stand for no reading" in out
    assert "2 exact duplicates" in out
    assert "found out: the header has LCLid and KWH/hh" in out


@pytest.mark.parametrize("name", ["uci", "cer", "nem12", "green_button", "simbench", "ausgrid"])
def test_a_dry_run_finds_all_that_is_in_a_set(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, truth = getattr(public_sets, name)()
    found = dry_run(capsys, written(tmp_path, text, "file.txt"), "--profile", "auto")
    assert found["rows"] == len(truth)
    assert found["meters"] == len({meter for meter, _ in truth})
    assert abs(found["found"]["energy_micro_kwh"] - sum(truth.values()) * 1_000_000) <= len(truth)
    assert run(["replay", "--dry-run", "--profile", "auto", str(tmp_path / "file.txt")]) == 0
    assert f"{len(truth):,} readings" in capsys.readouterr().out


def test_several_files_of_one_kind_are_one_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = public_sets.cer()[0].splitlines(keepends=True)
    written(tmp_path, "".join(lines[: len(lines) // 2]), "File1.txt")
    written(tmp_path, "".join(lines[len(lines) // 2 :]), "File2.txt")
    assert dry_run(capsys, str(tmp_path), "--profile", "cer")["rows"] == len(lines)


def big(folder: Path, meters: int, slots: int) -> str:
    path = folder / "big.csv"
    with path.open("w") as file:
        file.write(public_sets.LONDON_HEADER + "\n")
        for meter in range(meters):
            for slot in range(slots):
                day, half = divmod(slot, 48)
                stamp = f"2012-{10 + day // 28}-{1 + day % 28:02d} {half // 2:02d}:{half % 2 * 3}0:00.0000000"
                file.write(f"MAC{meter:06d},Std,{stamp}, {slot % 17 / 10} \n")
    return str(path)


def test_memory_stays_bounded_and_the_disk_space_is_reckoned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = big(tmp_path, 40, 1_500)
    monkeypatch.setattr("replay.run.replay.run_rows_within", lambda _memory: 8_000)
    tracemalloc.start()
    found = dry_run(capsys, path, "--profile", "london", "--memory", "200M")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found["rows"] == 60_000
    assert found["order_found"] == "by meter"
    assert peak < 6_000_000
    assert 0.7 < found["temp_bytes_estimated"] / found["temp_bytes"] < 1.4


def test_too_little_disk_space_is_told_before_it_is_used_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    path = big(tmp_path, 10, 1_000)
    monkeypatch.setattr("replay.run.replay.run_rows_within", lambda _memory: 1_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage(10, 9, 1))
    assert run(["replay", "--dry-run", path, "--profile", "london", "--memory", "200M"]) == 1
    assert re.search(r"sorting by time needs about .* GB in .*TMPDIR", capsys.readouterr().err, re.DOTALL)


@pytest.mark.parametrize("size", ["1G", "1GiB", "1gb", str(1 << 30)])
def test_memory_is_written_as_people_do(
    size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(capsys, written(tmp_path, DIRTY), "--memory", size)["rows"] == 11


@pytest.mark.parametrize("size", ["much", "12", "-1G", "100M"])
def test_too_little_memory_is_wrong_use(
    size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "--dry-run", written(tmp_path, DIRTY), "--memory", size]) == 2
    assert "192M at least" in capsys.readouterr().err


def test_more_memory_sorts_more_rows_at_once() -> None:
    assert run_rows_within(192 << 20) < RUN_ROWS < run_rows_within(1 << 30)
