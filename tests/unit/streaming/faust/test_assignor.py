"""The assignor: a member that moved takes its old assignment under its new URL."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata

from gridwatch.streaming.faust.assignor import Assignor


def assignor_at(url: str) -> Assignor:
    app: Any = SimpleNamespace(conf=SimpleNamespace(canonical_url=url, table_standby_replicas=0), tables={})
    assignor = Assignor.__new__(Assignor)
    assignor.app = app
    assignor._table_manager = SimpleNamespace(changelog_topics=set())
    return assignor


def assignment_of(url: str) -> ConsumerProtocolMemberAssignment:
    metadata = ClientMetadata(
        assignment=ClientAssignment(actives={"raw": [0, 1]}, standbys={}),
        url=url,
        changelog_distribution={url: {"log": [0, 1]}},
        external_topic_distribution={url: {"raw": [0, 1]}, "http://other": {"raw": [2]}},
        topic_groups={},
    )
    return ConsumerProtocolMemberAssignment(0, [("raw", [0, 1])], Assignor._compress(metadata.dumps()))


def test_an_assignment_to_a_former_url_is_accepted_under_the_current_one() -> None:
    assignor = assignor_at("http://now")
    assignor.on_assignment(assignment_of("http://then"))
    assert set(assignor.external_topic_distribution) == {"http://now", "http://other"}
    assert set(assignor.changelog_distribution) == {"http://now"}


def test_an_assignment_to_the_current_url_is_unchanged() -> None:
    assignor = assignor_at("http://now")
    assignor.on_assignment(assignment_of("http://now"))
    assert assignor.external_topic_distribution["http://now"] == {"raw": [0, 1]}
