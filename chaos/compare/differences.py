"""Compares two snapshots: what is lost, in excess, or different."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chaos.compare.snapshot import Snapshot


@dataclass(frozen=True)
class Difference:
    """One deviation from the fault-free run. what: `lost`, `in excess` or `different`."""

    what: str
    place: str
    key: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        if self.what == "different":
            return f"{self.what}: {self.place}: {self.key}: {_changed_parts(self.wanted, self.found)}"
        return f"{self.what}: {self.place}: {self.key}: {self.wanted if self.found is None else self.found}"


def differences(wanted: Snapshot, found: Snapshot) -> list[Difference]:
    """All differences of two runs, place by place, in order of the key."""
    result: list[Difference] = []
    for place in sorted(wanted.contents.keys() | found.contents.keys()):
        here, there = wanted.contents.get(place, {}), found.contents.get(place, {})
        for key in sorted(here.keys() | there.keys()):
            if key not in there:
                result.append(Difference("lost", place, key, here[key], None))
            elif key not in here:
                result.append(Difference("in excess", place, key, None, there[key]))
            elif here[key] != there[key]:
                result.append(Difference("different", place, key, here[key], there[key]))
    return result


def _changed_parts(wanted: Any, found: Any) -> str:
    """The parts in which two values of one shape differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        pairs = [(name, wanted.get(name), found.get(name)) for name in wanted | found]
    elif isinstance(wanted, (tuple, list)) and isinstance(found, type(wanted)) and len(wanted) == len(found):
        pairs = [(str(place), *both) for place, both in enumerate(zip(wanted, found, strict=True))]
    else:
        return f"{wanted} became {found}"
    return "; ".join(f"{name} {before} became {after}" for name, before, after in pairs if before != after)
