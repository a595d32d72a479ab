"""The command without a broker: dry runs, exit codes, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gridwatch.cli import run
from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.policy import MINUTE, Policy
from replay.truth.manifest import read_manifest


@pytest.fixture
def sample(tmp_path: Path) -> str:
    path = str(tmp_path / "meters.csv")
    assert run(["sample", "--meters", "4", "--days", "2", "--order", "meter", "-o", path]) == 0
    return path


def test_a_dry_run_says_what_was_found_and_assumed(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["replay", sample, "--dry-run", "--faults", "seed-spec", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    for part in (
        "delimiter ','",
        "384 readings of 4 meters",
        "order: by meter",
        "without offset are UTC",
        "withhold",
    ):
        assert part in out


def test_a_dry_run_for_machines_is_one_json_object(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["replay", sample, "--dry-run", "--json", "--gap-rate", "0.5"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == 384
    assert said["readings"] + said["withheld"] == 384
    assert said["order_found"] == "by meter"


def test_the_truth_is_written_whole_and_nothing_else_stays(sample: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    assert run(["replay", sample, "--dry-run", "--faults", "seed-spec", "--truth", str(truth)]) == 0
    manifest = read_manifest(truth)
    assert manifest.head["interval_minutes"] == 30
    assert manifest.gaps
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meters.csv", "truth.jsonl"]


def test_a_seed_spec_option_can_be_changed(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["replay", sample, "--dry-run", "--json", "--faults", "seed-spec", "--gap-rate", "0"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["withheld"] == 0
    assert said["delayed"] > 0


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--speed", "fast"], "write max, or a number"),
        (["--speed", "0"], "write max, or a number"),
        (["--gap-rate", "1.5"], "--gap-rate"),
        (["--max-delay", "soon"], "--max-delay"),
        (["--max-delay", "13h"], "GRIDWATCH_GAP_MEMORY"),
        (["--start", "2024-01-02", "--end", "2024-01-01"], "--start must lie before --end"),
        (["--start", "never"], "2024-01-01T10:00:00Z"),
        (["--profile", "other"], "spec"),
        (["--order", "file", "--truth", "x.jsonl"], "--order file"),
        (["--interval", "1.5s"], "whole number of seconds"),
        (["--final", "--no-settle"], "--no-settle sends none"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_use_is_exit_2_and_says_what_is_allowed(
    sample: str, options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", sample, "--dry-run", *options]) == 2
    assert part in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "no such file"),
        ("", "is empty"),
        ("a,b\n1,2\n", "no column"),
        ("id,timestamp,kwh\n", "no reading is left"),
        ("id,timestamp,kwh\nM,2024-01-01T10:00Z,x\n", "line 2"),
    ],
)
def test_a_file_that_will_not_do_is_exit_1(
    tmp_path: Path, content: str | None, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file.csv"
    if content is not None:
        path.write_text(content)
    assert run(["replay", str(path), "--dry-run"]) == 1
    assert part in capsys.readouterr().err


def test_skip_bad_says_what_was_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id,timestamp,kwh\nM,2024-01-01T10:00Z,x\nM,2024-01-01T10:30Z,1\n")
    assert run(["replay", str(path), "--dry-run", "--skip-bad"]) == 0
    out = capsys.readouterr().out
    assert "1 × kwh: not a number" in out
    assert "line 2" in out


def test_readings_of_the_future_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id,timestamp,kwh\nM,2190-01-01T10:00Z,1\n")
    assert run(["replay", str(path), "--dry-run"]) == 0
    assert "FUTURE_TIMESTAMP" in capsys.readouterr().err


def test_a_final_tick_of_what_is_hardly_over_is_brought_forward_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = now_micros()
    path = tmp_path / "file.csv"
    path.write_text(f"id,timestamp,kwh\nM,{format_instant(now - 30 * MINUTE)},1\n")
    assert run(["replay", str(path), "--dry-run", "--json", "--final"]) == 0
    shown = capsys.readouterr()
    settled = parse_instant(json.loads(shown.out)["settled_to"])[0]
    assert now < settled <= now_micros() + Policy().max_future_skew
    assert f"brought forward to {format_instant(settled)}" in shown.err
    assert "do not become final" in shown.err


def test_an_interval_is_added_to_readings_that_have_none(sample: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    assert run(["replay", sample, "--dry-run", "--interval", "15m", "--truth", str(truth)]) == 0
    assert read_manifest(truth).head["interval_minutes"] == 15


def test_an_unreachable_broker_is_exit_1_with_address_and_remedy(
    sample: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRIDWATCH_BROKER", "127.0.0.1:9")
    monkeypatch.setattr("gridwatch.kafka.broker.REACH_SECONDS", 1.0)
    assert run(["replay", sample]) == 1
    err = capsys.readouterr().err
    assert "127.0.0.1:9" in err
    assert "gridwatch up" in err


def test_a_manifest_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "truth.jsonl"
    for content, part in (
        ("nonsense\n", "line 1: not JSON"),
        ('{"kind": "gap"}\n', "no head"),
        ("[]\n", "not a JSON object"),
    ):
        path.write_text(content)
        assert run(["score", str(path)]) == 1
        assert part in capsys.readouterr().err
    assert run(["score", str(tmp_path / "none")]) == 1


@pytest.mark.parametrize(("options", "settled"), [([], "23:45:00"), (["--final"], "T01:45:00")])
def test_the_last_tick_is_at_the_end_and_the_grace_or_later(
    sample: str, options: list[str], settled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["replay", sample, "--dry-run", "--json", *options]) == 0
    assert settled in json.loads(capsys.readouterr().out)["settled_to"]


def test_an_interval_in_seconds_is_sent_with_readings_that_have_none(tmp_path: Path) -> None:
    source, truth = tmp_path / "meters.csv", tmp_path / "truth.jsonl"
    head = "meter_id,timestamp,consumption_kwh,interval_seconds\n"
    stamps = [f"2024-01-01T00:00:{second:02d}Z" for second in range(0, 60, 5)]
    source.write_text(head + "".join(f"A,{stamp},0.5,\nB,{stamp},0.5,10\n" for stamp in stamps))
    assert run(["replay", str(source), "--dry-run", "--interval", "5s", "--truth", str(truth)]) == 0
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["head"]
    assert lines[0]["interval_seconds"] in {5, 10}
