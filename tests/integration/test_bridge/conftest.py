"""A deployment for the tests of this room, and a home of its own for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.entrances.mosquitto import Mosquitto
from gridwatch.embedded import EmbeddedKafka
from tests.integration.test_bridge.home import Home
from tests.processes import Site


@pytest.fixture(scope="module")
def site(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(kafka.bootstrap, tmp_path_factory.mktemp("bridge")) as site:
        yield site


@pytest.fixture
def home(site: Site, tmp_path: Path) -> Iterator[Home]:
    """A Mosquitto of its own, and no bridge yet."""
    with Mosquitto(tmp_path / "mosquitto") as mosquitto, Home(site, mosquitto, tmp_path) as home:
        yield home
