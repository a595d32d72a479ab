"""The readings of a body: arrays, envelopes, lines, and what is none of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gridwatch.domain.validation.findings import NOT_JSON, NOT_UTF8, Refusal
from gridwatch.ingest.elements import TooMany, Unreadable, elements_of, repeated_member

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(some.lists(JSON, min_size=1, max_size=6))
def test_an_array_gives_its_elements_as_they_stand(content: list[Any]) -> None:
    found = elements_of(json.dumps(content).encode(), lines=False).items
    assert [json.loads(one) for one in found if isinstance(one, bytes)] == content


@given(some.lists(JSON, min_size=1, max_size=6), some.sampled_from(["\n", "\r\n", "\n\n", " \n\t"]))
def test_lines_give_their_elements_and_blank_ones_do_not_count(content: list[Any], end: str) -> None:
    body = end.join(json.dumps(one) for one in content).encode()
    found = elements_of(body, lines=True).items
    assert [json.loads(one) for one in found if isinstance(one, bytes)] == content


def test_an_envelope_is_its_readings() -> None:
    body = b' {"more": [1], "readings": [{"a": 1}, {"b" : 2}] }'
    assert elements_of(body, lines=False).items == [b'{"a": 1}', b'{"b" : 2}']


@pytest.mark.parametrize("form", ["[{}]", '{{"more": {{"readings": 1}} , "readings" : [{}] }}'])
def test_half_a_surrogate_pair_is_the_fault_of_one_element(form: str) -> None:
    body = form.format('{"a": "\\ud800"}, {"b":1} ').encode()
    assert elements_of(body, lines=False).items == [b'{"a": "\\ud800"}', b'{"b":1}']


def test_a_line_that_is_no_json_is_refused_by_itself() -> None:
    found = elements_of(b'{"a":1}\n{"b":\n\xff\n{"c":3}', lines=True).items
    assert found[0] == b'{"a":1}'
    assert found[3] == b'{"c":3}'
    assert isinstance(found[1], Refusal) and found[1].reasons == (NOT_JSON,)
    assert isinstance(found[2], Refusal) and found[2].reasons == (NOT_UTF8,)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "NOT_JSON"),
        (b"[", "NOT_JSON"),
        (b"[]", "EMPTY"),
        (b'{"readings": []}', "EMPTY"),
        (b'{"meter_id": "A"}', "NOT_AN_OBJECT"),
        (b"3", "NOT_AN_OBJECT"),
        (b'"[]"', "NOT_AN_OBJECT"),
        (b'[{"a": "\xe4"}]', "NOT_UTF8"),
        ('[{"a": 1}]'.encode("utf-16"), "NOT_UTF8"),
        (b"[" * 100_000, "NOT_JSON"),
        (b'{"readings": ' + b'[{"a":' * 50_000, "NOT_JSON"),
    ],
)
def test_a_body_without_readings_is_unreadable(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        elements_of(body, lines=False)
    assert refused.value.reason == reason


def test_more_readings_than_allowed_are_too_many() -> None:
    assert len(elements_of(b"[1,2,3]", lines=False, most=3).items) == 3
    with pytest.raises(TooMany):
        elements_of(b"[1,2,3,4]", lines=False, most=3)
    with pytest.raises(TooMany):
        elements_of(b"1\n2\n3\n4", lines=True, most=3)


NAMES = some.sampled_from(["a", "b", 'a":', "a\\u0062", "ü", ""])
PAIRS = some.lists(
    some.tuples(NAMES, some.sampled_from(["1", '"x"', '"\\":"', '{"a":1}', '{"b" :1,"b":2}'])), max_size=4
)


@given(some.lists(PAIRS, min_size=1, max_size=4), some.sampled_from([":", " :", ": ", "\t:", "\n:"]))
def test_members_that_are_there_twice_are_never_taken_for_unique(
    elements: list[list[tuple[str, str]]], colon: str
) -> None:
    texts = [
        "{" + ",".join(f"{json.dumps(name)}{colon}{value}" for name, value in pairs) + "}"
        for pairs in elements
    ]
    found = elements_of(f"[{','.join(texts)}]".encode(), lines=False)
    twice = [repeated_member(text.encode()) is not None for text in texts]
    names_twice = [
        len({name for name, _ in pairs}) < len(pairs) or any('"b" :' in value for _, value in pairs)
        for pairs in elements
    ]
    assert twice == names_twice
    if found.unique:
        assert not any(twice)


def test_usual_batches_are_seen_to_be_unique() -> None:
    for body in (b'[{"a":1,"t":"2026-01-01T00:00:00Z"},{"a": 2}]', b'{"readings":[{"a":1},{"a":2,"b":3}]}'):
        assert elements_of(body, lines=False).unique == (not body.startswith(b"{"))
    assert elements_of(b'{"a":1}\n{"a":1,"b":"x:y"}', lines=True).unique
