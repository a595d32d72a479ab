"""The real Kafka and PostgreSQL that all tests of one run share: session fixtures.

Nothing is deleted between tests: a test creates topics, consumer groups and databases with unique names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres


@pytest.fixture(scope="session")
def kafka() -> Iterator[EmbeddedKafka]:
    """A started broker; `.bootstrap` is its address. Tests that stop or kill it start one of their own."""
    with tempfile.TemporaryDirectory(prefix="gridwatch-kafka-") as folder, EmbeddedKafka(folder) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A started server; `.url` leads to its database `gridwatch`."""
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-postgres-") as folder,
        EmbeddedPostgres(folder, fsync=False) as server,
    ):
        yield server
