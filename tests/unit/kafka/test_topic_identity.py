"""A raw topic that ends before the state: believed only when the broker gives that answer several times."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gridwatch.errors import GridwatchError
from gridwatch.kafka import topic_identity
from gridwatch.settings import load_settings
from gridwatch.tables.store import TopicIdentity
from gridwatch.topics import RAW

#: What it does, without waiting.
AT_ONCE = replace(topic_identity._ASKING, first=0.0)
TRIES = 4


def asked(monkeypatch: pytest.MonkeyPatch, ends: Sequence[int | None]) -> str:
    """The result for a partition whose state is at 9, with these answers of the broker."""
    answers = iter(ends)

    async def describe_topic(*_: object) -> TopicIdentity | None:
        end = next(answers)
        return None if end is None else TopicIdentity(b"", {2: 0}, {2: end})

    monkeypatch.setattr(topic_identity, "describe_topic", describe_topic)
    monkeypatch.setattr(topic_identity, "_ASKING", AT_ONCE)
    return asyncio.run(topic_identity.source_truncation(load_settings(), RAW.name, 2, 9))


@pytest.mark.parametrize("ends", [[9], [12], [None], [5, 9], [5, 5, 5, 10]])
def test_a_topic_that_reaches_the_state_after_a_retry_is_not_truncated(
    monkeypatch: pytest.MonkeyPatch, ends: list[int | None]
) -> None:
    assert asked(monkeypatch, ends) == ""


def test_a_topic_that_ends_before_the_state_at_every_try_is_truncated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = asked(monkeypatch, [5] * TRIES)
    assert "partition 2" in problem
    assert "ends at offset 5" in problem
    assert "remedy" in problem


@pytest.mark.parametrize("failures", [0, 1, TRIES - 1, TRIES])
def test_a_broker_that_does_not_answer_is_asked_again_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failures: int
) -> None:
    topic = TopicIdentity(b"", {}, {})
    answers = iter([GridwatchError("no answer in time")] * failures + [topic])

    def describe(*_: object) -> TopicIdentity:
        answer = next(answers)
        if isinstance(answer, GridwatchError):
            raise answer
        return answer

    monkeypatch.setattr(topic_identity, "_describe_topic", describe)
    monkeypatch.setattr(topic_identity, "_ASKING", AT_ONCE)
    found = asyncio.run(topic_identity.describe_topic(load_settings(), "log"))
    assert found == (topic if failures < TRIES else None)
    assert caplog.messages == ["log cannot be compared with local state: no answer in time"] * failures
