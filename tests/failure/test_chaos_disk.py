"""Bits flipped in the middle of a RocksDB, undetected at opening: detected on read, and recovered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import VALIDATED
from tests.processes import Site
from tests.records import PARTITIONS, meters_of, reading

pytestmark = [pytest.mark.failure, pytest.mark.integration]

METERS = [meter for partition in range(PARTITIONS) for meter in meters_of(partition, 500)]


@pytest.fixture
def site(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path) as site:
        yield site


def flip(file: Path, share: float) -> None:
    """Flip bits of a hundred bytes from that share of the file on: within the rows, before the index."""
    content = bytearray(file.read_bytes())
    start = int(len(content) * share)
    for place in range(start, start + 100):
        content[place] ^= 1
    file.write_bytes(content)


def test_rows_that_cannot_be_read_are_recovered_from_the_changelog(site: Site) -> None:
    site.produce([reading(meter, "2024-01-01T10:00:00Z") for meter in METERS])
    worker = site.worker().start().wait_until_ready()
    site.wait_processed()
    worker.stop()
    worker.start().wait_until_ready()  # what was in the write-ahead log becomes a table file
    worker.kill()
    tables = [file for file in (site.folder / "worker").rglob("*.sst") if file.stat().st_size > 4000]
    assert len(tables) == PARTITIONS, [(f, f.stat().st_size) for f in (site.folder / "worker").rglob("*.sst")]
    for number, file in enumerate(sorted(tables)):
        flip(file, share=0.2 * (number % 3))
    worker.start()
    # No meter counts as a new one: each has its former state.
    site.produce([reading(meter, "2024-01-01T10:30:00Z") for meter in METERS])
    site.wait_processed()
    second = [
        one for one in site.outputs()[VALIDATED.name].values() if one["timestamp"] == "2024-01-01T10:30:00Z"
    ]
    assert len(second) == len(METERS)
    assert [one["meter_id"] for one in second if one["flags"]] == []
    assert "is damaged" in worker.process.log_tail(100_000)
    worker.wait_until_ready()
