"""Injected anomalies through Kafka, worker, sink and database: what the definition decides is found."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2
import pytest

from gridwatch.cli.scoring.anomalies import KINDS, by_meter
from gridwatch.cli.scoring.beginnings import Judge, Nominal
from gridwatch.cli.scoring.judged import judged_of
from gridwatch.cli.scoring.stored import Book, Stored
from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from replay.truth.manifest import read_manifest
from sinks.database import connect
from tests.processes import Site, gridwatch, query

pytestmark = pytest.mark.integration

METER = "R01-F0001-T1-M0000{:02d}"
WINDOW = ("--from", "2026-03-02", "--until", "2026-03-12", "--seed", "3", "--final")
EVENTS = (
    ("--spike", METER.format(1), "@2026-03-08T10:00Z+2h×6"),
    ("--power-drop", METER.format(2), "@2026-03-08T17:00Z+2h×0.05"),
    ("--zero", METER.format(3), "@2026-03-08T10:00Z+30h"),
    ("--flat", METER.format(4), "@2026-03-08T10:00Z+12h"),
    ("--level-shift", METER.format(5), "@2026-03-08×6"),
    ("--level-shift", METER.format(6), "@2026-03-08+2d×6"),
    ("--reverse-flow", METER.format(7), "@2026-03-08T10:00Z+1h=1.5"),
    ("--voltage", METER.format(8), "@2026-03-08T10:00Z+1h=190"),
    ("--frequency", METER.format(9), "@2026-03-08T10:00Z+1h=48.5"),
    ("--power-factor", METER.format(10), "@2026-03-08T10:00Z+1h=0.6"),
    # No baseline is known yet: nothing is decided.
    ("--spike", METER.format(11), "@2026-03-02T00:15Z+30m×6"),
)


class Scored(NamedTuple):
    """A deployment that has processed everything, and the truth about it."""

    site: Site
    folder: Path

    def score(self, *options: str) -> str:
        ended = gridwatch(
            "score", "truth.jsonl", *options, env=self.site.environment(), folder=self.folder, seconds=120
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def anomalies(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.score("--json"))["anomalies"]
        return found


@pytest.fixture(scope="module", params=["simulated", "replayed"])
def scored(
    request: pytest.FixtureRequest,
    kafka: EmbeddedKafka,
    postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scored]:
    folder = tmp_path_factory.mktemp("anomalies")
    with new_database(postgres.url) as database, Site(kafka.bootstrap, folder, database=database) as site:
        worker, sink = site.worker().start(), site.sink().start()
        worker.wait_until_ready()
        sink.wait_until_ready()
        if request.param == "replayed":
            commands = [
                ("sample", "--meters", "12", "--days", "25", "--seed", "3", "-o", "meters.csv"),
                ("replay", "meters.csv", "--faults", "anomalies", "--seed", "4", "--truth", "truth.jsonl"),
            ]
        else:
            events = [part for option, meter, what in EVENTS for part in (option, meter + what)]
            fleet = ("--meters", "20", "--regions", "1", "--every", "15m", *WINDOW)
            commands = [("simulate", *fleet, *events, "--truth", "truth.jsonl")]
        for command in commands:
            ended = gridwatch(*command, env=site.environment(), folder=folder, seconds=120)
            assert ended.returncode == 0, ended.stderr
        site.wait_processed()
        site.wait_stored()
        yield Scored(site, folder)


def test_every_episode_that_the_definition_decides_is_found(scored: Scored) -> None:
    found = scored.anomalies()
    assert found["missed"] == []
    kinds = found["kinds"]
    assert list(kinds) == list(KINDS)
    for name, kind in kinds.items():
        assert kind["injected"] > 0, name
        assert kind["found"] == kind["decided"], name
    overall = found["overall"]
    assert overall["decided"] > 8
    assert overall["decided"] < overall["injected"]
    assert found["windows"] > 1000


def test_what_is_in_the_database_is_counted_by_kind_and_severity(scored: Scored) -> None:
    assert scored.site.database is not None
    rows = query(
        scored.site.database,
        "SELECT kind, severity, count(*) FROM anomalies WHERE state <> 'RETRACTED' GROUP BY 1, 2",
    )
    counted = {
        (kind, severity, count)
        for kind, one in scored.anomalies()["kinds"].items()
        for severity, count in one["stored"].items()
        if count
    }
    assert counted == set(rows)


def test_the_database_has_what_begins_by_the_definition_and_nothing_else(scored: Scored) -> None:
    assert scored.site.database is not None
    known = scored.site.settings
    policy = known.policy()
    with connect(scored.site.database) as connection:
        truth = read_manifest(scored.folder / "truth.jsonl")
        stored = Stored(connection, known.flow, 0, truth.settled_to or 0)
        found = defaultdict(list)
        for meter, one in stored.anomalies():
            found[meter].append(one)
        book = Book(connection, truth.head.get("timezone"), policy.timezone)
        judged = 0
        for meter, readings, rows in by_meter(stored, policy.judged_window or 0):
            windows = judged_of(readings, rows, policy.judged_window or 0, end_anchor=False)
            assert windows is not None
            assert all(window.sure for window in windows)
            judged += len(windows)
            judge = Judge(book.days(meter, readings[-1].region), Nominal(230_000, 50_000))
            begun = list(judge.beginnings(windows))
            # Each that begins is open then, and each that is there begins with one of them.
            for begin in begun:
                assert any(
                    one.kind == begin.kind and one.overlaps(begin.start, begin.end) for one in found[meter]
                ), (
                    meter,
                    begin,
                )
            for one in found[meter]:
                assert any(
                    one.kind == begin.kind and one.overlaps(begin.start, begin.end) for begin in begun
                ), (
                    meter,
                    one,
                )
                if one.kind not in ("FLATLINE", "ZERO_RUN", "LEVEL_SHIFT"):
                    assert (one.kind, one.start) in {(begin.kind, begin.start) for begin in begun}
        assert judged > 10_000


def test_an_anomaly_that_is_missing_is_missed_and_named(scored: Scored) -> None:
    assert scored.site.database is not None
    session = psycopg2.connect(scored.site.database)
    try:
        with session.cursor() as cursor:
            cursor.execute("DELETE FROM anomalies WHERE kind = 'VOLTAGE'")
        kind = json.loads(_scored_in(session, scored))["anomalies"]["kinds"]["VOLTAGE"]
        assert kind["decided"] > kind["found"] == 0
    finally:
        session.close()


def _scored_in(session: Any, scored: Scored) -> str:
    session.commit()
    page = scored.folder / "score.html"
    text = scored.score("--html", str(page))
    assert "VOLTAGE missed: " in text
    assert "anomalies " in text
    assert '<table id="anomalies">' in page.read_text()
    return scored.score("--json")
