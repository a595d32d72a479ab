"""The doctor on the registry: what the book has, what waits, and whether the compacted topic agrees."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.cli.doctor import registry
from gridwatch.cli.doctor.findings import Finding
from gridwatch.deployment.topics import recreate_topics
from gridwatch.registry.relay.service import Relay
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import METER_REGISTRY
from tests.integration.test_registry.conftest import Book, Query

pytestmark = pytest.mark.integration


def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in registry.check_registry(settings)}


@pytest.fixture
def published(book: Book, settings: Settings, query: Query) -> Book:
    """A book whose topic has everything."""
    book.meters("meter_id,region,status\nM1,R01,active\nM2,R02,active\nM3,R02,removed\n")
    query("UPDATE outbox SET published_at = NULL")
    Relay(settings, once=True).run()
    return book


def test_a_book_that_is_published_is_good(published: Book, settings: Settings) -> None:
    found = findings(settings)
    assert all(finding.ok for finding in found.values()), found
    assert found["registry"].details["meters"] == {"active": 2, "removed": 1}
    assert "all 5 rows" in found["registry topic"].message


def test_a_relay_that_is_behind_is_wrong_with_its_remedy(
    published: Book, settings: Settings, query: Query
) -> None:
    published.json("registry", "set", "M1", "region=R02")
    found = findings(settings)
    assert found["outbox"].ok, "it is a second old"
    assert found["registry topic"].ok, "what waits is expected to be behind"
    query("UPDATE outbox SET created_at = now() - interval '2 minutes' WHERE published_at IS NULL")
    behind = findings(settings)["outbox"]
    assert not behind.ok
    assert "gridwatch relay" in behind.remedy


def test_older_and_missing_versions_are_wrong_until_they_are_resent(
    published: Book, settings: Settings, query: Query
) -> None:
    query("UPDATE meters SET version = 4 WHERE meter_id = 'M1'")
    query("INSERT INTO meters (meter_id, flow, status, version) VALUES ('M4', 'smartmeter', 'active', 1)")
    finding = findings(settings)["registry topic"]
    assert not finding.ok
    assert (finding.details["older"], finding.details["missing"]) == (1, 1)
    assert finding.remedy == "gridwatch registry resend"
    published.json("registry", "resend")
    Relay(settings, once=True).run()
    assert findings(settings)["registry topic"].ok


def test_a_topic_that_is_newer_than_the_book_is_wrong(
    published: Book, settings: Settings, query: Query
) -> None:
    query("UPDATE meters SET version = 0 WHERE meter_id = 'M1'")
    finding = findings(settings)["registry topic"]
    assert not finding.ok
    assert "newer than the book: M1" in finding.message


def test_a_topic_that_is_not_read_to_its_end_in_time_is_no_fault(
    published: Book, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "READ_SECONDS", 0.0)
    finding = findings(settings)["registry topic"]
    assert finding.ok
    assert "not read to its end" in finding.message


def test_an_empty_topic_lacks_everything(published: Book, settings: Settings) -> None:
    recreate_topics(settings, topics=[METER_REGISTRY])
    finding = findings(settings)["registry topic"]
    assert (finding.ok, finding.details["missing"]) == (False, 5)


def test_a_meter_that_cannot_come_in_time_is_wrong_with_its_remedy(
    published: Book, settings: Settings
) -> None:
    published.json("registry", "set", "M1", "interval=1mo", "grace=1d")
    finding = findings(settings)["registry setup"]
    assert not finding.ok
    assert "grace of at least 1mo" in finding.remedy


def test_without_a_database_other_checks_say_so(settings: Settings, monkeypatch: Any) -> None:
    away = load_settings(database_url="postgresql://x@127.0.0.1:9/x")
    assert registry.check_registry(away) == []
