"""One service for the tests of this room that do not need settings of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gridwatch.deployment.service import Service
from gridwatch.embedded import EmbeddedKafka
from tests.processes import Site


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("ingest")) as site:
        yield site


@pytest.fixture(scope="module")
def ingest(site: Site) -> Service:
    """An entrance on loopback, without keys; a body may take 2 s."""
    return site.add("ingest", ingest_body_timeout="2s").start().wait_until_ready()
