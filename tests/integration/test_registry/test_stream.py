"""What is imported and relayed is what the worker goes by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gridwatch.embedded import EmbeddedKafka
from gridwatch.registry.relay.service import Relay
from gridwatch.topics import DEAD_LETTERS, VALIDATED
from tests import records
from tests.integration.test_registry.conftest import Book
from tests.processes import Site

pytestmark = pytest.mark.integration


def test_the_worker_takes_every_record_and_the_region_of_the_book_counts(
    book: Book, kafka: EmbeddedKafka, database: str, tmp_path: Path
) -> None:
    with Site(kafka.bootstrap, tmp_path, database=database) as site:
        book.meters(
            "meter_id,region,interval,timezone,grace,max_kw\nM1,R01,15m,,1h,17.25\nM2,R02,1d,Europe/Berlin,30h,\n",
            *("--as-of", "2024-01-01"),
        )
        book.json(
            "regions",
            "set",
            "R01",
            "holidays=2026-12-25",
            "base_price_per_kwh=0.2450",
            "--as-of",
            "2024-01-01",
        )
        times = ("--from", "2024-01-02", "--until", "2024-01-03", "--as-of", "2024-01-01")
        book.json("outages", "add", "--scope", "region", "--target", "R01", *times)
        assert Relay(site.settings, once=True).run() == 4
        site.produce([records.reading("M1", "2024-01-01T10:00:00Z", region="R77")])
        site.worker().start().wait_until_ready()
        site.wait_processed()
        assert records.read(kafka.bootstrap, DEAD_LETTERS.name) == []
        [validated] = [json.loads(one.value()) for one in records.read(kafka.bootstrap, VALIDATED.name)]
        assert (validated["region"], validated["interval_minutes"]) == ("R01", 15)
