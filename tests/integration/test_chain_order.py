"""200 meters, 30 days, as fast as it goes; and the order of the file does not matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from tests.processes import Database, Site, gridwatch

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

METERS, DAYS = 200, 30


class Run(NamedTuple):
    """What came of one file: what was sent, the database, and the score against the injected truth."""

    sent: Any
    rows: Database
    score: Any


def replayed(order: str, kafka: EmbeddedKafka, postgres: EmbeddedPostgres, folder: Path) -> Run:
    """The database after a replay of the same readings, sorted by time or by meter."""
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, folder, database=database, metrics_window="1h") as site,
    ):
        env = site.environment()

        def command(*arguments: str) -> str:
            ended = gridwatch(*arguments, env=env, folder=folder, seconds=300)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        file, truth = f"by-{order}.csv.gz", f"truth-{order}.jsonl"
        command("sample", "--meters", str(METERS), "--days", str(DAYS), "--order", order, "-o", file)
        site.worker().start()
        site.sink().start()
        faults = ("--faults", "seed-spec", "--seed", "7", "--truth", truth)
        sent = json.loads(command("replay", file, "--speed", "max", *faults, "--json"))
        site.wait_processed(seconds=240)
        site.wait_stored(seconds=240)
        return Run(sent, site.rows(), json.loads(command("score", truth, "--json", "--show", "0")))


@pytest.fixture(scope="module")
def runs(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Run]]:
    folder = tmp_path_factory.mktemp("order")
    yield {order: replayed(order, kafka, postgres, folder) for order in ("time", "meter")}


def test_everything_injected_is_found_and_nothing_else(runs: dict[str, Run]) -> None:
    overall = runs["time"].score["overall"]
    assert (overall["precision"], overall["recall"]) == (1.0, 1.0)
    assert overall["expected"] > METERS * DAYS


def test_every_reading_sent_is_there_once(runs: dict[str, Run]) -> None:
    sent, rows = runs["time"].sent, runs["time"].rows
    assert len(rows["validated_readings"]) == sent["readings"] == METERS * DAYS * 48 - sent["withheld"]
    assert {name for name, of_table in rows.items() if not of_table} == {
        "reading_revisions",
        "late_events",
        "dead_letters",
        "regional_aggregates_15m",  # no meter has a region
        "incidents",
        *("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters"),
    }


def test_a_file_sorted_by_meter_gives_the_same_database(runs: dict[str, Run]) -> None:
    by_time, by_meter = runs["time"].rows, runs["meter"].rows
    assert {name: len(rows) for name, rows in by_time.items()} == {
        name: len(rows) for name, rows in by_meter.items()
    }
    assert [name for name in by_time if by_time[name] != by_meter[name]] == []
