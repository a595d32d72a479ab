"""Filters of MQTT against a slow, independent reading of MQTT 5, section 4.7."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from gridwatch.bridge.filters import first_wildcard, levels_of, matches, overlap, problem_of

LEVELS = ["", "a", "b", "$", "$a"]
FILTERS = some.lists(some.sampled_from([*LEVELS, "+", "+", "#"]), min_size=1, max_size=4).map("/".join)
TOPICS = some.lists(some.sampled_from(LEVELS), min_size=1, max_size=5).map("/".join)
#: Every topic of up to four levels; deeper than any filter that is drawn below. The empty one, which MQTT
#: does not have, is among them: `+` and `/#` are taken to overlap.
UNIVERSE = ["/".join(levels) for count in range(1, 5) for levels in product(["", "a", "$a"], repeat=count)]
SMALL = ["", "a", "$a", "+", "#"]


def by_the_standard(filter_: str, topic: str) -> bool:
    """As a regular expression: `+` is all but a slash, `/#` at the end is also nothing."""
    if topic.startswith("$") and filter_[0] in "+#":
        return False
    if filter_ == "#":
        return True
    body, rest = (filter_[:-2], "(/.*)?") if filter_.endswith("/#") else (filter_, "")
    pattern = "/".join("[^/]*" if level == "+" else re.escape(level) for level in body.split("/"))
    return re.fullmatch(pattern + rest, topic) is not None


def valid(filter_: str) -> bool:
    return bool(filter_) and "#" not in filter_[:-1] and not problem_of(filter_)


def ours(filter_: str, topic: str) -> bool:
    return matches(levels_of(filter_), levels_of(topic))


@settings(max_examples=500)
@given(FILTERS.filter(valid), TOPICS.filter(bool))
@example("a/#", "a")
@example("#", "$SYS/uptime")
@example("+/b", "$a/b")
@example("+", "")
@example("/#", "/")
def test_matching_is_that_of_the_standard(filter_: str, topic: str) -> None:
    if topic:
        assert ours(filter_, topic) == by_the_standard(filter_, topic)


@pytest.mark.parametrize(
    ("filter_", "those", "others"),
    [
        (
            "sport/tennis/player1/#",
            ["sport/tennis/player1", "sport/tennis/player1/score/w"],
            ["sport/tennis"],
        ),
        ("sport/tennis/+", ["sport/tennis/player1", "sport/tennis/"], ["sport/tennis/player1/ranking"]),
        ("sport/+", ["sport/"], ["sport"]),
        ("+/+", ["/finance"], ["finance"]),
        ("/+", ["/finance"], ["finance"]),
        ("#", ["a", "a/b", "/"], ["$SYS/a"]),
        ("+/monitor/Clients", ["a/monitor/Clients"], ["$SYS/monitor/Clients"]),
        ("$SYS/#", ["$SYS/a", "$SYS"], ["SYS/a"]),
    ],
)
def test_the_examples_of_the_standard_hold(filter_: str, those: list[str], others: list[str]) -> None:
    assert all(ours(filter_, topic) for topic in those)
    assert not any(ours(filter_, topic) for topic in others)


def test_filters_overlap_if_and_only_if_some_topic_matches_both() -> None:
    drawn = ("/".join(levels) for count in (1, 2, 3) for levels in product(SMALL, repeat=count))
    those = {one: {topic for topic in UNIVERSE if ours(one, topic)} for one in filter(valid, drawn)}
    assert len(those) > 100
    for one, other in product(those, repeat=2):
        common = not those[one].isdisjoint(those[other])
        assert overlap(levels_of(one), levels_of(other)) == common, (one, other)


@pytest.mark.parametrize(
    ("filter_", "problem"),
    [
        ("", "is empty"),
        ("a\0", "NUL"),
        ("x" * 65_536, "too long"),
        ("ü" * 32_768, "too long"),
        ("a/#/b", "#"),
        ("a#", "#"),
        ("#/", "#"),
        ("a+/b", "+"),
        ("+a", "+"),
        ("$share/group/a", "share"),
    ],
)
def test_a_filter_that_is_none_is_explained(filter_: str, problem: str) -> None:
    assert problem in problem_of(filter_)


@pytest.mark.parametrize("filter_", ["#", "+", "/", "a/+/#", "+/+", "$SYS/#", "a//b", "x" * 65_535, " "])
def test_a_filter_that_is_one_has_no_problem(filter_: str) -> None:
    assert problem_of(filter_) == ""


def test_the_first_wildcard_is_a_whole_level() -> None:
    assert [first_wildcard(levels_of(one)) for one in ("+", "a/#", "a/b", "a/+/#", "#")] == [0, 1, None, 1, 0]
