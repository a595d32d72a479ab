"""Regions on a real broker: bundles in, rows out, across a crash and a source that falls silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import REGIONAL_AGGREGATES, REGIONAL_PARTIALS, SOURCE_OUT_HEADER
from tests.processes import Site
from tests.records import PARTITIONS, Raw, decoded, produce, read

pytestmark = pytest.mark.integration

SEEN_SECONDS = 60.0
REGION = "north"
TARGET = partition_of(REGION, PARTITIONS)
NOON = 1_704_110_400_000_000  # 2024-01-01T12:00:00Z
MINUTE = 60_000_000
END = NOON + 15 * MINUTE
SILENT = 5


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("regions"), source_out_after="3s") as site:
        yield site


@pytest.fixture(scope="module")
def worker(site: Site) -> Service:
    return site.worker().start().wait_until_ready()


def bundle(source: int, watermark: int, *, window: bool = True, limit: bool = False) -> Raw:
    """A bundle of a source for the partition of the region: one meter, 1 kWh in the quarter after noon."""
    quarter = 15 * MINUTE
    entry = {
        "region": REGION, "window_start": format_instant(NOON), "revision": 1, "initial": True,
        "final": False, "flat": 10**9, "minutes": [0] * 15, "received": quarter, "expected": quarter,
        "active": 1, "uncovered": 0, "reporting": 1, "prorated": 0,
    }  # fmt: skip
    capacity = {"region": REGION, "version": 1, "capacity_kw": 30.0, "valid_from": None}
    body = {
        "version": 1, "flow": "smartmeter", "partition": source, "watermark": format_instant(watermark),
        "windows": [entry] if window else [], "groups": [], "regions": [capacity] if limit else [],
    }  # fmt: skip
    return Raw(TARGET, f"smartmeter/{source}".encode(), json.dumps(body).encode())


def send(site: Site, *bundles: Raw) -> None:
    produce(site.bootstrap, bundles, REGIONAL_PARTIALS.name)


def rows(site: Site) -> list[tuple[Any, ...]]:
    """State, completeness of the sources, revision, energy and load of each row, in order."""
    return [
        (one["state"], one["complete"], one["revision"], one["energy_kwh_sum"], one["load_percentage"])
        for one in decoded(read(site.bootstrap, REGIONAL_AGGREGATES.name))
    ]


def put_out(site: Site) -> list[bytes]:
    """The sources that were put out."""
    return [
        message.key() or b""
        for message in read(site.bootstrap, REGIONAL_PARTIALS.name)
        if SOURCE_OUT_HEADER in [name for name, _ in message.headers() or []]
    ]


def test_a_source_that_falls_silent_is_put_out_and_completes_the_row_when_it_comes_back(
    site: Site, worker: Service
) -> None:
    others = [one for one in range(PARTITIONS) if one != SILENT]
    send(site, *(bundle(one, NOON + MINUTE, window=False, limit=True) for one in range(PARTITIONS)))
    send(site, *(bundle(one, END) for one in others))
    until("a row without the silent source", lambda: rows(site), SEEN_SECONDS)
    assert rows(site) == [("PRELIMINARY", False, 5, 5.0, 66.7)]
    worker.kill()
    worker.start().wait_until_ready()
    send(site, bundle(0, END), bundle(SILENT, END))
    until("the row with it", lambda: len(rows(site)) > 1, SEEN_SECONDS)
    send(site, *(bundle(one, END + 60 * MINUTE, window=False) for one in range(PARTITIONS)))
    until("the final row", lambda: len(rows(site)) > 2, SEEN_SECONDS)
    assert rows(site)[1:] == [("PRELIMINARY", True, 7, 6.0, 80.0), ("FINAL", True, 8, 6.0, 80.0)]
    assert put_out(site) == [f"smartmeter/{SILENT}".encode()]
