"""The demo's parts: what is shown, what is counted, and when it counts as failed."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from gridwatch import cli
from gridwatch.cli.demo import run
from gridwatch.cli.demo.figures import Figures, late_readings
from gridwatch.cli.demo.stages import Stages
from gridwatch.cli.demo.summary import print_summary
from gridwatch.cli.scoring.sums import Sums, Tally
from replay.scoring.score import Difference, Rates, Score

_MISSED = Difference("gap", "missed", "METER_0001", "2024-01-01T10:30:00Z", "CLOSED", "nothing")


def _figures(*differences: Difference, late: Rates | None = None, windows: int = 12_345) -> Figures:
    return Figures(
        meters=2,
        days=1,
        sent=1_000,
        delayed=10,
        withheld=5,
        rows={"validated_readings": 1_000, "late_events": 0, "dead_letters": 7},
        statuses={"OK": 990, "LATE": 10},
        gap_states={"CLOSED": 4, "OPEN": 1},
        late=late or Rates(10, 10, 10),
        score=Score(Rates(5, 5, 5 - len(differences)), Rates(), list(differences)),
        sums=Sums({"windows of 1 min": Tally(12_345, windows)}),
        loads={"North": 71.5, "South": 60.0},
        send_seconds=0.5,
        whole_seconds=2.0,
    )


def _plain(figures: Figures) -> str:
    shown = io.StringIO()
    print_summary(Console(file=shown, width=100), figures, Path("/somewhere/report.html"))
    return shown.getvalue()


def test_the_summary_has_every_count() -> None:
    shown = _plain(_figures())
    for name, value in (
        ("readings sent", "1,000"),
        ("of them late", "10"),
        ("dead letters", "7"),
        ("gaps", "1 OPEN, 4 CLOSED"),
        ("rows in validated_readings", "1,000"),
        ("windows of 1 min", "12,345 of 12,345 exact"),
        ("highest load", "North 71.5%, South 60%"),
        ("readings a second", "2,000 sent, 500 to the database"),
    ):
        assert any(name in line and value in line for line in shown.splitlines()), name
    assert "/somewhere/report.html" in shown


def test_missed_gaps_and_readings_are_listed() -> None:
    assert "METER_0001 at 2024-01-01T10:30:00Z" in _plain(_figures(_MISSED))


@pytest.mark.parametrize(
    "figures",
    [
        _figures(_MISSED),
        _figures(late=Rates(10, 9, 9)),
        _figures(late=Rates(10, 11, 10)),
        _figures(windows=12_344),
    ],
)
def test_one_difference_is_not_perfect(figures: Figures) -> None:
    assert not figures.perfect
    assert _figures().perfect


@pytest.mark.parametrize(("figures", "code"), [(_figures(), 0), (_figures(_MISSED), 1)])
def test_the_exit_code_is_0_only_if_all_was_found(
    figures: Figures, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Played(run.Demo):
        @contextmanager
        def running(self) -> Iterator[Any]:
            yield SimpleNamespace()

        def play(self, running: Any) -> run.Result:
            return run.Result(figures, Path("report.html"))

    monkeypatch.setattr(run, "Demo", Played)
    assert cli.run(["demo"]) == code
    assert "injected against found" in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--meters", "0"], ["--days", "0"], ["--meters", "many"]])
def test_invalid_sizes_exit_with_2(option: list[str]) -> None:
    assert cli.run(["demo", *option]) == 2


def test_late_readings_of_a_manifest_are_the_delays_that_are_expected_late(tmp_path: Path) -> None:
    def delay(at: str, expect: object) -> dict[str, object]:
        return {"kind": "delay", "meter_id": "m", "from": at, "to": at, "slots": 1, "expect": expect}

    def status(name: str) -> dict[str, object]:
        return {"reading": {"status": name, "delay_seconds": 1.0}}

    manifest = tmp_path / "truth.jsonl"
    lines = [
        {"kind": "head"},
        delay("1970-01-01T00:00:01Z", status("LATE")),
        delay("1970-01-01T00:00:02Z", status("TOO_LATE")),
        delay("1970-01-01T00:00:03Z", "nothing"),
        {"kind": "gap", "meter_id": "m", "expect": {"gap": {}}},
    ]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert late_readings(manifest) == [("m", 1_000_000)]


def _staged(terminal: bool, monkeypatch: pytest.MonkeyPatch, **env: str) -> str:
    for key in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(key, raising=False)
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    shown = io.StringIO()
    with Stages(Console(file=shown, force_terminal=terminal, width=70, _environ=os.environ)) as stages:
        with stages.stage("counting [sheep]") as stage:
            stage.detail("12 of 12 [woolly]")
            stage.note("one [bold]limps")
        with pytest.raises(ZeroDivisionError), stages.stage("dividing"):
            raise ZeroDivisionError
    return shown.getvalue()


def test_stages_are_plain_lines_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _staged(False, monkeypatch)
    assert "\x1b" not in shown
    assert "✓" not in shown
    lines = shown.splitlines()
    assert lines[:2] == ["counting [sheep] …", "one [bold]limps"]
    assert lines[2].startswith("  12 of 12 [woolly], ")


def test_stages_are_ticked_off_in_a_terminal_but_not_a_failed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _staged(True, monkeypatch, TERM="xterm-256color")
    *_, counted, divided = [line for line in shown.splitlines() if "counting" in line or "dividing" in line]
    assert "✓" in counted
    assert "counting [sheep]" in counted
    assert "✓" not in divided


@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_color_and_dumb_terminals_get_no_colour(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _staged(True, monkeypatch, **env)
    assert not any(f"\x1b[{code}m" in shown for code in range(30, 38))
