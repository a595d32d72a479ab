"""Windows, regions and incidents of a whole run through Kafka and the worker, against an exact computation.

`python -m tests.grid` does the same with 5 000 meters over three hours.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import INCIDENTS
from tests.grid.compare import Exact
from tests.grid.fleet import STORM, Fleet
from tests.grid.run import differences, exact, processed, send
from tests.records import decoded, read

pytestmark = pytest.mark.integration

CALM = Fleet(400, 40)
STORMY = Fleet(400, 40, seed=2, storm=60)


class Run(NamedTuple):
    """A fleet whose records are on the raw topic."""

    bootstrap: str
    folder: Path
    fleet: Fleet
    exact: Exact


@pytest.fixture(scope="module", params=[CALM, STORMY], ids=["calm", "storm"])
def run(
    request: pytest.FixtureRequest, kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("grid")
    send(kafka.bootstrap, folder, request.param)
    with processed(kafka.bootstrap, folder):
        return Run(kafka.bootstrap, folder, request.param, exact(kafka.bootstrap))


def test_one_worker_says_what_is_exact(run: Run) -> None:
    assert len(run.exact.windows) > 10_000
    assert sum(final is not None for _, _, final in run.exact.rows) > 20
    assert differences(run.bootstrap, run.exact)[:20] == []


def test_three_workers_in_small_batches_say_the_same(run: Run) -> None:
    with processed(run.bootstrap, run.folder, workers=3, batch_records=200):
        assert differences(run.bootstrap, run.exact)[:20] == []


def test_a_storm_is_one_incident_of_its_region_that_ends(run: Run) -> None:
    said = decoded(read(run.bootstrap, INCIDENTS.name))
    storms = [record for record in said if record["kind"] == "storm"]
    if not run.fleet.storm:
        assert storms == []
        return
    assert {record["id"] for record in storms} == {storms[0]["id"]}
    assert {record["region"] for record in storms} == {STORM}
    last = max(storms, key=lambda record: record["revision"])
    assert last["state"] == "CLOSED"
    silent = set().union(*(record["meters"] for record in storms))
    # One of forty has moved to another region meanwhile.
    most = run.fleet.storm * 9 // 10
    assert last["meters_peak"] >= most
    assert len(silent & run.fleet.silent().keys()) >= most
    # What opens in the region meanwhile is part of it.
    begun, ended = storms[0]["started_at"], last["ended_at"]
    others = [record for record in said if record["kind"] != "storm" and record["region"] == STORM]
    assert [one for one in others if one["revision"] == 1 and begun <= one["started_at"] < ended] == []
