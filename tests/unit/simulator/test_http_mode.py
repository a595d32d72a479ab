"""`--mode http` against a real server on loopback: nothing lost, nothing skipped, one batch twice at most."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gridwatch import cli
from gridwatch.backoff import BackOff
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.errors import GridwatchError, UsageProblem
from gridwatch.settings import load_settings
from gridwatch.simulator import report
from gridwatch.simulator.entrance.address import address_of, key_of
from gridwatch.simulator.entrance.batches import Http
from gridwatch.simulator.entrance.client import Patience
from gridwatch.simulator.entrance.position import state_folder
from gridwatch.simulator.modes import pace_of
from gridwatch.simulator.request import Request
from gridwatch.simulator.simulation import Simulation, Summary
from replay.run.progress import Quiet
from tests.unit.simulator.ingest import Act, Ingest, serving

START, HOUR = parse_instant("2026-03-02T06:00Z")[0], 3_600_000_000
#: 1,440 readings: two whole batches and a part of one.
DAY = Request(30, 900, 4, START, START + 12 * HOUR, settle=False, registry=False, readings_only=True)
AWAY = Act(503, (("Retry-After", "7"),), {"title": "Kafka is away"})
KEY = "gw_secret-0123456789"
QUICK = Patience(answer=0.2, back_off=BackOff(first=0.5, most=4.0))


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with serving(Ingest()) as server:
        yield server


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder; no test sees that of the user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GRIDWATCH_INGEST_KEY", raising=False)
    return tmp_path / "state"


class Run:
    """Sends simulations; remembers what was said and how long it would have slept."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url, self.key = url, key
        self.said: list[str] = []
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()

    def mode(self) -> Http:
        address = address_of(self.url, self.key)
        return Http(address, 6, self.said.append, patience=QUICK, sleep=self.sleep)

    def send(self, request: Request = DAY) -> Summary:
        simulation = Simulation(request, load_settings(), Quiet(), self.said.append)
        return simulation.send(self.mode())


def resumed(request: Request = DAY) -> Request:
    return Request(**{**vars(request), "resume": True})


def expected(request: Request = DAY) -> list[dict[str, Any]]:
    """The readings of an undisturbed simulation, in their order."""
    blocks = Simulation(request, load_settings(), Quiet(), print).blocks()
    return [
        {"meter_id": meter, "timestamp": format_instant(time), "consumption_kwh": kwh}
        | json.loads(f"{{{members[1:]}}}")
        for block in blocks
        for time, meter, kwh, _, members in block
    ]


def run(*arguments: object, code: int = 0) -> str:
    window = ("--meters", 30, "--every", "15m", "--from", "2026-03-02T06:00Z", "--until", "2026-03-02T18:00Z")
    shown = CliRunner().invoke(cli.cli, ["simulate", *map(str, (*window, *arguments))])
    if shown.exception is not None and not isinstance(shown.exception, SystemExit):
        assert isinstance(shown.exception, GridwatchError), shown.exception
        assert shown.exception.exit_code == code
        return str(shown.exception)
    assert shown.exit_code == code, shown.output
    return shown.output


def test_readings_go_in_their_order_in_batches_of_500_over_one_connection(ingest: Ingest) -> None:
    summary = Run(ingest.url).send()
    assert ingest.accepted == expected()
    assert ingest.sizes == [500, 500, 440]
    assert ingest.connections == 1
    assert {one.path for one in ingest.seen} == {"/telemetry/batch"}
    assert {one.headers["Content-Type"] for one in ingest.seen} == {"application/json"}
    assert summary.readings == 1440
    assert summary.answers is not None
    assert (summary.answers.accepted, summary.answers.rejected) == (1440, 0)


def test_a_large_body_is_compressed_and_a_small_one_is_not(ingest: Ingest) -> None:
    Run(ingest.url).send(Request(**{**vars(DAY), "end": START + HOUR * 17 // 4, "meters": 30}))
    assert [one.headers.get("Content-Encoding") for one in ingest.seen] == ["gzip", None]
    assert len(ingest.seen[0].raw) < 50_000 < len(json.dumps(ingest.seen[0].readings))


def test_while_the_service_is_away_the_same_batch_is_sent_again_after_what_it_asks_for(
    ingest: Ingest,
) -> None:
    ingest.script.extend([Act(), AWAY, AWAY, Act(), AWAY])
    run = Run(ingest.url)
    run.send()
    assert ingest.accepted == expected()
    assert ingest.sizes == [500, 500, 500, 500, 440, 440]
    assert run.slept == [7, 7, 7]
    # Once an outage, of which there were two.
    assert run.said == [f"waiting for {ingest.url}: 503 Service Unavailable"] * 2


def test_without_retry_after_the_waits_grow_up_to_a_limit_and_a_long_one_is_cut(ingest: Ingest) -> None:
    odd = [Act(503, (("Retry-After", asked),)) for asked in ("0", "tomorrow", "99999999")]
    ingest.script.extend([Act(502), Act(503), Act(504), Act(408), Act(503), *odd])
    run = Run(ingest.url)
    run.send()
    assert ingest.accepted == expected()
    assert run.slept == [0.5, 1, 2, 4, 4, 0.5, 4, 300]


def test_being_slowed_down_is_said_once_a_run(ingest: Ingest) -> None:
    slow = Act(429, (("Retry-After", "1"),))
    ingest.script.extend([slow, Act(), slow, slow, Act(), slow])
    run = Run(ingest.url)
    run.send()
    assert ingest.accepted == expected()
    assert run.slept == [1, 1, 1, 1]
    assert run.said == [f"waiting for {ingest.url}, now and then: 429 Too Many Requests"]


def test_a_service_that_is_not_there_yet_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        ingest = Ingest(free.getsockname()[1])
    run = Run(ingest.url)
    with ExitStack() as stack:

        def start() -> None:
            if len(run.slept) == 3:
                stack.enter_context(serving(ingest))

        run.on_sleep = start
        run.send()
    assert ingest.accepted == expected()
    assert run.slept == [0.5, 1, 2]
    assert run.said == [f"waiting for {ingest.url}: Connection refused"]


def test_a_batch_whose_answer_is_cut_is_sent_again_and_no_other(ingest: Ingest) -> None:
    ingest.script.extend([Act(), Act(cut=True)])
    run = Run(ingest.url)
    run.send()
    assert ingest.sizes == [500, 500, 500, 440]
    assert ingest.seen[1].readings == ingest.seen[2].readings
    assert ingest.accepted[:1000] + ingest.accepted[1500:] == expected()


def test_an_answer_that_does_not_come_is_not_waited_for_without_end(ingest: Ingest) -> None:
    ingest.script.extend([Act(), Act(hold=10)])
    run = Run(ingest.url)
    run.send()
    assert ingest.seen[1].readings == ingest.seen[2].readings
    assert run.said == [f"waiting for {ingest.url}: no answer in time"]
    assert run.slept == [0.5]


def test_a_connection_that_was_closed_while_idle_is_replaced_without_a_word(ingest: Ingest) -> None:
    ingest.script.extend([Act(close=True), Act(close=True)])
    run = Run(ingest.url)
    run.send()
    assert ingest.accepted == expected()
    assert ingest.connections == 3
    assert (run.said, run.slept) == ([], [])


def test_rejected_readings_are_counted_and_the_first_are_shown(ingest: Ingest) -> None:
    ingest.script.extend([Act(rejects=(3, 499)), Act(), Act(rejects=tuple(range(10)))])
    run = Run(ingest.url)
    summary = run.send()
    rows = expected()
    refused = [rows[place] for place in (3, 499, 1000, 1001, 1002)]
    assert summary.answers is not None
    assert (summary.answers.accepted, summary.answers.rejected) == (1428, 12)
    assert summary.answers.examples == [
        f"{one['meter_id']} {one['timestamp']}: NEGATIVE_POWER, TOO_OLD" for one in refused
    ]
    assert len(run.said) == 1
    assert summary.answers.examples[0] in run.said[0]
    said = report.text(summary, DAY, sent=True)
    assert f"answers   {ingest.url}: 1,428 accepted, 12 rejected" in said
    assert all(example in said for example in summary.answers.examples)


def test_a_service_that_rejects_everything_ends_the_run(ingest: Ingest) -> None:
    all_bad = {"rejected": [{"index": place, "reasons": ["FUTURE"]} for place in range(500)]}
    ingest.script.append(Act(400, (), all_bad))
    with pytest.raises(GridwatchError, match=r"R01-F0001-T1-M000001 2026-03-02T06:00:00Z: FUTURE") as caught:
        Run(ingest.url).send()
    assert caught.value.remedy
    assert ingest.sizes == [500]


def test_one_batch_that_is_rejected_as_a_whole_does_not_end_a_run_that_goes_well(ingest: Ingest) -> None:
    all_bad = {"rejected": [{"index": place, "reasons": ["FUTURE"]} for place in range(500)]}
    ingest.script.extend([Act(), Act(400, (), all_bad)])
    summary = Run(ingest.url).send()
    assert summary.answers is not None
    assert (summary.answers.accepted, summary.answers.rejected) == (940, 500)


@pytest.mark.parametrize(
    ("act", "problem", "remedy"),
    [
        (Act(401), "401 Unauthorized", "set GRIDWATCH_INGEST_KEY"),
        (
            Act(403, (), {"detail": "key for\x1b[31m flow b"}),
            r"403 Forbidden (key for [31m flow b)",
            "ask for",
        ),
        (Act(413), "413", "raise the limit"),
        (Act(415), "415 Unsupported Media Type", "gzip"),
        (Act(400, (), {"title": "NOT_JSON"}), "400 Bad Request (NOT_JSON)", "cannot be read there"),
        (Act(404), "404 Not Found", "nothing takes POST /telemetry/batch"),
        (Act(301, (("Location", "https://new/"),)), "301 Moved Permanently, to https://new/", "--url"),
        (Act(500), "500 Internal Server Error", "the log of the service"),
        (Act(200, (), "hello"), "200 OK", "no answer of gridwatch ingest"),
        (Act(202, (), ["hello"]), "202 Accepted", "no answer of gridwatch ingest"),
        (Act(202, (), {"accepted": 499, "rejected": []}), "500 readings were sent", "--url"),
        (
            Act(202, (), {"accepted": 499, "rejected": [{"index": 500, "reasons": []}]}),
            "500 readings were sent",
            "--url",
        ),
    ],
)
def test_what_does_not_pass_by_itself_ends_the_run_with_a_remedy(
    ingest: Ingest, act: Act, problem: str, remedy: str
) -> None:
    ingest.script.append(act)
    run = Run(ingest.url)
    with pytest.raises(GridwatchError) as caught:
        run.send()
    assert problem in caught.value.message
    assert ingest.url in caught.value.message
    assert remedy in caught.value.remedy
    assert len(ingest.seen) == 1
    assert (run.said, run.slept) == ([], [])


def test_a_key_that_is_not_known_is_told_from_one_that_is_missing(ingest: Ingest) -> None:
    ingest.script.append(Act(401))
    with pytest.raises(GridwatchError) as caught:
        Run(ingest.url, KEY).send()
    assert "the key is not known there" in caught.value.remedy


def test_a_service_without_tls_at_an_https_address_is_not_waited_for(ingest: Ingest) -> None:
    run = Run(ingest.url.replace("http:", "https:"))
    with pytest.raises(GridwatchError, match="no secure connection"):
        run.send()
    assert run.slept == []


def test_a_run_goes_on_after_the_last_acknowledged_batch(ingest: Ingest) -> None:
    ingest.script.extend([Act(), Act(), Act(401)])
    run = Run(ingest.url)
    with pytest.raises(GridwatchError):
        run.send()
    assert run.said[-1].startswith("stopped after 1,000 accepted and 0 rejected readings")
    summary = Run(ingest.url).send(resumed())
    assert ingest.accepted == expected()
    assert summary.resumed
    assert (summary.readings, summary.already_sent) == (440, 1000)


def test_whoever_interrupts_while_the_service_is_away_resumes_without_a_reading_twice(ingest: Ingest) -> None:
    ingest.script.extend([Act(), AWAY])

    def interrupt() -> None:
        raise KeyboardInterrupt

    run = Run(ingest.url)
    run.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        run.send()
    assert run.said[-1].startswith("stopped after 500 accepted and 0 rejected readings")
    Run(ingest.url).send(resumed())
    assert ingest.accepted == expected()


def test_whoever_is_killed_before_the_answer_arrives_sends_one_batch_twice(ingest: Ingest) -> None:
    ingest.script.extend([Act(), Act(cut=True), Act(401)])
    with pytest.raises(GridwatchError):
        Run(ingest.url).send()
    Run(ingest.url).send(resumed())
    assert ingest.accepted[:1000] + ingest.accepted[1500:] == expected()
    assert ingest.accepted[1000:1500] == ingest.accepted[500:1000]


def test_a_run_with_faults_resumes_where_it_was(ingest: Ingest) -> None:
    request = Request(**{**vars(DAY), "drop": 0.1, "duplicate": 0.1, "late": 0.2})
    whole = Run(ingest.url).send(request)
    undivided, ingest.accepted = ingest.accepted, []
    assert whole.withheld > 0
    assert whole.delayed > 0
    assert len(undivided) > len({(one["meter_id"], one["timestamp"]) for one in undivided})
    assert undivided != sorted(undivided, key=lambda one: one["timestamp"])
    ingest.script.extend([Act(), Act(401)])
    with pytest.raises(GridwatchError):
        Run(ingest.url).send(request)
    Run(ingest.url).send(resumed(request))
    assert ingest.accepted == undivided


def test_a_run_that_has_ended_has_nothing_to_resume(ingest: Ingest) -> None:
    Run(ingest.url).send()
    summary = Run(ingest.url).send(resumed())
    assert ingest.sizes == [500, 500, 440]
    assert (summary.readings, summary.already_sent) == (0, 1440)


def test_another_address_and_another_simulation_begin_from_the_beginning(ingest: Ingest) -> None:
    Run(ingest.url).send()
    run = Run(ingest.url)
    assert not run.send(resumed(Request(**{**vars(DAY), "seed": 1}))).resumed
    assert "starts from the beginning" in run.said[0]
    with serving(Ingest()) as other:
        assert not Run(other.url).send(resumed()).resumed
        assert len(other.accepted) == 1440


def test_without_resume_a_run_begins_from_the_beginning(ingest: Ingest) -> None:
    Run(ingest.url).send()
    Run(ingest.url).send()
    assert ingest.accepted == expected() * 2


def test_a_position_that_cannot_be_read_is_named(ingest: Ingest, state: Path) -> None:
    Run(ingest.url).send()
    [path] = [path for path in state.rglob("*") if path.is_file()]
    path.write_text('{"version": 1, "run"')
    with pytest.raises(GridwatchError, match=path.name):
        Run(ingest.url).send(resumed())


def test_where_no_position_can_be_kept_the_run_goes_on_and_that_is_said_once(
    ingest: Ingest, state: Path
) -> None:
    state.write_text("a file where the folder should be")
    run = Run(ingest.url)
    run.send()
    assert ingest.accepted == expected()
    assert len(run.said) == 1
    assert "cannot be written" in run.said[0]


def test_the_state_folder_is_the_users_with_platformdirs_and_without(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert state_folder() == state / "gridwatch"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder() == Path.home() / ".local" / "state" / "gridwatch"


def test_what_is_there_is_sent_before_pacing_waits_and_else_a_batch_is_filled(ingest: Ingest) -> None:
    run = Run(ingest.url)
    row = (START, "m", 0.5, 15, "")
    with run.mode().connect("identity", resume=False) as target:
        assert target.readings(7, [row, row]) == 2
        target.idle(0)
        assert ingest.sizes == []
        target.idle(0.1)
        assert (ingest.sizes, run.slept) == ([2], [0.1])
        target.idle(0.1)
        assert ingest.sizes == [2]


def test_a_paced_run_sends_readings_of_a_time_at_their_time(ingest: Ingest) -> None:
    request = Request(**{**vars(DAY), "speed": 900_000.0, "end": START + HOUR})
    run = Run(ingest.url)
    waited: list[int] = []
    run.on_sleep = lambda: waited.append(len(ingest.accepted))
    run.send(request)
    assert ingest.accepted == expected(request)
    assert set(waited) <= {30, 60, 90, 120}
    assert waited


def test_neither_ticks_nor_control_records_are_part_of_it(ingest: Ingest, tmp_path: Path) -> None:
    for speed in (None, 1e9):
        # Asked for or not, and with the truth or without.
        for truth in (None, tmp_path / "truth.jsonl"):
            request = Request(
                30, 900, 4, START, START + 12 * HOUR, speed=speed, truth=truth, readings_only=True
            )
            summary = Simulation(request, load_settings(), Quiet(), print).plan()
            assert (summary.readings, summary.ticks, summary.control_records) == (1440, 0, 0)
            assert summary.settled_to is None


def test_the_command_sends_and_says_that_it_is_not_settled(ingest: Ingest) -> None:
    said = run("--mode", "http", "--url", ingest.url + "/")
    assert ingest.accepted == expected()
    assert "settled   no" in said
    assert "registry  none sent" in said
    assert "no ticks" in said
    assert f"answers   {ingest.url}: 1,440 accepted, 0 rejected" in said


def test_the_command_fails_when_a_reading_was_rejected(ingest: Ingest) -> None:
    ingest.script.append(Act(rejects=(0,)))
    said = run("--mode", "http", "--url", ingest.url, "--json", code=1)
    answers = json.loads(said[said.index("{") :])["answers"]
    assert (answers["accepted"], answers["rejected"], len(answers["examples"])) == (1439, 1, 1)


def test_a_key_is_in_one_header_and_nowhere_else(
    ingest: Ingest, state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GRIDWATCH_INGEST_KEY", KEY)
    ingest.script.append(Act(rejects=(1,)))
    shown = run("--mode", "http", "--url", ingest.url, code=1)
    for one in ingest.seen:
        assert [name for name, value in one.headers.items() if KEY in value] == ["Authorization"]
        assert one.headers["Authorization"] == f"Bearer {KEY}"
        assert KEY not in one.path + json.dumps(one.readings)
    ingest.script.append(Act(401))
    shown += run("--mode", "http", "--url", ingest.url, code=1)
    shown += "".join(path.read_text() for path in state.rglob("*") if path.is_file())
    assert KEY not in shown + caplog.text + repr(address_of(ingest.url, KEY))


def test_a_key_file_comes_before_the_environment(ingest: Ingest, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    environment = {"GRIDWATCH_INGEST_KEY": "other"}
    assert key_of(file, environment) == KEY
    assert key_of(None, environment) == "other"
    assert key_of(None, {"GRIDWATCH_INGEST_KEY": ""}) is None
    assert key_of(None, {}) is None
    for bad in ("", "two words", "two\nlines", "schlüssel", "nul\0"):
        file.write_text(bad, encoding="utf-8")
        with pytest.raises(UsageProblem) as caught:
            key_of(file, environment)
        assert not bad or bad not in str(caught.value)
    with pytest.raises(UsageProblem, match="cannot be read"):
        key_of(tmp_path / "none", environment)


def test_without_a_key_no_header_is_sent(ingest: Ingest) -> None:
    Run(ingest.url).send()
    assert all("Authorization" not in one.headers for one in ingest.seen)


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:3001", "http://meters.example.org", "http://[2001:db8::1]"]
)
def test_a_key_does_not_cross_a_network_in_plain_text(url: str) -> None:
    with pytest.raises(UsageProblem, match="in plain text"):
        address_of(url, KEY)
    assert address_of(url, None).key is None
    assert address_of(url.replace("http:", "https:"), KEY).key == KEY


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3001", "http://localhost:1", "http://[::1]/", "http://127.9.9.9"]
)
def test_on_loopback_a_key_may_go_in_plain_text(url: str) -> None:
    assert address_of(url, KEY).key == KEY


def test_an_address_may_have_a_path_before_that_of_the_request() -> None:
    address = address_of("https://example.org/meters/", None)
    assert (address.host, address.port, address.path) == ("example.org", 443, "/meters/telemetry/batch")
    assert address_of("http://[::1]:3001", None).host == "::1"
    assert address_of("http://localhost", None).port == 80


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--mode", "http"), "needs the address"),
        (("--url", "http://127.0.0.1:1"), "--url is for --mode http"),
        (("--key-file", "key"), "--key-file is for --mode http"),
        (("--mode", "http", "--url", "127.0.0.1:3001"), "no http:// or https:// address"),
        (("--mode", "http", "--url", "mqtt://127.0.0.1"), "no http:// or https:// address"),
        (("--mode", "http", "--url", "http://127.0.0.1:99999"), "cannot be read"),
        (("--mode", "http", "--url", "http://127.0.0.1/?a=b"), "more than an address"),
        (("--mode", "http", "--url", "http://127.0.0.1/telemetry/batch"), "added by itself"),
        (("--mode", "http", "--url", "http://127.0.0.1:1", "--final"), "none goes over HTTP"),
        (("--mode", "http", "--url", "http://127.0.0.1:1", "-o", "f.csv"), "does not go with --mode http"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...], problem: str) -> None:
    assert problem in run(*arguments, code=2)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    said = run("--mode", "http", "--url", f"http://user:{KEY}@127.0.0.1", code=2)
    assert "user name" in said
    assert KEY not in said


def test_live_readings_wait_for_the_clock_and_past_ones_go_at_once(ingest: Ingest) -> None:
    run = Run(ingest.url)

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    run.on_sleep = stop
    with run.mode().connect("identity", resume=False) as target:
        pace = pace_of(1, target, START)
        assert pace is not None
        target.readings(0, [(START, "m", 0.5, 15, "")])
        pace.wait_for(START - HOUR)
        assert ingest.sizes == []
        with pytest.raises(Stopped):
            pace.wait_for(START + HOUR)
        assert ingest.sizes == [1]
