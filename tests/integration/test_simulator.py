"""The simulator on a real broker: what it withheld, repeated and delayed is what worker and score find."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.topics import RAW, REGION_HEADER, REGISTRY_HEADER, REPLAY_HEADER, ROW_HEADER, TICK_HEADER
from tests.processes import Site, gridwatch, query
from tests.records import raw_ends, read

pytestmark = pytest.mark.integration

TWO_DAYS = ("--from", "2026-03-02", "--until", "2026-03-04")


@pytest.fixture
def site(kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Site]:
    with new_database(postgres.url) as database, Site(kafka.bootstrap, tmp_path, database=database) as site:
        yield site


def simulate(site: Site, folder: Path, *arguments: str) -> dict[str, Any]:
    ended = gridwatch("simulate", *arguments, "--json", env=site.environment(), folder=folder)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def is_control(message: Any) -> bool:
    """Whether a record is of the registry."""
    return bool({REGISTRY_HEADER, REGION_HEADER} & dict(message.headers() or ()).keys())


def content(site: Site) -> list[tuple[int, bytes | None, bytes | None, bytes]]:
    """Every record of the raw topic with its row number, partition by partition."""
    return [
        (
            message.partition() or 0,
            message.key(),
            message.value(),
            dict(message.headers() or ())[ROW_HEADER],
        )
        for message in read(site.bootstrap, RAW.name)
    ]


def test_outages_lost_late_and_repeated_readings_are_all_found_and_nothing_else(
    site: Site, tmp_path: Path
) -> None:
    worker, sink = site.worker().start(), site.sink().start()
    worker.wait_until_ready()
    sink.wait_until_ready()
    sent = simulate(
        site, tmp_path, "--meters", "50", "--every", "30m", "--regions", "2", *TWO_DAYS, "--seed", "11",
        "--outage", "R02@2026-03-02T09:00Z+3h",
        "--outage", "R01-F0001-T1@2026-03-03T02:00Z+90m",
        "--outage", "R01-F0001-T1-M000007@2026-03-03T20:00Z+4h",
        "--spike", "R01-F0001-T1-M000001@2026-03-02T18:00Z+1h×6",
        "--overload", "R02@2026-03-03T17:00Z+45m×1.8",
        "--drop", "0.02", "--dup", "0.02", "--late", "0.1", "--truth", "truth.jsonl",
    )  # fmt: skip
    assert sent["readings"] > 50 * 96 - sent["withheld"] > 0
    assert sent["truth"]["outage"] >= 50
    assert sent["truth"]["spike"] == 1
    assert sent["truth"]["overload"] == 25
    site.wait_processed()
    site.wait_stored()
    ended = gridwatch("score", "truth.jsonl", "--json", env=site.environment(), folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    score = json.loads(ended.stdout)
    assert score["differences"] == []
    gaps = score["gaps"]
    assert gaps["expected"] > 100
    assert (gaps["precision"], gaps["recall"]) == (1.0, 1.0)
    assert score["late_readings"]["expected"] > 200
    assert (score["overall"]["precision"], score["overall"]["recall"]) == (1.0, 1.0)
    assert site.database is not None
    # The fleet is registered; nothing else is known of it than before.
    page = worker.page("/registry/?limit=1000")
    assert page["counts"]["by_status"]["active"] == len(page["meters"]) == 50
    assert {(one["interval_seconds"], one["heard"], one["version"]) for one in page["meters"]} == {
        (1800, True, 1)
    }
    assert [one["region"] for one in page["regions"]] == ["R01", "R02"]
    # What was measured arrives as it was sent: nothing is refused, energy and power agree.
    assert query(site.database, "SELECT count(*) FROM dead_letters") == [(0,)]
    assert query(
        site.database,
        "SELECT count(*) FROM validated_readings WHERE abs(consumption_kwh - power_kw / 2) > 0.00001 "
        "OR abs(current * voltage * power_factor / 1000 - power_kw) > 0.00002 OR region IS NULL",
    ) == [(0,)]


def test_meters_that_are_silent_at_first_are_never_heard_and_no_mistake(site: Site, tmp_path: Path) -> None:
    worker, sink = site.worker().start(), site.sink().start()
    worker.wait_until_ready()
    sink.wait_until_ready()
    sent = simulate(
        site, tmp_path, "--meters", "20", "--every", "30m", "--regions", "2", *TWO_DAYS,
        "--outage", "R02@2026-03-02+30h", "--outage", "R01-F0001-T1-M000001@2026-03-02+2d",
        "--late", "0.05", "--truth", "truth.jsonl",
    )  # fmt: skip
    assert sent["control_records"] == 20 + 2 * 6
    site.wait_processed()
    site.wait_stored()
    assert site.database is not None
    assert query(
        site.database, "SELECT reason, state, count(*) FROM gap_alerts GROUP BY 1, 2 ORDER BY 1"
    ) == [("NEVER_HEARD", "OPEN", 1), ("heard for the first time", "CLOSED", 10)]
    assert [one["meter_id"] for one in worker.page("/registry/?heard=never")["meters"]] == [
        "R01-F0001-T1-M000001"
    ]
    ended = gridwatch("score", "truth.jsonl", "--json", env=site.environment(), folder=tmp_path)
    score = json.loads(ended.stdout)
    assert (score["differences"], score["overall"]["precision"], score["overall"]["recall"]) == ([], 1.0, 1.0)


def test_without_the_registry_only_readings_and_ticks_are_sent(site: Site, tmp_path: Path) -> None:
    window = ("--from", "2026-03-02T10:00Z", "--until", "2026-03-02T10:05Z", "--no-registry")
    sent = simulate(site, tmp_path, "--meters", "5", "--every", "1m", *window)
    assert sent["control_records"] == 0
    assert not any(map(is_control, read(site.bootstrap, RAW.name)))


def test_meters_of_ten_seconds_are_scored_as_exactly(site: Site, tmp_path: Path) -> None:
    worker, sink = site.worker().start(), site.sink().start()
    worker.wait_until_ready()
    sink.wait_until_ready()
    sent = simulate(
        site, tmp_path, "--meters", "40", "--every", "10s", "--regions", "2", "--seed", "4", "--final",
        "--from", "2026-03-02T10:00Z", "--until", "2026-03-02T10:40Z",
        "--outage", "R02-F0001-T1@2026-03-02T10:05Z+8m",
        "--outage", "R01-F0001-T1-M000001@2026-03-02T10:20Z+20m",
        "--drop", "0.02", "--dup", "0.01", "--late", "0.05", "--late-by", "3m", "--truth", "truth.jsonl",
    )  # fmt: skip
    assert sent["settled_to"] == "2026-03-02T11:55:00Z"
    site.wait_processed()
    site.wait_stored()
    ended = gridwatch("score", "truth.jsonl", "--json", env=site.environment(), folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    score = json.loads(ended.stdout)
    assert score["differences"] == []
    assert score["unjudged"] == 0
    assert score["gaps"]["expected"] > 200
    assert score["late_readings"]["expected"] > 200
    assert (score["overall"]["precision"], score["overall"]["recall"]) == (1.0, 1.0)
    assert site.database is not None
    assert query(
        site.database,
        "SELECT DISTINCT interval_seconds, round(CAST(interval_minutes AS numeric), 4) FROM gap_alerts",
    ) == [(10, Decimal("0.1667"))]
    # The only meter that is silent at the end, and nothing after it.
    assert query(
        site.database, "SELECT meter_id, missing_intervals, missing_to FROM gap_alerts WHERE state = 'OPEN'"
    ) == [("R01-F0001-T1-M000001", 120, datetime(2026, 3, 2, 10, 40, 20, tzinfo=UTC))]


def test_ten_seconds_are_sent_and_the_same_command_sends_the_same_again(site: Site, tmp_path: Path) -> None:
    window = ("--from", "2026-03-02T10:00Z", "--until", "2026-03-02T10:05Z", "--dup", "0.1")
    sent = simulate(site, tmp_path, "--meters", "40", "--every", "10s", *window)
    assert sent["readings"] > 40 * 30
    first = content(site)
    assert sent["control_records"] == 40 + 4 * 6
    assert len(first) == sent["readings"] + sent["tick_records"] + sent["control_records"]
    simulate(site, tmp_path, "--meters", "40", "--every", "10s", *window)
    again = content(site)
    for partition in {record[0] for record in first}:
        before = [record for record in first if record[0] == partition]
        both = [record for record in again if record[0] == partition]
        assert both == before + before


def test_ctrl_c_ends_with_130_and_resume_goes_on(site: Site, tmp_path: Path) -> None:
    now = time.time_ns() // 1000
    options = (
        "--meters", "300", "--every", "10s", "--speed", "200", "--from", format_instant(now - 1_800_000_000),
        "--until", format_instant(now),
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "gridwatch", "simulate", *options],
        env=site.environment(),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        site.until("some readings are sent", lambda: sum(raw_ends(site.bootstrap).values()) > 3000, 60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "stopped after" in said
    resumed = simulate(site, tmp_path, *options, "--resume")
    assert resumed["resumed"]
    assert resumed["already_sent"] > 0
    messages = read(site.bootstrap, RAW.name)
    assert len({dict(message.headers() or ())[REPLAY_HEADER] for message in messages}) == 1
    readings = [
        (message.key(), json.loads(message.value() or b"")["timestamp"])
        for message in messages
        if TICK_HEADER not in dict(message.headers() or ()) and not is_control(message)
    ]
    assert len(readings) == len(set(readings)) == 300 * 180


def test_live_readings_come_by_the_clock(site: Site, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gridwatch",
            "simulate",
            "--meters",
            "5",
            "--every",
            "1s",
            "--from",
            "-20s",
            "--speed",
            "1",
        ],
        env=site.environment(),
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        # The past comes at once, then five readings a second.
        site.until("some live readings are there", lambda: sum(raw_ends(site.bootstrap).values()) >= 150, 60)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
    for message in read(site.bootstrap, RAW.name):
        if message.key() is not None and not is_control(message):
            stamp = json.loads(message.value() or b"")["timestamp"]
            # Record time is in whole milliseconds, cut.
            assert parse_instant(stamp)[0] <= (message.timestamp()[1] + 1) * 1000
