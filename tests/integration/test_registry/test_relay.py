"""The relay: every change is published at least once and in order, whatever ends it or is away."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg2
import pytest

from gridwatch.deployment.polling import until
from gridwatch.deployment.topics import create_topics, delete_topics, recreate_topics
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka
from gridwatch.registry.relay.outbox import Outbox
from gridwatch.registry.relay.service import Relay
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import METER_REGISTRY, RAW, REGION_HEADER, REGISTRY_HEADER
from sinks.database import read_url
from tests import records
from tests.integration.test_registry.conftest import Book, Query

pytestmark = pytest.mark.integration

SECONDS = 60.0


def raw_records(settings: Settings, topic: str = RAW.name) -> list[Any]:
    return records.read(settings.bootstrap, topic)


def versions(settings: Settings) -> dict[str, list[int]]:
    """The versions of each meter in the raw topic, in the order of the log."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in raw_records(settings):
        if message.headers()[0][0] == REGISTRY_HEADER:
            found[message.key().decode()].append(json.loads(message.value())["version"])
    return found


def unpublished(query: Query) -> int:
    [(count,)] = query("SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return int(count)


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_a_meter_goes_to_its_partition_and_to_the_compacted_topic(book: Book, settings: Settings) -> None:
    book.meters("meter_id,region\nM1,R01\nM2,R02\n")
    assert book.json("relay", "--once") == {"published": 2}
    for message in raw_records(settings):
        meter = message.key().decode()
        assert message.partition() == partition_of(meter, settings.partitions)
        assert message.headers() == [(REGISTRY_HEADER, b"1")]
        value = json.loads(message.value())
        assert value["meter_id"] == meter
        assert value["as_of"].endswith("Z")
    kept = {one.key().decode(): json.loads(one.value()) for one in raw_records(settings, METER_REGISTRY.name)}
    assert kept["M1"]["kind"] == "meter"
    assert (kept["M1"]["region"], kept["M1"]["version"]) == ("R01", 1)
    assert book.json("relay", "--once") == {"published": 0}


def test_regions_and_outages_go_to_every_partition_of_every_flow(
    book: Book, settings: Settings, flows: Callable[..., None]
) -> None:
    other = replace(RAW, name="daily_raw")
    recreate_topics(settings, topics=[other])
    flows("smartmeter", "daily")
    book.json("regions", "set", "R01", "capacity_kw=77", "--as-of", "2024-01-01")
    times = ("--from", "2030-01-01", "--until", "2030-01-02")
    book.json("outages", "add", "--id", "O1", "--scope", "region", "--target", "R01", *times)
    assert book.json("relay", "--once") == {"published": 2}
    for topic in (RAW.name, other.name):
        regions = [one for one in raw_records(settings, topic) if one.headers()[0][0] == REGION_HEADER]
        assert sorted(one.partition() for one in regions) == list(range(settings.partitions))
        assert {json.loads(one.value())["as_of"] for one in regions} == {"2024-01-01T00:00:00Z"}
        assert len(raw_records(settings, topic)) == 2 * settings.partitions
    kept = {one.key().decode(): json.loads(one.value()) for one in raw_records(settings, METER_REGISTRY.name)}
    assert kept.keys() == {"region:R01", "outage:O1"}
    assert kept["region:R01"]["kind"] == "region"
    assert kept["outage:O1"]["kind"] == "outage"


def test_what_has_its_acks_but_no_mark_is_published_again(
    book: Book, settings: Settings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.meters("meter_id\nM1\nM2\n")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "mark", killed)
        with pytest.raises(KeyboardInterrupt):
            Relay(settings, once=True).run()
    assert unpublished(query) == 2
    assert Relay(settings, once=True).run() == 2
    assert versions(settings) == {"M1": [1, 1], "M2": [1, 1]}


def test_a_relay_that_is_killed_loses_nothing(book: Book, settings: Settings, query: Query) -> None:
    count = 30_000
    book.meters("meter_id\n" + "".join(f"M{number}\n" for number in range(count)))
    book.meters("meter_id,feeder\n" + "".join(f"M{number},F\n" for number in range(count)))
    command = [sys.executable, "-m", "gridwatch", "relay"]
    for kills in range(1, 4):
        relay = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        left = unpublished(query)
        until("it has published some", lambda: unpublished(query) < left, SECONDS)  # noqa: B023
        relay.send_signal(signal.SIGKILL)
        relay.wait(SECONDS)
        assert unpublished(query) > 0, f"killed {kills} times, too late"
    Relay(settings, once=True).run()
    found = versions(settings)
    assert len(found) == count
    assert all({1, 2} <= set(of) and of[-1] == 2 for of in found.values())
    kept = {one.key().decode(): json.loads(one.value()) for one in raw_records(settings, METER_REGISTRY.name)}
    assert {one["version"] for one in kept.values()} == {2}


def test_ctrl_c_ends_it_cleanly(book: Book, settings: Settings) -> None:
    relay = subprocess.Popen(
        [sys.executable, "-m", "gridwatch", "relay", "--json"],
        env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    book.meters("meter_id\nM1\n")
    until("it is published", lambda: "M1" in versions(settings), SECONDS)
    relay.send_signal(signal.SIGINT)
    printed, errors = relay.communicate(timeout=SECONDS)
    assert (relay.returncode, errors) == (0, "")
    assert json.loads(printed) == {"published": 1}


def test_a_second_relay_waits_and_takes_over(
    book: Book, settings: Settings, query: Query, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Relay(settings), Relay(settings)
    with running(first):
        book.meters("meter_id\nM1\n")
        until("the first one publishes", lambda: first.published == 1, SECONDS)
        with caplog.at_level(logging.WARNING), running(second):
            until("the second one waits", lambda: "another relay is running" in caplog.text, SECONDS)
            book.meters("meter_id\nM2\n")
            until("the first one publishes", lambda: first.published == 2, SECONDS)
            assert second.published == 0
            first.stop()
            book.meters("meter_id\nM3\n")
            until("the second one publishes", lambda: second.published == 1, SECONDS)


def test_a_session_that_is_ended_by_the_database_is_opened_again(
    book: Book, settings: Settings, query: Query, caplog: pytest.LogCaptureFixture
) -> None:
    relay = Relay(settings)
    with caplog.at_level(logging.WARNING), running(relay):
        book.meters("meter_id\nM1\n")
        until("it publishes", lambda: relay.published == 1, SECONDS)
        query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'gridwatch-relay' AND datname = current_database()"
        )
        book.meters("meter_id\nM2\n")
        until("it publishes again", lambda: relay.published == 2, SECONDS)
        assert "waiting for the database" in caplog.text
        until("it says so", lambda: "goes on" in caplog.text, SECONDS)


def test_a_broker_that_is_away_is_waited_for(
    book: Book, query: Query, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedKafka(tmp_path / "kafka", heap_mb=384) as broker:
        settings = load_settings(broker=broker.bootstrap)
        create_topics(settings, [RAW, METER_REGISTRY])
        relay = Relay(settings)
        with caplog.at_level(logging.WARNING), running(relay):
            book.meters("meter_id\nM1\n")
            until("it publishes", lambda: relay.published == 1, SECONDS)
            broker.kill()
            book.meters("meter_id\nM2\n")
            until("it says what it waits for", lambda: "waiting for Kafka at" in caplog.text, SECONDS)
            assert unpublished(query) == 1
            broker.start()
            until("it publishes again", lambda: relay.published == 2, SECONDS)
        assert versions(settings)["M2"] == [1]


def test_a_topic_that_is_missing_is_named_and_waited_for(
    book: Book, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    delete_topics(settings, [METER_REGISTRY.name])
    relay = Relay(settings)
    with caplog.at_level(logging.WARNING), running(relay):
        book.meters("meter_id\nM1\n")
        until("it is named", lambda: "gridwatch topics create" in caplog.text, SECONDS)
        assert METER_REGISTRY.name in caplog.text
        create_topics(settings, [METER_REGISTRY])
        until("it publishes", lambda: relay.published == 1, SECONDS)


def test_rows_are_taken_by_what_is_unpublished_not_by_their_number(
    book: Book, settings: Settings, query: Query, database: str
) -> None:
    late = psycopg2.connect(database)
    insert = "INSERT INTO outbox (topic, key, value, entity) VALUES ('meter_registry', 'late', '{}', 'late')"
    with late.cursor() as cursor:
        cursor.execute(insert)
    book.meters("meter_id\nM1\n")
    assert Relay(settings, once=True).run() == 1
    late.commit()
    late.close()
    assert Relay(settings, once=True).run() == 1
    assert unpublished(query) == 0


def test_the_rights_that_are_documented_are_enough(
    book: Book, settings: Settings, query: Query, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"clerk_{uuid.uuid4().hex[:8]}"
    for statement in (
        f"CREATE ROLE {name} LOGIN PASSWORD 'clerk'",
        f"GRANT SELECT, INSERT, UPDATE ON meters TO {name}",
        f"GRANT SELECT ON regions, gridwatch_schema_version TO {name}",
        f"GRANT INSERT ON outbox TO {name}",
    ):
        query(statement)
    clerk = read_url(database).set(username=name, password="clerk").render_as_string(hide_password=False)
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", clerk)
    assert book.meters("meter_id,region\nM1,R01\n")["new"] == 1
    assert book.meters("meter_id,region\nM1,R02\n")["changed"] == 1
    query(f"REVOKE ALL ON meters, regions, outbox, gridwatch_schema_version FROM {name}")
    query(f"GRANT SELECT, UPDATE, DELETE ON outbox TO {name}")
    assert Relay(load_settings(), once=True).run() == 2
    query(f"DROP OWNED BY {name}")
    query(f"DROP ROLE {name}")


def test_old_rows_are_removed(book: Book, settings: Settings, query: Query) -> None:
    book.meters("meter_id\nM1\nM2\n")
    Relay(settings, once=True).run()
    query("UPDATE outbox SET published_at = now() - interval '25 hours' WHERE key <> 'M2'")
    Relay(settings, once=True).run()
    assert query("SELECT key FROM outbox") == [("M2",)]
    assert settings.outbox_retention == timedelta(days=1)


def test_resending_repeats_what_stands_in_the_book_with_its_versions(
    book: Book, settings: Settings, query: Query
) -> None:
    book.meters("meter_id,region\nM1,R01\nM2,R02\n")
    book.json("registry", "set", "M1", "region=R02")
    Relay(settings, once=True).run()
    recreate_topics(settings, topics=[RAW, METER_REGISTRY])
    assert book.json("registry", "resend") == {"meters": 2, "regions": 2, "outages": 0}
    Relay(settings, once=True).run()
    assert versions(settings) == {"M1": [2], "M2": [1]}
    some = book.json("registry", "resend", "--meters", "M1", "--as-of", "2024-01-01")
    assert some == {"meters": 1, "regions": 0, "outages": 0}
    assert book.outbox()[-1][2]["as_of"] == "2024-01-01T00:00:00Z"
    assert book.run("registry", "resend", "--flow", "elsewhere") == 2


def test_a_change_that_waits_for_a_minute_is_late(book: Book, query: Query) -> None:
    assert book.json("relay", "--check") == {"rows": 0, "oldest_seconds": 0.0}
    book.meters("meter_id,region\nM1,R01\n")
    assert book.json("relay", "--check")["rows"] == 1
    query("UPDATE outbox SET created_at = now() - interval '61 s'")
    assert book.run("relay", "--check") == 1
