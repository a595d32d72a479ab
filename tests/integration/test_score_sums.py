"""Windows and regions in a real database, as worker and sink wrote them, against what the readings say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg2
import pytest

from gridwatch.cli.scoring.sums import REGIONS, Sums, score_sums
from gridwatch.deployment.catching_up import wait_for_worker
from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.settings import Settings
from replay.truth.manifest import Manifest
from sinks.database import connect
from tests.grid.fleet import START, Fleet
from tests.grid.numbers import HOUR, MINUTE
from tests.processes import Site

pytestmark = pytest.mark.integration

FLEET = Fleet(120, 40, seed=5)


_REGISTERED = (
    "INSERT INTO meters (meter_id, flow, status, anchor, version)"
    " VALUES ('{}', 'smartmeter', 'active', '{}', 1)"
)


def change(url: str, statement: str) -> int:
    """Change rows; returns how many."""
    session = psycopg2.connect(url)
    with session, session.cursor() as cursor:
        cursor.execute(statement)
        changed = cursor.rowcount
    session.close()
    return changed


class Filled(NamedTuple):
    """A database that worker and sink have filled."""

    url: str
    settings: Settings

    def scored(self) -> Sums:
        truth = Manifest({}, START, FLEET.end, FLEET.end + 2 * HOUR + 15 * MINUTE, 15 * MINUTE)
        with connect(self.url) as connection:
            return score_sums(connection, truth, self.settings)


@pytest.fixture(scope="module")
def filled(
    kafka: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("sums")
    with (
        new_database(postgres.url) as database,
        Site(kafka.bootstrap, folder, database=database, source_out_after="1h") as site,
    ):
        worker, sink = site.worker().start(), site.sink().start()
        site.produce(FLEET.records())
        sink.wait_until_ready()
        for meter in FLEET.all_meters():
            if meter.kind.anchor is not None:  # it is in the book of record too
                change(database, _REGISTERED.format(meter.name, meter.kind.anchor))
        wait_for_worker(site.settings, worker)
        site.wait_stored()
        yield Filled(database, site.settings)


def test_what_worker_and_sink_wrote_is_exact(filled: Filled) -> None:
    sums = filled.scored()
    assert sums.differences == []
    assert sums.exact
    minutes, quarters, regions = (
        sums.parts[name] for name in ("windows of 1 min", "windows of 15 min", REGIONS)
    )
    assert minutes.judged > 2000 > 20 > minutes.unjudged
    assert quarters.judged > 200 > 20 > quarters.unjudged
    assert regions.judged > 10


def test_each_row_that_is_not_what_it_must_be_is_named(filled: Filled) -> None:
    at = "(SELECT ctid FROM {} WHERE time = '2026-03-02T06:{}Z' ORDER BY meter_id LIMIT 1)"
    for statement in (
        f"UPDATE aggregates_1m SET voltage_avg = 1 WHERE ctid = {at.format('aggregates_1m', 20)}",
        f"DELETE FROM aggregates_1m WHERE ctid = {at.format('aggregates_1m', 21)}",
        f"UPDATE aggregates_15m SET meter_id = 'X' WHERE ctid = {at.format('aggregates_15m', 15)}",
    ):
        assert change(filled.url, statement) == 1
    changed = change(
        filled.url, "UPDATE regional_aggregates_15m SET energy_kwh_sum = energy_kwh_sum + 0.000000001"
    )
    sums = filled.scored()
    regions = sums.parts[REGIONS]
    assert changed > regions.wrong == regions.judged > 10
    counts = [(part.wrong, part.missing, part.extra) for part in sums.parts.values()]
    assert counts == [(1, 1, 0), (0, 1, 1), (regions.judged, 0, 0)]
    assert len(sums.differences) == 4 + regions.judged
    assert any("voltage_avg 1.0 instead of" in difference for difference in sums.differences)
    assert "X@2026-03-02T06:15:00Z/15m: there is to be none" in sums.differences
