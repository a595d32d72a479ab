"""Dead letters: the newest of all partitions first, each once, back to the oldest that the broker keeps."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.http.reply import Problem, Reply
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.topics import DEAD_LETTERS, RAW
from gridwatch.views.dead_letters import DeadLetters, letter_of
from gridwatch.views.log_tail import Record
from gridwatch.views.rendering import render
from tests.unit.views.fakes import SETTINGS, Log, request


def letter(partition: int, offset: int, timestamp: int = 0, **changes: Any) -> Record:
    said = DeadLetter(
        id=f"{RAW.name}-{partition}-{offset}-0",
        reasons=["NOT_JSON"],
        message="not JSON",
        field=None,
        raw="oops",
        raw_encoding="utf-8",
        raw_size=4,
        raw_truncated=False,
        topic=RAW.name,
        partition=partition,
        offset=offset,
        index=0,
        record_timestamp="2024-01-01T10:00:00Z",
        meter_id=None,
    )
    value = msgspec.json.encode(msgspec.structs.replace(said, **changes))
    return Record(partition, offset, timestamp, said.id.encode(), value)


def ask(log: Log, query: str = "") -> Reply:
    return asyncio.run(DeadLetters(SETTINGS, cast(Any, log)).page(request(query)))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=30), st.integers(1, 7))
def test_pages_one_after_the_other_have_every_letter_once_newest_first(
    came: list[tuple[int, int]], limit: int
) -> None:
    partitions: dict[int, list[Record]] = {}
    now = 0
    for partition, pause in came:
        now += pause
        records = partitions.setdefault(partition, [])
        records.append(letter(partition, len(records), now))
    log = Log(**{DEAD_LETTERS.name: partitions})
    stamps = {f"{RAW.name}-{p}-{one.offset}-0": one.timestamp for p, of in partitions.items() for one in of}
    seen: list[str] = []
    query = f"limit={limit}"
    while True:
        data = ask(log, query).data
        seen += [one["id"] for one in data["dead_letters"]]
        if data["next"] is None:
            break
        query = f"limit={limit}&before={data['next']}"
    assert sorted(seen) == sorted(stamps)
    assert [stamps[name] for name in seen] == sorted(stamps.values(), reverse=True)


@pytest.mark.parametrize(
    "value", [b"", b"\xff\x00", b"[]", b'{"reasons": 1}', letter(0, 0, record_timestamp="soon").value]
)
def test_what_is_no_dead_letter_is_shown_as_such(value: bytes) -> None:
    shown = letter_of(Record(2, 7, 1_704_103_200_000, None, value), DEAD_LETTERS.name)
    assert (shown["partition"], shown["offset"], shown["reasons"]) == (2, 7, [])
    assert shown["record_timestamp"] == "2024-01-01T10:00:00Z"
    assert "it is not a dead letter" in shown["message"]


def test_what_came_is_shown_as_text_however_long_and_whatever_it_is() -> None:
    evil = "<script>alert(1)</script>" + "x" * 5000
    log = Log(**{DEAD_LETTERS.name: {0: [letter(0, 0, raw=evil, meter_id="..", message=evil[:30])]}})
    reply = ask(log)
    page = render(reply.template, **reply.data, **reply.shown, here="/dead-letters/", own_url="w")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "x" * 500 not in page
    assert '<a href="/meters/?id=..">' in page
    assert reply.data["dead_letters"][0]["raw"] == evil


@pytest.mark.parametrize("before", ["1", "a:1", "9:1", "0:-1", "0:1,", "0:1;1:1", "0:" + "9" * 40])
def test_what_is_no_place_is_refused(before: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(Log(), f"before={before}")
    assert problem.value.status == 400
