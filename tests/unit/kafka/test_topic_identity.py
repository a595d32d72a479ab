"""A raw topic that ends before the state: believed only when the broker says so again and again."""

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
    """What is said of a partition whose state has come to 9 where the broker's answers are these."""
    answers = iter(ends)

    async def look_at(*_: object) -> TopicIdentity | None:
        end = next(answers)
        return None if end is None else TopicIdentity(b"", {2: 0}, {2: end})

    monkeypatch.setattr(topic_identity, "look_at", look_at)
    monkeypatch.setattr(topic_identity, "_ASKING", AT_ONCE)
    return asyncio.run(topic_identity.what_is_lost(load_settings(), RAW.name, 2, 9))


@pytest.mark.parametrize("ends", [[9], [12], [None], [5, 9], [5, 5, 5, 10]])
def test_a_topic_that_reaches_to_the_state_after_all_has_lost_nothing(
    monkeypatch: pytest.MonkeyPatch, ends: list[int | None]
) -> None:
    assert asked(monkeypatch, ends) == ""


def test_a_topic_that_ends_before_the_state_again_and_again_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    told = asked(monkeypatch, [5] * TRIES)
    assert "partition 2" in told
    assert "ends at offset 5" in told
    assert "remedy" in told


@pytest.mark.parametrize("failures", [0, 1, TRIES - 1, TRIES])
def test_a_broker_that_does_not_answer_is_asked_again_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failures: int
) -> None:
    there = TopicIdentity(b"", {}, {})
    answers = iter([GridwatchError("no answer in time")] * failures + [there])

    def look(*_: object) -> TopicIdentity:
        answer = next(answers)
        if isinstance(answer, GridwatchError):
            raise answer
        return answer

    monkeypatch.setattr(topic_identity, "_look_at", look)
    monkeypatch.setattr(topic_identity, "_ASKING", AT_ONCE)
    found = asyncio.run(topic_identity.look_at(load_settings(), "log"))
    assert found == (there if failures < TRIES else None)
    assert caplog.messages == ["log cannot be compared with local state: no answer in time"] * failures
