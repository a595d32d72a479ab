"""`gridwatch score` with a real PostgreSQL: the contents of the database compared with a manifest."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from gridwatch.cli import run
from gridwatch.domain.instants import format_instant
from gridwatch.embedded import EmbeddedPostgres
from replay.faults import FaultPlan
from replay.order.emission import Kind
from replay.truth.manifest import Manifest
from sinks.database import connect, open_engine
from sinks.schema.version import migrate
from sinks.tables.gap_alerts import gap_alerts
from sinks.tables.late_events import late_events
from sinks.tables.validated_readings import validated_readings
from tests.unit.replay.rig import HOUR, at, detected, every, manifest, sequence

pytestmark = pytest.mark.integration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ITEMS = sequence(
    [row for n in range(5) for row in every(30, f"M{n}", at("00:00"), 120)], FaultPlan(4, 0.1, 3 * HOUR, 0.08)
)


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty database with the schema in it."""
    name = f"score_{uuid.uuid4().hex[:8]}"
    engine = open_engine(postgres.url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))


@pytest.fixture
def truth(tmp_path: Path) -> Manifest:
    return manifest(ITEMS, tmp_path)


def moment(time: int) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def fill(url: str, leave_out: int = 0) -> None:
    """What the rules report for ITEMS, as the sink would have written it, without the first few gaps."""
    found = detected(ITEMS)
    gaps, late = found.gaps, found.late
    gap_rows: list[dict[str, Any]] = [
        {
            "time": moment(gap.missing_from), "gap_id": f"{gap.meter}@{gap.missing_from}",
            "meter_id": gap.meter, "revision": 1, "state": gap.state,
            "missing_from": moment(gap.missing_from), "missing_to": moment(gap.missing_to),
            "missing_intervals": gap.missing_intervals,
            "filled_intervals": 0, "gap_minutes": 30.0, "interval_minutes": 30,
            "missing_ranges": [[format_instant(at) for at in both] for both in gap.ranges],
            "expected_at": moment(gap.missing_from), "detected_at": moment(gap.detected_at),
            "last_seen": moment(gap.missing_from), "grace_seconds": 900.0, "reason": "",
            "source_partition": 0, "source_offset": 0,
        }
        for gap in gaps[leave_out:]
    ]  # fmt: skip
    late_rows: list[dict[str, Any]] = [
        {
            "time": moment(event.time), "meter_id": event.meter, "consumption_kwh": 1.0, "delay_seconds": 1.0,
            "allowed_lateness_seconds": 3600.0, "flags": [], "watermark": moment(event.time),
            "source_partition": 0, "source_offset": number, "source_index": 0, "id": f"0-{number}-0",
        }
        for number, event in enumerate(late)
    ]  # fmt: skip
    readings = [
        {
            "time": moment(item.row[0]), "meter_id": item.row[1], "consumption_kwh": item.row[2],
            "status": "LATE" if (item.row[1], item.row[0]) in found.late_readings else "OK",
            "delay_seconds": 0.0, "flags": [], "interval_minutes": 30, "watermark": moment(item.row[0]),
            "source_partition": 0, "source_offset": number, "source_index": 0, "id": f"0-{number}-0",
        }
        for number, item in enumerate(ITEMS) if item.row and item.kind is Kind.READING
    ]  # fmt: skip
    with connect(url) as connection:
        connection.execute(validated_readings.insert(), readings)
        connection.execute(gap_alerts.insert(), gap_rows)
        connection.execute(late_events.insert(), late_rows)


def test_a_database_that_holds_the_truth_scores_one(
    url: str, truth: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(url)
    fill(url)
    options = ["--min-precision", "1", "--min-recall", "1", "--json"]
    assert run(["score", str(tmp_path / "truth.jsonl"), "--database-url", url, *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["gaps"]["matched"] == printed["gaps"]["expected"] == len(truth.gaps) > 20
    assert printed["late_events"]["matched"] == truth.late.total() > 5
    assert (printed["overall"]["precision"], printed["overall"]["recall"], printed["differences"]) == (
        1.0,
        1.0,
        [],
    )


def test_each_miss_is_listed_and_a_minimum_makes_it_exit_1(
    url: str, truth: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(url)
    fill(url, leave_out=3)
    command = ["score", str(tmp_path / "truth.jsonl"), "--database-url", url]
    page = tmp_path / "score.html"
    assert run([*command, "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("gap missed: M") == 3
    first = printed[printed.index("gap missed: ") :].splitlines()[1:]
    assert first[0].strip().startswith("2024-01-0")
    assert "kWh OK" in first[0]
    html = page.read_text()
    assert html.count("<section") == 3
    assert html.count("<svg") == 3 + 3
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert run([*command, "--min-recall", "0.9999"]) == 1
    assert "recall is 0." in capsys.readouterr().err


def test_a_database_without_tables_names_the_remedy(
    url: str, truth: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", str(tmp_path / "truth.jsonl"), "--database-url", url]) == 1
    assert "gridwatch db" in capsys.readouterr().err


def test_an_unavailable_database_is_exit_1_with_its_address(
    truth: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = "postgresql://nobody:secret@127.0.0.1:9/none"
    assert run(["score", str(tmp_path / "truth.jsonl"), "--database-url", nowhere]) == 1
    err = capsys.readouterr().err
    assert "127.0.0.1:9" in err
    assert "secret" not in err
