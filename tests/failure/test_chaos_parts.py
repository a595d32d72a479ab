"""The parts of `gridwatch chaos`: seeds repeat, no difference is missed."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import msgspec
import pytest
import rocksdict
from click.testing import CliRunner

from chaos.compare.changelog import Rows
from chaos.compare.databases import find_inconsistencies, read_databases
from chaos.compare.differences import differences
from chaos.compare.snapshot import REGIONAL_OUTPUTS, Snapshot, last_revisions
from chaos.entry import FIRED_SUFFIX, Failpoint
from chaos.injectors.by_kind import INJECTORS
from chaos.schedule import KINDS, SINK_STEPS, STEPS, make_schedule
from chaos.service import SupervisedService, Supervisor
from gridwatch import cli
from gridwatch.deployment.polling import until
from gridwatch.domain.partition.state import PartitionState
from gridwatch.errors import UsageProblem
from gridwatch.streaming.stage import pipeline
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import IDENTITY_KEY, Store
from gridwatch.topics import ANOMALIES, DEAD_LETTERS, GAP_ALERTS, METRICS, OUTPUTS
from sinks import writer

pytestmark = pytest.mark.failure


# -- schedules


def test_a_seed_repeats_its_schedule() -> None:
    assert make_schedule(7, 30) == make_schedule(7, 30)
    assert make_schedule(7, 30) != make_schedule(8, 30)


def test_every_kind_of_fault_is_drawn_and_has_an_injector() -> None:
    drawn = {fault.kind for seed in range(30) for fault in make_schedule(seed, 30).faults}
    assert drawn == KINDS.keys() == INJECTORS.keys()


def test_only_the_requested_kinds_are_drawn() -> None:
    assert {fault.kind for fault in make_schedule(1, 20, ("sink-kill",)).faults} == {"sink-kill"}


def test_input_that_ends_early_ends_before_the_last_third_of_the_faults() -> None:
    assert {make_schedule(seed, 9, early=True).silent_from for seed in range(5)} == {7}
    assert {make_schedule(seed, 9, early=False).silent_from for seed in range(5)} == {0}
    assert {make_schedule(seed, 9).silent_from for seed in range(30)} == {0, 7}
    silent = [fault for seed in range(30) for fault in make_schedule(seed, 9, early=True).faults[6:]]
    assert not [fault for fault in silent if fault.kind.endswith("-at-step")]
    assert "all input sent before fault 7" in str(make_schedule(1, 9, early=True))


def test_the_steps_of_a_commit_are_those_of_the_pipeline() -> None:
    assert STEPS == pipeline.STEPS


def test_the_steps_of_a_transaction_are_those_of_the_writer() -> None:
    assert SINK_STEPS == writer.STEPS


def test_faults_lie_within_the_input_in_order() -> None:
    places = [fault.at for fault in make_schedule(3, 25).faults]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < 1


# -- comparison


def test_what_is_lost_in_excess_or_different_is_reported() -> None:
    wanted = Snapshot({"table gap_alerts": {"a": {"state": "OPEN", "n": 1}, "b": {"state": "OPEN", "n": 2}}})
    found = copy.deepcopy(wanted)
    assert differences(wanted, found) == []
    del found.contents["table gap_alerts"]["a"]
    found.contents["table gap_alerts"]["b"]["state"] = "CLOSED"
    found.contents["table gap_alerts"]["c"] = {"state": "OPEN", "n": 3}
    reported = differences(wanted, found)
    assert [(one.what, one.key) for one in reported] == [
        ("lost", "a"),
        ("different", "b"),
        ("in excess", "c"),
    ]
    assert str(reported[1]) == "different: table gap_alerts: b: state OPEN became CLOSED"


def test_a_whole_place_that_is_missing_is_lost() -> None:
    assert [one.what for one in differences(Snapshot({"state": {"0/": (1,)}}), Snapshot({}))] == ["lost"]


def test_the_last_revision_counts_and_two_versions_of_one_revision_are_reported() -> None:
    emitted = [{"gap_id": "g", "revision": 2, "n": 1}, {"gap_id": "g", "revision": 1, "n": 0}]
    assert last_revisions(GAP_ALERTS.name, [*emitted, *emitted]) == ({"g": emitted[0]}, [])
    _, reported = last_revisions(GAP_ALERTS.name, [*emitted, {"gap_id": "g", "revision": 2, "n": 7}])
    assert len(reported) == 1


def test_the_last_revision_of_an_anomaly_counts_by_its_id() -> None:
    emitted = [
        {"anomaly_id": f"M1@T/{kind}", "revision": revision, "state": state, "received_at": "R"}
        for kind, revision, state in (("SPIKE", 1, "OPEN"), ("SPIKE", 2, "CLOSED"), ("DROP", 1, "OPEN"))
    ]
    found, reported = last_revisions(ANOMALIES.name, copy.deepcopy(emitted + emitted))
    assert {name: (one["revision"], one["state"]) for name, one in found.items()} == {
        "M1@T/SPIKE": (2, "CLOSED"),
        "M1@T/DROP": (1, "OPEN"),
    }
    assert reported == []
    assert not any("received_at" in one for one in found.values())
    _, reported = last_revisions(ANOMALIES.name, [*emitted, emitted[2] | {"severity": "high"}])
    assert len(reported) == 1


def test_the_records_of_every_output_are_named_by_a_field_that_they_have() -> None:
    for topic in (*OUTPUTS, *REGIONAL_OUTPUTS):
        assert topic.model is not None
        sample = dict.fromkeys(field.name for field in msgspec.structs.fields(topic.model))
        sample |= {"revision": 1, "message": ""}
        assert len(last_revisions(topic.name, [sample])[0]) == 1, topic.name


def test_what_depends_on_the_wall_clock_is_left_out() -> None:
    assert last_revisions(METRICS.name, [{"id": "m", "revision": 1, "scope": "system"}]) == ({}, [])
    letters = [
        {"id": "d", "record_timestamp": stamp, "message": f"timestamp is {ahead} s after its record"}
        for stamp, ahead in (("2026-01-01T00:00:00Z", "3.1e+10"), ("2026-01-01T00:00:01Z", "2e+10"))
    ]
    last, reported = last_revisions(DEAD_LETTERS.name, letters)
    assert last["d"] == {"id": "d", "message": "timestamp is after its record"}
    assert reported == []


def test_arrivals_are_left_out_but_may_not_differ_within_a_run() -> None:
    alerts = [
        {"gap_id": "g", "revision": 1, "received_at": f"2026-01-01T00:00:0{second}Z"} for second in (0, 0, 1)
    ]
    assert last_revisions(GAP_ALERTS.name, copy.deepcopy(alerts[:2])) == (
        {"g": {"gap_id": "g", "revision": 1}},
        [],
    )
    assert len(last_revisions(GAP_ALERTS.name, copy.deepcopy(alerts))[1]) == 1


# -- RocksDB against the changelog

END = 7


def stored(folder: Path, rows_of_it: dict[bytes, bytes], reached: int) -> Path:
    """The folder of a worker with a database of partition 3."""
    path = folder / "worker-1" / "v1" / "tables" / "meters-3.db"
    path.mkdir(parents=True)
    database = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
    for key, row in {**rows_of_it, Store.offset_key: str(reached).encode(), FENCE_KEY: b""}.items():
        database[key] = row
    database.close()
    return folder / "worker-1"


def in_changelog() -> Rows:
    state = PartitionState(3, meters=1)
    found = {b"M1": b"row", PARTITION_KEY: METERS.encode_partition(state, 1)}
    return Rows(METERS, {(3, key): row for key, row in found.items()}, {3: END})


@pytest.mark.parametrize("reached", [END, END + 1])
def test_a_database_with_every_row_of_the_changelog_is_consistent(tmp_path: Path, reached: int) -> None:
    changelog = in_changelog()
    folder = stored(tmp_path, {key: row for (_, key), row in changelog.last.items()}, reached)
    assert find_inconsistencies(changelog, read_databases([folder], "meters")) == []


def test_a_missing_extra_or_different_row_is_reported(tmp_path: Path) -> None:
    changelog = in_changelog()
    partition = changelog.last[3, PARTITION_KEY]
    wrong = {b"M1": b"another", b"M2": b"too many", PARTITION_KEY: partition}
    reported = find_inconsistencies(changelog, read_databases([stored(tmp_path, wrong, END)], "meters"))
    assert ["b'M1'" in reported[0], "b'M2'" in reported[1], len(reported)] == [True, True, 2]


def test_a_block_that_no_meter_names_any_more_is_not_reported_and_a_missing_one_is(tmp_path: Path) -> None:
    changelog = in_changelog()
    rows = {key: row for (_, key), row in changelog.last.items()}
    changelog.last[3, b"\x021\x02M1"] = b"block"
    stale = {**rows, b"\x020\x02M1": b"stale", b"\x021\x02M1": b"block"}
    assert (
        find_inconsistencies(changelog, read_databases([stored(tmp_path / "a", stale, END)], "meters")) == []
    )
    (reported,) = find_inconsistencies(
        changelog, read_databases([stored(tmp_path / "b", rows, END)], "meters")
    )
    assert "021" in reported


def test_a_database_of_a_deleted_changelog_is_not_compared_with_the_current_one(
    tmp_path: Path,
) -> None:
    folder = stored(tmp_path, {b"M1": b"of before", IDENTITY_KEY: b"gone"}, END)
    assert [len(read_databases([folder], "meters", one)) for one in (b"gone", b"there", None)] == [1, 0, 1]


def test_an_owner_without_its_rows_is_reported(tmp_path: Path) -> None:
    databases = read_databases([stored(tmp_path, {b"M1": b"row"}, END - 1)], "meters")
    (reported,) = find_inconsistencies(in_changelog(), databases)
    assert "none reaches" in reported


def test_a_partition_that_has_miscounted_its_meters_is_reported() -> None:
    changelog = in_changelog()
    changelog.last[3, b"M2"] = b"too many"
    assert "2 states, counted 1" in find_inconsistencies(changelog, [])[0]


# -- processes


def test_a_failpoint_fires_at_its_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    file = tmp_path / "failpoint"
    failpoint = Failpoint(file)
    failpoint("written")
    file.write_text(json.dumps({"step": "written", "pass": 2, "signal": int(signal.SIGKILL)}))
    for step in ("decided", "written", "decided"):
        failpoint(step)
        assert sent == []
    failpoint("written")
    assert sent == [(os.getpid(), signal.SIGKILL)]
    assert not file.exists()
    assert file.with_name(file.name + FIRED_SUFFIX).exists()


def test_a_disarmed_failpoint_does_not_fire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(number))
    file = tmp_path / "failpoint"
    failpoint = Failpoint(file)
    file.write_text(json.dumps({"step": "cut", "pass": 2, "signal": int(signal.SIGKILL)}))
    failpoint("cut")
    file.unlink()
    failpoint("cut")
    assert sent == []


def test_a_failpoint_drops_so_many_batches_from_its_pass_on(tmp_path: Path) -> None:
    file = tmp_path / "failpoint"
    failpoint = Failpoint(file)
    assert not failpoint.should_drop("queued")
    file.write_text(json.dumps({"step": "queued", "pass": 2, "signal": 0, "times": 3}))
    places = ["queued", "fetched", "queued", "drained", "queued", "queued", "queued"]
    dropped = [failpoint.should_drop(place) for place in places]
    assert dropped == [False, False, True, False, True, True, False]
    assert file.with_name(file.name + FIRED_SUFFIX).exists()


class Sleeper(SupervisedService):
    """A service that does nothing for a while, then ends."""

    seconds = 60.0

    def command(self) -> list[str]:
        return [sys.executable, "-c", f"import time; time.sleep({self.seconds})"]


def test_a_killed_service_is_restarted_and_an_exit_by_itself_is_recorded_too(tmp_path: Path) -> None:
    killed, ending = (
        Sleeper("sink", name, tmp_path, {"sink_web_port": port})
        for port, name in enumerate(("killed", "ending"), 1)
    )
    ending.seconds = 0.0
    with Supervisor([killed, ending]):
        killed.start()
        ending.start()
        killed.kill()
        until("both were restarted", lambda: killed.starts >= 2 and len(ending.exits) >= 2, 20)
        assert killed.exits == []
        with killed.held_down():
            killed.kill()
            time.sleep(0.6)
            assert not killed.running
        until("it is back", lambda: killed.running, 20)
    assert not killed.running
    assert not ending.running


# -- the page

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_page_of_guarantees_names_exists() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert named
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_every_kind_of_fault_is_on_the_page_of_guarantees() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    page, _, of_entrances = page.partition("\n## Faults of the entrances\n")
    assert of_entrances
    reported = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page, re.MULTILINE)
    assert reported == [(kind, meaning) for kind, (meaning, _) in KINDS.items()]


# -- command


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    ran = CliRunner().invoke(cli.cli, ["chaos", "--kinds", "worker,meteor"])
    assert isinstance(ran.exception, UsageProblem)
    assert "meteor" in str(ran.exception)
    assert "broker-kill" in str(ran.exception)
