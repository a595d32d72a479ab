"""Broker or database down: running services wait, report it at `/ready/`, and continue; nothing is lost.

With a broker and a database of their own, because they are killed here; the services keep running from test
to test, each at an hour of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gridwatch.deployment.databases import new_database
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from tests.processes import Database, Site, dump
from tests.records import Raw, meters_of, reading, ticks

pytestmark = [pytest.mark.failure, pytest.mark.integration]

METERS = [meter for partition in range(6) for meter in meters_of(partition, 3)]
NOTICED_SECONDS = 60.0
#: Longer than the period of every timer of worker and sink, so that each of them runs during the outage.
AWAY_SECONDS = 12.0


class Chain(NamedTuple):
    """A running worker and sink with their broker and database."""

    broker: EmbeddedKafka
    server: EmbeddedPostgres
    site: Site
    worker: Service
    sink: Service

    @property
    def rows(self) -> Database:
        assert self.site.database is not None
        return dump(self.site.database)


def hour(number: int) -> list[Raw]:
    """The readings of one hour, every third one missing."""
    stamps = [f"2024-01-01T{number:02d}:00:00Z", f"2024-01-01T{number:02d}:30:00Z"]
    sent = [reading(meter, stamp) for stamp in stamps for meter in METERS]
    return [raw for at, raw in enumerate(sent) if (at + number) % 3]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    tmp_path: Path = tmp_path_factory.mktemp("outages")
    with (
        EmbeddedKafka(tmp_path / "kafka") as broker,
        EmbeddedPostgres(tmp_path / "postgres") as server,
        new_database(server.url) as database,
        Site(broker.bootstrap, tmp_path, database=database) as site,
    ):
        yield Chain(
            broker,
            server,
            site,
            site.worker().start().wait_until_ready(),
            site.sink().start().wait_until_ready(),
        )


def reasons(service: Service) -> str:
    """Why a service is not ready."""
    return str(service.page("/ready/")["reasons"])


def stored(chain: Chain, since: str) -> list[tuple[str, str]]:
    """(meter, time) of each stored reading from an hour on."""
    found = sorted((row[1], row[0].strftime("%H:%M")) for row in chain.rows["validated_readings"])
    return [(meter, time) for meter, time in found if time >= since]


def sent(*records: Raw) -> list[tuple[str, str]]:
    """(meter, time) of the sent readings."""
    bodies = [json.loads(record.value or b"") for record in records]
    return sorted((body["meter_id"], body["timestamp"][11:16]) for body in bodies)


def test_services_wait_for_a_killed_broker(chain: Chain) -> None:
    chain.site.produce(hour(10))
    chain.site.wait_processed()
    chain.broker.kill()
    chain.worker.until("the worker says so", lambda: not chain.worker.is_ready(), NOTICED_SECONDS)
    chain.sink.until("the sink says so", lambda: not chain.sink.is_ready(), NOTICED_SECONDS)
    assert chain.broker.bootstrap in reasons(chain.worker)
    assert chain.broker.bootstrap in reasons(chain.sink)
    time.sleep(AWAY_SECONDS)
    assert chain.worker.running
    assert chain.sink.running
    chain.broker.start()
    chain.site.produce([*hour(11), *ticks("2024-01-01T12:00:00Z")])
    chain.worker.until("the worker is ready again", chain.worker.is_ready, NOTICED_SECONDS)
    chain.sink.until("the sink is ready again", chain.sink.is_ready, NOTICED_SECONDS)
    chain.site.wait_processed()
    chain.site.wait_stored()
    assert stored(chain, "10:00") == sent(*hour(10), *hour(11))


def test_the_sink_waits_for_a_killed_database(chain: Chain) -> None:
    chain.site.produce(hour(13))
    chain.site.wait_processed()
    chain.site.wait_stored()
    chain.server.kill()
    chain.site.produce([*hour(14), *ticks("2024-01-01T15:00:00Z")])
    chain.sink.until("the sink says so", lambda: not chain.sink.is_ready(), NOTICED_SECONDS)
    assert "database" in reasons(chain.sink)
    assert chain.worker.is_ready()
    chain.site.wait_processed()
    chain.server.start()
    chain.site.wait_stored()
    chain.sink.until("the sink is ready again", chain.sink.is_ready, NOTICED_SECONDS)
    assert stored(chain, "13:00") == sent(*hour(13), *hour(14))
