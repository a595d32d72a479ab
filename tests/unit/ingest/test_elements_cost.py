"""Bodies that are made to take long: what is looked at is bounded before it is looked at."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gridwatch.domain.policy import Policy
from gridwatch.ingest.elements import (
    MOST_VALUES,
    TooMany,
    Unreadable,
    elements_of,
    members_of,
    repeated_member,
)
from gridwatch.ingest.intake import Intake

NOW = 1_767_225_600_000_000
READING = '"meter_id":"A","timestamp":"2025-12-31T23:50:00Z","consumption_kwh":1'


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"[" + b"1," * 2_400_000 + b"1]", False),
        (b'[{"x":["\\ud800"' + b",[]" * 1_600_000 + b"]}]", False),
        (b'{"x":[1' + b",{}" * 1_600_000 + b"]}", True),
        (b"1\n" * 2_400_000, True),
        (b"\n" * 4_900_000, True),
    ],
    ids=["values", "lists", "objects", "lines", "blank lines"],
)
def test_a_body_of_very_many_values_is_refused_before_it_is_decoded(body: bytes, lines: bool) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooMany):
            elements_of(body, lines=lines)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_5000_readings_of_30_members_are_not_too_many_values() -> None:
    one = json.dumps({f"m{number}": number for number in range(30)})
    assert len(elements_of(f"[{','.join([one] * 5000)}]".encode(), lines=False).items) == 5000
    assert len(elements_of("\n".join([one] * 5000).encode(), lines=True).items) == 5000
    assert MOST_VALUES > 5000 * 31


def test_blank_lines_and_new_lines_within_an_array_do_not_count_as_readings() -> None:
    body = json.dumps([{"a": 1}] * 5000, indent=8).encode()
    assert len(elements_of(body, lines=False).items) == 5000
    assert len(elements_of(b'{"a":1}\n\n\n' * 5000, lines=True).items) == 5000


@pytest.mark.parametrize("content", ['{"readings":{"a":["\\ud800"]}}', '{"a":["\\ud800"]}', '"[\\ud800]"'])
def test_what_only_looks_like_an_array_is_none(content: str) -> None:
    with pytest.raises(Unreadable) as refused:
        elements_of(content.encode(), lines=False)
    assert refused.value.reason == "NOT_AN_OBJECT"


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(
    some.dictionaries(some.text(max_size=4), JSON, max_size=6),
    some.sampled_from([None, 1]),
    some.sampled_from([(",", ":"), (" , ", " : "), (",\n", ":\t")]),
)
def test_members_are_found_as_they_stand(
    content: dict[str, object], indent: int | None, separators: tuple[str, str]
) -> None:
    text = json.dumps(content, indent=indent, separators=separators)
    found = list(members_of(text))
    assert [name for name, _, _ in found] == list(content)
    assert all(member in text and member.endswith(value) for _, member, value in found)
    joined = "{" + ",".join(member for _, member, _ in found) + "}"
    assert repr(json.loads(joined)) == repr(content)


def test_the_first_member_that_is_there_twice_is_named_wherever_it_is() -> None:
    assert repeated_member(b'{"a":1,"b":2,"c":3,"b":4,"a":5}') == "a"
    assert repeated_member(b'{"a":{"x":1,"x":2}}') == "x"
    assert repeated_member(b'[{"a":1},{"a":1}]') is None


@pytest.mark.parametrize("stamp", ["", ',"ingested_at":1'])
def test_no_depth_is_an_error(stamp: str) -> None:
    intake = Intake(Policy())
    for depth in [*range(900, 1010), 5000, 100_000]:
        element = f'{{{READING}{stamp},"x":{"[" * depth}{"]" * depth}}}'
        try:
            elements = elements_of(f"[{element}]".encode(), lines=False)
        except Unreadable:
            continue
        found = intake.admit(elements, NOW)
        assert found.accepted + len(found.rejected) == 1
        assert found.accepted == sum(map(len, found.rows.values()))
