"""A dry run tells what the worker refuses, which files are not read, and what is not plausible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gridwatch.cli import run
from gridwatch.domain.policy import Policy
from replay.files.survey.refusals import Refusals
from tests.unit.replay.rig import CASES, at

LARGE = CASES / "uci-large-client"
HEADER = "meter_id,timestamp,consumption_kwh\n"


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert run(["replay", "--dry-run", "--json", *map(str, arguments)]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def shown(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert run(["replay", "--dry-run", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert run(["replay", "--dry-run", *map(str, arguments)]) == 1
    return capsys.readouterr().err


def csv(folder: Path, *rows: str, name: str = "m.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text(header + "".join(f"{one}\n" for one in rows))
    return path


def days(kwh: list[str], meter: str = "M", minutes: int = 60) -> list[str]:
    stamps = (divmod(n * minutes, 1440) for n in range(len(kwh)))
    return [
        f"{meter},2024-01-{1 + day:02d}T{minute // 60:02d}:{minute % 60:02d}:00Z,{one}"
        for (day, minute), one in zip(stamps, kwh, strict=True)
    ]


@pytest.mark.parametrize(
    ("file", "profile", "count"), [("LD2011_2014.txt", "uci", 8), ("nem12_large.csv", "nem12", 48)]
)
def test_values_above_the_limit_are_counted_as_dead_letters(
    file: str, profile: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = dry_run(capsys, LARGE / file, "--profile", profile)["found"]
    assert (found["dead_letters"], found["dead_letter_reasons"]) == (count, {"OUT_OF_RANGE": count})
    out = shown(capsys, LARGE / file, "--profile", profile)
    assert f"refused   {count} readings by the worker's own rules" in out
    assert "GRIDWATCH_MAX_READING_KWH" in out


def test_the_limits_are_those_of_the_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWATCH_MAX_READING_KWH", "20000")
    assert dry_run(capsys, LARGE / "LD2011_2014.txt", "--profile", "uci")["found"]["dead_letters"] == 0


def test_every_reason_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(
        tmp_path, "M,2024-01-01T10:00:00Z,-1,30", f"{'x' * 129},2024-01-01T10:00:00Z,1,30",
        "M,2999-01-01T10:00:00Z,5000,30", "M,2024-01-01T10:30:00Z,1,30",
        header="meter_id,timestamp,consumption_kwh,interval_minutes\n",
    )  # fmt: skip
    found = dry_run(capsys, path)["found"]
    assert found["dead_letters"] == 3
    assert found["dead_letter_reasons"] == {
        "NEGATIVE": 1, "BAD_METER_ID": 1, "FUTURE_TIMESTAMP": 1, "OUT_OF_RANGE": 1,
    }  # fmt: skip
    assert found["accepted_micro_kwh"] == 1_000_000
    assert "NEGATIVE, the first: M at 2024-01-01T10:00:00Z" in shown(capsys, path)


@pytest.mark.parametrize(
    ("kwh", "time", "members", "reason"),
    [
        (1000.0, at("10:00"), "", ""),
        (1000.1, at("10:00"), "", "OUT_OF_RANGE"),
        (-0.1, at("10:00"), "", "NEGATIVE"),
        (1.0, at("10:05"), "", ""),
        (1.0, at("10:06"), "", "FUTURE_TIMESTAMP"),
        (1.0, at("10:00"), ',"interval_minutes":1440', ""),
        (1.0, at("10:00"), ',"interval_minutes":46081', "OUT_OF_RANGE"),
        (1.0, at("10:00"), ',"flags":["NEM12_A"]', ""),
        (1.0, at("10:00"), ',"flags":["REVISED"]', "OUT_OF_RANGE"),
        (1.0, at("10:00"), ',"region":"N\\u0000"', "UNKNOWN_TYPE"),
    ],
)
def test_the_rules_are_the_worker_s(kwh: float, time: int, members: str, reason: str) -> None:
    refusals = Refusals(Policy(), at("10:00"))
    assert refusals.refused((time, "M", kwh, 0, members)) == bool(reason)
    assert dict(refusals.reasons) == ({reason: 1} if reason else {})


def test_a_correction_that_the_worker_refuses_corrects_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = dry_run(capsys, csv(tmp_path, "M,2024-01-01T10:00:00Z,2", "M,2024-01-01T10:00:00Z,-3"))["found"]
    assert (found["energy_micro_kwh"], found["accepted_micro_kwh"]) == (-3_000_000, 2_000_000)


INBOX = CASES / "folder-of-aemo-names" / "inbox"


@pytest.mark.parametrize("profile", ["nem12", "auto"])
def test_files_of_a_folder_are_read_by_their_content(
    profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = dry_run(capsys, INBOX, "--profile", profile)
    assert (said["meters"], said["found"]["energy_micro_kwh"], said["left_aside"]) == (3, 144_000_000, [])


def test_files_that_are_left_aside_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv(tmp_path, "M,2024-01-01T10:00:00Z,1")
    csv(tmp_path, "M,2024-01-01T10:30:00Z,1", name="later.V01")
    for name in ("m.csv.bak", "m.csv~", ".hidden.csv", "m.csv.part"):
        csv(tmp_path, "M,2024-01-01T10:00:00Z,9", name=name)
    (tmp_path / "notes.md").write_text("# Notes\n")
    (tmp_path / "picture.png").write_bytes(bytes(range(256)))
    (tmp_path / "empty").touch()
    said = dry_run(capsys, tmp_path)
    assert (said["rows"], said["found"]["energy_micro_kwh"]) == (2, 2_000_000)
    names = {Path(one.partition(": ")[0]).name: one.partition(": ")[2] for one in said["left_aside"]}
    assert set(names) == {
        "m.csv.bak", "m.csv~", ".hidden.csv", "m.csv.part", "notes.md", "picture.png", "empty",
    }  # fmt: skip
    assert all(names.values())
    assert "notes.md: its content is not that of spec" in shown(capsys, tmp_path)


def test_a_folder_with_nothing_to_read_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n")
    assert "no meter files in this folder" in refused(capsys, tmp_path)
    assert "no meter files in this folder" in refused(capsys, tmp_path, "--profile", "auto")


def test_a_pattern_opens_the_folders_that_it_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for year in ("2023", "2024"):
        (tmp_path / year).mkdir()
        csv(tmp_path / year, f"M,{year}-01-01T10:00:00Z,1")
    assert dry_run(capsys, tmp_path / "20*")["rows"] == 2


@pytest.mark.parametrize(
    ("kwh", "hint"),
    [
        (["900"] * 5 + ["901"], "half of the meters use"),
        (["0.0001"] * 5 + ["0.0002"], "kWh a day or less"),
        (["0.5"] * 30, "one value from first to last"),
    ],
)
def test_what_is_not_plausible_is_hinted_at(
    kwh: list[str], hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = csv(tmp_path, *days(kwh))
    assert any(hint in one for one in dry_run(capsys, path)["found"]["hints"])
    assert "\nhint      " in shown(capsys, path)


def test_what_is_plausible_gives_no_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(tmp_path, *days([f"0.{n % 7 + 1}" for n in range(48)]))
    found = dry_run(capsys, path)["found"]
    assert found["hints"] == []
    assert found["kwh_a_day"]["median"] == pytest.approx(9.45, abs=0.1)
    assert "a day     9." in shown(capsys, path)


def test_one_meter_among_many_that_uses_too_much_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [one for m in "ABC" for one in days(["0.5", "0.6", "0.4"], m)]
    path = csv(tmp_path, *rows, *days(["500", "600", "400"], "W"))
    assert any("such as W with 12,000" in one for one in dry_run(capsys, path)["found"]["hints"])


def test_many_values_of_one_stamp_are_hinted_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(tmp_path, *days(["0.1", "0.2", "0.3"]), *days(["1.1", "1.2", "1.3"]))
    assert any("came with several values" in one for one in dry_run(capsys, path)["found"]["hints"])


def test_steps_that_vary_are_hinted_at_and_gaps_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = [one for at, one in enumerate(days([f"0.{n % 9}" for n in range(48)])) if at not in (5, 6, 20)]
    assert dry_run(capsys, csv(tmp_path, *gap))["found"]["hints"] == []
    odd = [f"M,2024-01-01T{10 + n // 60:02d}:{n % 60:02d}:00Z,0.{n % 9}" for n in (0, 15, 25, 40, 47, 70, 85)]
    assert any("constant steps" in one for one in dry_run(capsys, csv(tmp_path, *odd))["found"]["hints"])


def test_a_point_among_decimal_commas_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "id;timestamp;kwh;price\n"
    path = csv(tmp_path, "M;2024-01-01T10:00Z;999;0,25", "M;2024-01-01T10:30Z;1.234;0,26", header=header)
    said = refused(capsys, path)
    assert "line 3, column kwh: '1.234' in a file whose other numbers have a decimal comma" in said
    assert "line 2, column price: '0,25'" in said


def test_a_comma_among_decimal_points_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "id;timestamp;kwh;price\n"
    path = csv(tmp_path, "M;2024-01-01T10:00Z;1,234;0.25", header=header)
    assert "'1,234' in a file whose other numbers have a decimal point" in refused(capsys, path)


def test_points_that_always_have_three_digits_behind_them_are_hinted_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = "id;timestamp;kwh\n"
    path = csv(tmp_path, "M;2024-01-01T10:00Z;950", "M;2024-01-01T10:30Z;1.234", header=header)
    assert "'1.234' in line 3: read as decimals" in dry_run(capsys, path)["doubts"][0]
    path = csv(tmp_path, "M;2024-01-01T10:00Z;950.5", "M;2024-01-01T10:30Z;1.234", header=header)
    assert dry_run(capsys, path)["doubts"] == []


def test_numbers_that_may_be_either_prove_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = csv(tmp_path, "M;2024-01-01T10:00Z;1.234;5,678", header="id;timestamp;kwh;price\n")
    assert "read as decimals" in dry_run(capsys, path)["doubts"][0]


def test_decimals_as_usual_raise_no_doubt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("0.123", "1.5", "12.345"):
        assert dry_run(capsys, csv(tmp_path, f"M,2024-01-01T10:00Z,{text}"))["doubts"] == []


def test_readings_that_begin_before_those_before_them_end_are_hinted_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = "meter_id,timestamp,consumption_kwh,interval_minutes\n"
    rows = [f"{one},60" for one in days([f"0.{n % 5 + 1}" for n in range(24)], minutes=30)]
    hints = dry_run(capsys, csv(tmp_path, *rows, header=header))["found"]["hints"]
    assert any("whose energy would count twice" in one for one in hints)


def test_hours_and_days_of_one_meter_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Days of 23 hours beside those of 24 are none."""
    header = "meter_id,timestamp,consumption_kwh,interval_minutes\n"
    starts = ["2024-03-29T23:00Z", "2024-03-30T23:00Z", "2024-03-31T22:00Z", "2024-04-01T22:00Z"]
    (tmp_path / "days.csv").write_text(
        header + "".join(f"M,{one},{n + 2}.5,1440\n" for n, one in enumerate(starts))
    )
    (tmp_path / "hours.csv").write_text(
        header + "".join(f"M,2024-03-31T{hour:02}:00Z,0.{hour % 5 + 1},60\n" for hour in range(24))
    )
    for alone in ("days.csv", "hours.csv"):
        assert not any("twice" in one for one in dry_run(capsys, tmp_path / alone)["found"]["hints"])
    said = refused(capsys, tmp_path / "days.csv", tmp_path / "hours.csv")
    assert f"{tmp_path}/days.csv, line 3: M has intervals of 1440 minutes here and of 60 minutes in" in said
    assert f"{tmp_path}/hours.csv, line 2, both from 2024-03-31T0" in said


def test_an_id_that_counts_rows_is_hinted_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    lines = [f"{n},2024-06-01T{n:02}:00:00Z,0.{n}\n" for n in range(1, 9)]
    path.write_text("id,timestamp,kwh\n" + "".join(lines))
    assert any("one that counts rows" in one for one in dry_run(capsys, path)["found"]["hints"])
    path.write_text("id,timestamp,kwh\n" + "".join([*lines, "1,2024-06-01T02:00:00Z,0.3\n"]))
    assert not any("counts rows" in one for one in dry_run(capsys, path)["found"]["hints"])
