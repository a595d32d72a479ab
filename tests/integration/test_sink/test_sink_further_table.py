"""A further table is one declaration in the list and a migration, which is all that its rows need."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chaos.compare.snapshot import read_database
from gridwatch.topics import METRICS
from sinks import tables
from sinks.database import connect
from sinks.decoding import decode_records
from sinks.schema.retention import maintain
from sinks.schema.storage import Storage
from sinks.schema.version import migrate
from sinks.writer import Writer
from tests.further_table import REGIONAL_LOAD, TOPIC, RegionalLoad, regional_load
from tests.integration.test_sink.test_sink_tables import Source, metric, rows

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def database(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of a database with the schema and one more table, which the list has, too."""
    monkeypatch.setattr(tables, "TABLES", (*tables.TABLES, REGIONAL_LOAD))
    migrate(empty_database)
    with connect(empty_database) as connection:  # what its migration would do
        regional_load.create(connection)
    return empty_database


def load(
    revision: int, region: str = "north", time: datetime = NOW, computed: datetime = NOW
) -> RegionalLoad:
    return RegionalLoad(
        id=f"{region}@{time.isoformat()}",
        region=region,
        window_start=time.isoformat(),
        energy_kwh=revision / 10,
        revision=revision,
        computed_at=computed.isoformat(),
    )


def write(writer: Writer, *loads: RegionalLoad) -> None:
    records = [
        Source(TOPIC.name, offset=number, value=msgspec.json.encode(one)) for number, one in enumerate(loads)
    ]
    decoded, letters = decode_records(TOPIC.name, records)
    assert letters == []
    assert writer.write([decoded]) == []


def test_records_of_its_topic_become_its_rows_beside_those_of_other_topics(
    writer: Writer, query: Any
) -> None:
    decoded, letters = decode_records(
        TOPIC.name,
        [Source(TOPIC.name, value=msgspec.json.encode(load(3))), Source(TOPIC.name, offset=1, value=b"{}")],
    )
    assert [letter.reasons for letter in letters] == [["MISSING_FIELD"]]
    assert writer.write([rows(METRICS.name, metric(1, 2.0)), decoded]) == []
    assert query("SELECT id, region, time, energy_kwh, revision, computed_at FROM regional_load") == [
        (load(3).id, "north", NOW, 0.3, 3, NOW)
    ]
    assert query("SELECT value FROM metrics") == [(2.0,)]
    assert writer.state.rows[TOPIC.name] == writer.state.rows[METRICS.name] == 1


def test_the_highest_revision_wins_and_repeated_records_are_one_row(writer: Writer, query: Any) -> None:
    log = [load(revision, region) for region in ("north", "south") for revision in (1, 2, 3)]
    for seed in range(10):
        query("TRUNCATE regional_load")
        rng = random.Random(seed)
        left = log + rng.choices(log, k=6)
        rng.shuffle(left)
        while left:
            size = rng.randint(1, len(left))
            write(writer, *left[:size])
            left = left[size:]
        found = query("SELECT region, revision, energy_kwh FROM regional_load ORDER BY region")
        assert found == [("north", 3, 0.3), ("south", 3, 0.3)], f"seed {seed}"


def test_writing_the_same_rows_again_changes_nothing(writer: Writer, query: Any) -> None:
    write(writer, load(1), load(2))
    place = query("SELECT ctid::text, xmin::text FROM regional_load")
    write(writer, load(1), load(2))
    assert query("SELECT ctid::text, xmin::text FROM regional_load") == place


def test_a_refused_row_leaves_the_others(writer: Writer, query: Any) -> None:
    bad = msgspec.structs.replace(load(1, "south"), region="nul \0")
    refused = writer.write([rows(TOPIC.name, load(1), bad, load(1, "west"))])
    assert [one.source.offset for one in refused] == [1]
    assert writer.state.refused[TOPIC.name] == 1
    assert query("SELECT region FROM regional_load ORDER BY 1") == [("north",), ("west",)]


def test_on_plain_postgresql_its_rows_are_deleted_by_its_own_setting(
    database: str, writer: Writer, query: Any
) -> None:
    write(writer, *(load(1, time=NOW - days * DAY) for days in (1, 20, 40)))
    writer.write([rows(METRICS.name, metric(1, 2.0))])
    assert maintain(database, Storage(load_retention=30 * DAY))["regional_load"] == 1
    assert "regional_load" not in maintain(database, Storage(load_retention=None))
    assert query("SELECT time FROM regional_load ORDER BY 1") == [(NOW - 20 * DAY,), (NOW - DAY,)]
    assert query("SELECT count(*) FROM metrics") == [(1,)]


def test_two_runs_are_compared_without_columns_of_the_wall_clock(
    database: str, writer: Writer, query: Any
) -> None:
    contents = []
    for computed in (NOW, NOW + DAY):
        query("TRUNCATE regional_load")
        write(writer, load(1, computed=computed), load(2, "south", computed=computed))
        contents.append(read_database(database)["regional_load"])
    assert len(contents[0]) == 2
    assert contents[0] == contents[1]
