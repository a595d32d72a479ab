"""While state is read from the changelog, readiness, Prometheus and the log say how far that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.measuring.start import fill_changelog
from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import load_settings
from tests.integration.test_silence import metrics, said
from tests.processes import Site

pytestmark = pytest.mark.integration

METERS = 150_000


def test_recovery_tells_how_far_it_is(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with Site(kafka.bootstrap, tmp_path) as site:
        fill_changelog(load_settings(broker=site.bootstrap, app_id=site.app_id), METERS)
        worker = site.worker().start()
        shares, remaining = watched(worker)
        assert shares, "readiness never said how far recovery was"
        assert shares == sorted(shares)
        assert any(0 < rows <= METERS + 6 for rows in remaining)
        assert metrics(worker)["gridwatch_recovery_rows_remaining"] == 0
        assert sum(one["meters"] for one in worker.page("/partitions/")["partitions"]) == METERS


def watched(worker: Service) -> tuple[list[int], list[float]]:
    """The percentages that readiness named until it was ready, and the rows that Prometheus saw remain."""
    shares: list[int] = []
    remaining: list[float] = []
    while worker.running:
        try:
            told = said(worker)
            if not told:
                return shares, remaining
            found = re.search(r"recovered from the changelog: (\d+)% read, [\d,]+ rows to come", told)
            if found:
                shares.append(int(found[1]))
                remaining.append(metrics(worker).get("gridwatch_recovery_rows_remaining", 0))
        except OSError:
            continue
    raise AssertionError(worker.excerpt())
