"""On TimescaleDB's own engine: the schema, its policies, late rows, and the dashboards' queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from dashboards.expansion import Raw, View, expand, panel_queries
from gridwatch.cli import run
from gridwatch.cli.doctor.databases import check_database
from gridwatch.models.validated import Validated
from gridwatch.settings import load_settings
from gridwatch.topics import GAP_ALERTS, VALIDATED
from sinks import tables
from sinks.connection import SchemaMismatchError
from sinks.database import connect
from sinks.migrations import VERSION_TABLE
from sinks.rows import Rows
from sinks.schema import timescale
from sinks.schema.storage import Storage
from sinks.schema.timescale import read_timescale_status, statements
from sinks.schema.version import SchemaStatus, migrate
from sinks.tables.table import metadata
from tests.integration.dashboard_data import METERS, Period, Source, gaps, readings, register
from tests.outside import timescale_steps as steps
from tests.outside.conftest import timescaledb

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
DAY = timedelta(days=1)
#: Old enough to be compressed, and young enough not to be. Short: every row is a part of an INSERT.
OLD = Period(NOW - 100 * DAY, NOW - 100 * DAY + DAY / 2, NOW - 100 * DAY + DAY / 2)
NEW = Period(NOW - DAY / 2, NOW, NOW)
ALL = Raw("'*'")
NAMES = {table.name for table in tables.TABLES}
#: What has rows of a home: tables and summaries.
HOME = (
    *("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters"),
    *("energy_hourly", "heatpump_hourly", "temperature_hourly"),
)


@dataclass(frozen=True)
class Became:
    """A plain database with rows that became one of TimescaleDB, and what it held before."""

    url: str
    contents: steps.Contents
    summaries: steps.Contents
    columns: list[Any]
    after: SchemaStatus


def became(url: str) -> Became:
    steps.migrate_to_plain(url)
    steps.write(url, (OLD, NEW))
    before = steps.contents(url), steps.summaries(url), steps.columns(url)
    assert all(before[0].values())
    assert all(before[1].values())
    return Became(url, *before, migrate(url, steps.KEPT)[1])


@pytest.fixture(scope="module")
def grown(packages: Path) -> Iterator[Became]:
    """Shared by tests that leave its rows as they are."""
    with timescaledb() as url:
        yield became(url)


def test_a_plain_database_is_converted_with_every_row(grown: Became) -> None:
    assert grown.after.kind.timescaledb
    assert grown.after.note == ""
    assert steps.contents(grown.url) == grown.contents
    assert steps.columns(grown.url) == grown.columns
    assert steps.summaries(grown.url) == grown.summaries


def test_a_second_migration_finds_nothing_to_do(grown: Became) -> None:
    migrate(grown.url, steps.KEPT)
    with connect(grown.url) as connection:
        status = read_timescale_status(connection)
    assert status.complete
    left = list(statements(status, steps.KEPT))
    assert len(left) == len(tables.TABLES)
    assert all("set_chunk_time_interval" in statement for statement in left)


def test_policies_compress_and_refresh_and_change_no_row(grown: Became) -> None:
    assert steps.run_policies(grown.url) >= len(tables.TABLES) + len(tables.summaries())
    assert steps.compressed_chunks(grown.url).keys() == NAMES
    assert steps.contents(grown.url) == grown.contents
    assert steps.summaries(grown.url) == steps.summaries_by_plain_sql(grown.url) == grown.summaries


def test_later_revisions_reach_compressed_chunks(empty: str) -> None:
    steps.migrate_to_plain(empty)
    steps.write(empty, (OLD, NEW))
    contents, summaries = steps.contents(empty), steps.summaries(empty)
    steps.make_older(empty)
    steps.run_policies(empty)
    assert steps.compressed_chunks(empty).keys() == NAMES - {*steps.LATER_TABLES}
    before, after = migrate(empty, steps.KEPT)
    assert (before.state, after.state) == ("older", "current")
    assert steps.contents(empty) == contents | dict.fromkeys(steps.LATER_TABLES)
    with connect(empty) as connection:
        status = read_timescale_status(connection)
        found = MigrationContext.configure(connection, opts={"compare_type": True})
        differing = [
            change
            for changes in compare_metadata(found, metadata)
            for change in (changes if isinstance(changes, list) else [changes])
        ]
    assert not [one for one in differing if one[0].startswith(("add_column", "remove_column", "modify"))]
    assert status.hypertables == dict.fromkeys(NAMES, True)
    assert status.compressed_after.keys() == NAMES
    steps.write(empty, (NEW, OLD))  # also into chunks that are compressed still
    steps.run_policies(empty)
    assert steps.compressed_chunks(empty).keys() == NAMES
    assert steps.contents(empty) == contents
    assert steps.summaries(empty) == summaries


def test_every_query_of_the_dashboards_runs(grown: Became) -> None:
    chosen = {
        "flow": "smartmeter",
        "meter": "O'Brien",
        "region": ALL,
        "partition": ALL,
        "kind": ALL,
        "confidence": ALL,
        "device": ALL,
    }
    view = View(OLD.start, NOW, {**chosen, "interval": "1h", "window": "auto"}, timescaledb=True)
    register(grown.url, NEW)
    answers = 0
    for question in panel_queries():
        for way in (view, replace(view, timescaledb=False)):
            with connect(grown.url) as connection:
                found = connection.exec_driver_sql(expand(question.sql, way).replace("%", "%%"), ()).all()
            # The meters have no window as new as the regions' newest.
            expected = question.dashboard != "gridwatch-health" and question.title != "Top meters A"
            assert found or not expected, question
            answers += bool(found)
    assert answers > 80


def test_from_nothing_to_chunks_policies_and_summaries(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", empty)
    assert run(["db", "migrate"]) == 0
    assert "TimescaleDB 2." in capsys.readouterr().out
    assert run(["db", "status"]) == 0
    assert "TimescaleDB 2." in capsys.readouterr().out
    kind, schema, _clock = check_database(load_settings())
    assert kind.ok
    assert kind.message.startswith("TimescaleDB 2.")
    assert schema.ok
    # Nothing in it yet: no question may be an error.
    chosen = {
        "flow": "smartmeter",
        "meter": "",
        "region": ALL,
        "partition": ALL,
        "kind": ALL,
        "confidence": ALL,
        "device": ALL,
    }
    view = View(NOW - DAY, NOW, {**chosen, "interval": "5m", "window": "auto"})
    for question in panel_queries():
        with connect(empty) as connection:
            sql = expand(question.sql, replace(view, timescaledb=True)).replace("%", "%%")
            found = connection.exec_driver_sql(sql, ()).all()
        assert all(value in (None, 0) for row in found for value in row), question
    with connect(empty) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with steps.writer_to(empty) as writer, pytest.raises(SchemaMismatchError, match="9999"):
        writer.check()


def newer(period: Period) -> dict[str, list[Any]]:
    """Of an old period a later value of each reading, and a later revision of each gap."""

    def later(one: Validated) -> Validated:
        offset = one.offset + 10_000_000
        changes: dict[str, Any] = {"id": f"late-{offset}", "offset": offset, "consumption_kwh": 7.5}
        return msgspec.structs.replace(one, flags=["REVISED"], **changes)

    filled = (
        msgspec.structs.replace(gap, revision=3, state="FILLED", missing_intervals=0, missing_ranges=[])
        for gap in gaps(period)
    )
    return {VALIDATED.name: [later(one) for one in readings(period)], GAP_ALERTS.name: list(filled)}


def test_late_rows_for_compressed_chunks_are_merged_like_any_others(empty: str) -> None:
    before = became(empty)
    steps.run_policies(empty)
    assert steps.compressed_chunks(empty)
    steps.write(empty, (NEW,))  # the same rows again, as a sink does that was killed
    assert steps.unpacked_chunks(empty) == 0
    steps.write(empty, (OLD,))
    assert steps.contents(empty) == before.contents
    late = [Rows(topic, of_it, [Source(topic)] * len(of_it)) for topic, of_it in newer(OLD).items()]
    with steps.writer_to(empty) as writer:
        assert writer.write(late) == []
    with connect(empty) as connection:
        old = {"until": OLD.end + timedelta(hours=1)}
        stands = 'SELECT DISTINCT consumption_kwh, first_kwh FROM validated_readings WHERE "time" < :until'
        assert connection.execute(text(stands), old).all() == [(7.5, 1.5)]
        states = 'SELECT DISTINCT state, revision FROM gap_alerts WHERE "time" < :until'
        assert connection.execute(text(states), old).all() == [("FILLED", 3)]
        meters = "SELECT count(DISTINCT meter_id) FROM reading_revisions"
        assert connection.scalar(text(meters)) == len(METERS)
    steps.run_policies(empty)
    assert steps.summaries(empty) == steps.summaries_by_plain_sql(empty) != before.summaries


def test_retention_follows_its_settings(empty: str) -> None:
    migrate(empty, Storage(retention=30 * DAY, metrics_retention=10 * DAY, homelab_retention=30 * DAY))
    steps.write(empty, (OLD, NEW))
    with connect(empty) as connection:
        dropped = read_timescale_status(connection).dropped_after
    assert dropped.keys() == {*NAMES, *tables.summaries()}
    assert {name for name, age in dropped.items() if age == 10 * DAY} == {"metrics", "metrics_summary_hourly"}
    steps.run_policies(empty, "policy_retention")
    with connect(empty) as connection:
        assert connection.scalar(text('SELECT min("time") FROM validated_readings')) > NOW - 40 * DAY
        assert connection.scalar(text('SELECT min("time") FROM aggregates_15m')) > NOW - 40 * DAY
    migrate(empty)
    with connect(empty) as connection:
        assert read_timescale_status(connection).dropped_after == {
            "aggregates_1m": 30 * DAY,
            "aggregates_15m": 90 * DAY,
            "regional_aggregates_15m": 90 * DAY,
            **dict.fromkeys(HOME, 400 * DAY),
        }
    migrate(empty, steps.KEPT)
    with connect(empty) as connection:
        assert read_timescale_status(connection).dropped_after == {}


def test_under_the_apache_licence_there_are_chunks_and_plain_views(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine is there under the other licence only, and lets nobody change it.
    found = read_timescale_status
    monkeypatch.setattr(
        timescale, "read_timescale_status", lambda connection: replace(found(connection), full=False)
    )
    monkeypatch.setattr("sinks.schema.extension.read_timescale_status", timescale.read_timescale_status)
    _, after = migrate(empty)
    assert "Apache licence" in after.note
    steps.write(empty, (NEW,))
    assert steps.summaries(empty) == steps.summaries_by_plain_sql(empty)
    with connect(empty) as connection:
        status = found(connection)
    assert status.hypertables == dict.fromkeys(NAMES, False)
    assert not status.aggregates
    assert not status.refreshed
