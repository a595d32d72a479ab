"""Topic filters of MQTT: which topics they match, and whether two of them match a topic in common.

Rules of MQTT 5, section 4.7: `+` is one level, `#` at the end is any number of levels, none too; topics that
begin with `$` match no wildcard in their first level.
"""

from __future__ import annotations

from collections.abc import Sequence

Levels = tuple[str, ...]


def levels_of(topic: str) -> Levels:
    """The levels of a topic or filter."""
    return tuple(topic.split("/"))


def problem_of(filter_: str) -> str:
    """What is wrong with a filter; empty if nothing is."""
    levels = levels_of(filter_)
    if not filter_ or "\0" in filter_ or len(filter_.encode("utf-8", "replace")) > 65_535:
        return "is empty, too long, or has a NUL in it"
    if any("#" in level and (level != "#" or at != len(levels) - 1) for at, level in enumerate(levels)):
        return "has a # that is not its whole last level"
    if any("+" in level and level != "+" for level in levels):
        return "has a + that is not a whole level"
    if levels[0] == "$share":
        return "begins with $share: set `share` in [mqtt]"
    return ""


def matches(levels: Sequence[str], topic: Sequence[str]) -> bool:
    """Whether a topic, by its levels, is one of a filter's."""
    if topic[0].startswith("$") and levels[0] in {"+", "#"}:
        return False
    for at, level in enumerate(levels):
        if level == "#":
            return True
        if at >= len(topic) or (level not in ("+", topic[at])):
            return False
    return len(levels) == len(topic)


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether there is a topic that two filters both match."""
    if {one[0], other[0]} & {"+", "#"} and (one[0].startswith("$") or other[0].startswith("$")):
        return False
    for at in range(max(len(one), len(other))):
        here, there = one[at : at + 1], other[at : at + 1]
        if "#" in (*here, *there):
            return True
        if not here or not there:
            return False
        if here[0] != there[0] and "+" not in (here[0], there[0]):
            return False
    return True


def first_wildcard(levels: Sequence[str]) -> int | None:
    """The place of a filter's first wildcard, from 0 on."""
    return next((at for at, level in enumerate(levels) if level in {"+", "#"}), None)
