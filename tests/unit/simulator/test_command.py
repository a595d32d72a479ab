"""`gridwatch simulate` as a command: what it prints, writes and refuses; no broker is needed."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gridwatch import cli
from gridwatch.clock import now_micros
from gridwatch.domain.instants import parse_instant
from gridwatch.settings import load_settings
from gridwatch.simulator.command import command
from gridwatch.simulator.modes import MODES, CsvFile, pace_of
from gridwatch.simulator.request import Request
from gridwatch.simulator.simulation import Simulation
from replay.files.profiles.spec import SPEC
from replay.files.rows import Row
from replay.run.delivery import Delivery
from replay.run.progress import Quiet
from replay.run.replay import Replay
from replay.run.request import Request as ReplayRequest

WINDOW = ("--from", "2026-03-02T06:00Z", "--until", "2026-03-02T18:00Z")
NOON = parse_instant("2026-03-02T12:00Z")[0]


def run(*arguments: object, code: int = 0) -> str:
    shown = CliRunner().invoke(cli.cli, ["simulate", *map(str, arguments)], catch_exceptions=True)
    if shown.exception is not None and not isinstance(shown.exception, SystemExit):
        assert code, shown.exception
        return str(shown.exception)
    assert shown.exit_code == code, shown.output
    return shown.output


def test_a_dry_run_says_what_would_be_sent() -> None:
    said = run("--meters", 30, "--every", "15m", *WINDOW, "--dry-run", "--drop", "0.1")
    assert "30 meters in 4 regions, every 900 s" in said
    assert "would send" in said
    assert "household" in said
    assert '{"meter_id":"R01-F0001-T1-M000001","timestamp":"2026-03-02T06:00:00Z","consumption_kwh":' in said
    first = json.loads(said.partition("first     ")[2].splitlines()[0])
    assert first["interval_minutes"] == 15
    assert first["interval_seconds"] == 900


def test_a_dry_run_adds_up_what_it_would_send() -> None:
    said = json.loads(run("--meters", 30, "--every", "15m", *WINDOW, "--dry-run", "--json", "--drop", "0.1"))
    assert said["readings"] + said["withheld"] == 30 * 48
    assert said["withheld"] > 0
    assert sum(said["classes"].values()) == 30


def test_ten_seconds_are_no_whole_minutes() -> None:
    said = run("--meters", 2, "--every", "10s", *WINDOW, "--dry-run")
    first = json.loads(said.partition("first     ")[2].splitlines()[0])
    assert first["interval_seconds"] == 10
    assert "interval_minutes" not in first


def test_the_same_command_writes_the_same_file_and_truth(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        readings, truth = tmp_path / f"{name}.csv", tmp_path / f"{name}.jsonl"
        run(
            "--meters", 25, "--every", "15m", *WINDOW, "--seed", 3,
            "--drop", 0.05, "--dup", 0.02, "--late", 0.1,
            "--outage", "R02@2026-03-02T08:00Z+2h", "--spike", "R01-F0001-T1-M000001@2026-03-02T09:00Z+1h×4",
            "--truth", truth, "-o", readings,
        )  # fmt: skip
        made.append((readings.read_bytes(), truth.read_bytes()))
    assert made[0] == made[1]
    assert not list(tmp_path.glob("*.part"))


def test_each_kind_of_anomaly_can_be_asked_for_and_is_in_the_truth(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    at = "R01-F0001-T1-M000001@2026-03-02T09:00Z"
    run(
        "--meters", 8, "--every", "15m", *WINDOW, "--dry-run", "--truth", truth,
        "--power-drop", f"{at}+1h×0.1", "--zero", f"{at}+1h", "--flat", f"{at}+1h",
        "--level-shift", f"{at}×3",
        "--reverse-flow", f"{at}+1h=1.5", "--voltage", f"{at}+1h=190", "--frequency", f"{at}+1h=48.5",
        "--power-factor", f"{at}+1h=0.6", "--spike", f"{at}+1h×5",
    )  # fmt: skip
    _, *lines = [json.loads(line) for line in truth.read_text().splitlines()]
    assert {(line["anomaly"], line.get("size")) for line in lines} == {
        ("DROP", 0.1), ("ZERO_RUN", 0.0), ("FLATLINE", None), ("LEVEL_SHIFT", 3.0), ("REVERSE_FLOW", 1.5),
        ("VOLTAGE", 190.0), ("FREQUENCY", 48.5), ("LOW_POWER_FACTOR", 0.6), ("SPIKE", 5.0),
    }  # fmt: skip
    assert {line["from"] for line in lines} == {"2026-03-02T09:00:00Z"}


def test_the_truth_of_ten_seconds_is_known(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    window = ("--from", "2026-03-02T10:00Z", "--until", "2026-03-02T10:20Z")
    run(
        "--meters", 25, "--every", "10s", *window, "--drop", 0.05, "--late", 0.2, "--outage",
        "R02@2026-03-02T10:05Z+3m", "--dry-run", "--truth", truth,
    )  # fmt: skip
    head, *lines = [json.loads(line) for line in truth.read_text().splitlines()]
    assert (head["interval_seconds"], head["end"]) == (10, "2026-03-02T10:19:50Z")
    gaps = [line["expect"]["gap"] for line in lines if "gap" in line["expect"]]
    assert {gap["interval_seconds"] for gap in gaps} == {10}
    assert max(gap["missing_from"] for gap in gaps) <= head["end"]
    assert sum(gap["missing_intervals"] >= 18 for gap in gaps) == 6


def test_a_last_tick_that_would_be_refused_is_foretold_and_a_live_run_has_none() -> None:
    now = now_micros()
    said: list[str] = []
    for end, speed in ((now - 3_600_000_000, None), (now, 1), (now, None)):
        request = Request(2, 10, 1, now - 7_200_000_000, end, speed=speed)
        settled = Simulation(request, load_settings(), Quiet(), said.append).plan().settled_to
        assert settled is not None
        assert settled - end <= (300_000_000 if speed else 900_000_000)
        assert bool(said) == (end == now and speed is None)
    assert "FUTURE_TIMESTAMP" in said[0]


def test_a_final_tick_that_would_be_refused_is_brought_forward_and_that_is_said() -> None:
    now = now_micros()
    said: list[str] = []
    for end in (now - 3 * 3_600_000_000, now - 3_600_000_000):
        request = Request(2, 10, 1, now - 4 * 3_600_000_000, end, final=True)
        settled = Simulation(request, load_settings(), Quiet(), said.append).plan().settled_to
        assert settled is not None
        assert settled <= now_micros() + 300_000_000
        assert (settled - end > 4_500_000_000 - 10_000_000) == (not said)
    assert "brought forward" in said[0]


def test_what_is_written_is_what_replay_reads(tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    run("--meters", 25, "--every", "15m", *WINDOW, "-o", path)
    request = Request(25, 900, 4, parse_instant(WINDOW[1])[0], parse_instant(WINDOW[3])[0])
    made = [row for block in Simulation(request, load_settings(), Quiet(), print).blocks() for row in block]
    read: list[Row] = []
    replay = Replay(ReplayRequest((path,), SPEC), load_settings(), Quiet(), print)
    deliver = Delivery.take

    def keep(self: Delivery, parts: object) -> None:
        kept = list(parts)  # type: ignore[call-overload]
        for part in kept:
            read.extend(part if isinstance(part, list) else [])
        deliver(self, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Delivery, "take", keep)
        replay.plan()
    assert [row[:4] for row in read] == [row[:4] for row in made]
    kept = (
        "interval_minutes",
        "interval_seconds",
        "region",
        "voltage",
        "current",
        "power_kw",
        "power_factor",
        "frequency",
    )
    for one, other in zip(read, made, strict=True):
        sent = json.loads(f"{{{other[4][1:]}}}")
        assert json.loads(f"{{{one[4][1:]}}}") == {name: sent[name] for name in kept}


def test_registry_and_regions_are_written_beside(tmp_path: Path) -> None:
    meters, regions = tmp_path / "meters.csv", tmp_path / "regions.csv"
    run(
        "--meters", 12, "--regions", 3, "--every", "1h", *WINDOW, "--dry-run",
        "--registry", meters, "--regions-file", regions,
    )  # fmt: skip
    with meters.open() as file:
        assert len(list(csv.DictReader(file))) == 12
    with regions.open() as file:
        assert [region["timezone"] for region in csv.DictReader(file)] == ["Europe/Berlin"] * 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--from", "now", "--until", "-1h"), "before --until"),
        (("--speed", "1", "--truth", "t.jsonl"), "need an end"),
        (("--speed", "1", "--dry-run"), "need an end"),
        (("--final", "--no-settle"), "--no-settle sends none"),
        (("--every", "1h", "--dry-run", "-o", "f.csv"), "does not go with --dry-run"),
        (("--every", "1d", "--from", "2026-03-02T01:00Z", "--until", "2026-03-02T02:00Z"), "no interval"),
        (("--late-by", "13h", "--dry-run"), "half of GRIDWATCH_GAP_MEMORY"),
        (("--meters", "5", "--every", "1h", "--dry-run", "--outage", "R09@-1h+1h"), "the fleet has no such"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: tuple[str, ...], problem: str) -> None:
    assert problem in run(*arguments, code=2)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--from", "2019-01-01"), "begins with 2020"),
        (("--from", "soon"), "write -3h"),
        (("--every", "0.5s"), "whole seconds"),
        (("--every", "2d"), "from 1s to 1d"),
        (("--outage", "R01"), "SCOPE@FROM+DURATION"),
        (("--mode", "pigeon"), "kafka"),
    ],
)
def test_an_option_that_cannot_be_read_is_refused(arguments: tuple[str, ...], problem: str) -> None:
    shown = CliRunner().invoke(command, arguments)
    assert shown.exit_code == 2
    assert problem in " ".join(shown.output.split())


def test_without_numpy_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    said = run("--meters", 1, "--every", "1h", "--dry-run", code=2)
    assert "numpy" in said
    assert "pip install 'gridwatch[simulator]'" in said


def test_every_mode_is_an_option() -> None:
    option = next(one for one in command.params if one.name == "mode")
    assert list(option.type.choices) == list(MODES)  # type: ignore[attr-defined]


def test_live_readings_wait_for_the_clock_and_past_ones_do_not(tmp_path: Path) -> None:
    waited: list[float] = []

    class Stopped(Exception):
        pass

    def idle(seconds: float) -> None:
        waited.append(seconds)
        raise Stopped

    with CsvFile(tmp_path / "f.csv", 6).connect("", resume=False) as target:
        monkey = pytest.MonkeyPatch()
        monkey.setattr(target, "idle", idle)
        live = pace_of(1, target, NOON)
        assert live is not None
        live.wait_for(NOON - 3_600_000_000)
        with pytest.raises(Stopped):
            live.wait_for(NOON + 60_000_000)
        assert pace_of(None, target, NOON) is None
    assert waited


def test_a_file_that_is_interrupted_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "meters.csv"

    def interrupted(self: Delivery, parts: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Delivery, "take", interrupted)
    request = Request(5, 900, 1, NOON, NOON + 3_600_000_000)
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        Simulation(request, load_settings(), Quiet(), said.append).send(CsvFile(path, 6))
    assert list(tmp_path.iterdir()) == []
    assert said == ["stopped after 0 readings"]


def test_a_run_without_settle_ends_without_the_last_tick() -> None:
    for settle in (True, False):
        request = Request(5, 900, 1, NOON - 3_600_000_000, NOON, settle=settle)
        summary = Simulation(request, load_settings(), Quiet(), print).plan()
        assert (summary.settled_to is not None) == settle


def test_readings_ahead_of_the_clock_are_warned_of() -> None:
    said: list[str] = []
    begin = parse_instant("2090-01-01T00:00Z")[0]
    request = Request(1, 900, 1, begin, begin + 900_000_000)
    Simulation(request, load_settings(), Quiet(), said.append).plan()
    assert "FUTURE_TIMESTAMP" in said[0]
