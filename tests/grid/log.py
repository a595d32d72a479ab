"""The records of a raw partition as steps, each with what the worker said of it: accepted, and its gaps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from confluent_kafka import Message

from gridwatch.topics import (
    GAP_ALERTS,
    OUTAGE_HEADER,
    RAW,
    REGION_HEADER,
    REGISTRY_HEADER,
    TICK_HEADER,
    VALIDATED,
)
from tests.grid.numbers import instant
from tests.records import decoded, read

_KINDS = {TICK_HEADER: "tick", REGISTRY_HEADER: "registry", REGION_HEADER: "region", OUTAGE_HEADER: "outage"}


class Step(NamedTuple):
    """One record. `instant` is that of a tick; `accepted` is the validated reading; `gaps` are revisions."""

    kind: str
    body: dict[str, Any]
    instant: int = 0
    accepted: dict[str, Any] | None = None
    gaps: tuple[dict[str, Any], ...] = ()


def steps(bootstrap: str, partition: int) -> Iterator[Step]:
    """Those of a partition, from its topics. Nothing is decoded before its turn: there may be a million."""
    accepted: dict[int, bytes] = {}
    for message in read(bootstrap, VALIDATED.name, partition):
        value = message.value() or b""
        accepted[json.loads(value)["offset"]] = value
    gaps: dict[int, dict[tuple[str, int], dict[str, Any]]] = defaultdict(dict)
    for gap in decoded(read(bootstrap, GAP_ALERTS.name, partition)):
        gaps[gap["offset"]][gap["gap_id"], gap["revision"]] = gap
    return joined(read(bootstrap, RAW.name, partition), accepted, gaps)


def joined(
    raw: Iterable[Message],
    accepted: Mapping[int, bytes],
    gaps: Mapping[int, Mapping[tuple[str, int], dict[str, Any]]],
) -> Iterator[Step]:
    """The records of a raw partition, each with what was said of it."""
    for message in raw:
        offset, value = message.offset(), message.value() or b""
        of_step = tuple(gap for _, gap in sorted(gaps.get(offset, {}).items()))
        kind = _kind(dict(message.headers() or []))
        if kind == "tick":
            yield Step(kind, {}, instant(value.decode()), gaps=of_step)
        else:
            said = accepted.get(offset)
            yield Step(kind, json.loads(value), 0, json.loads(said) if said else None, of_step)


def _kind(headers: dict[str, bytes]) -> str:
    return next((kind for header, kind in _KINDS.items() if header in headers), "reading")
