"""What a page gives back before it becomes bytes: plain data, which is its JSON, and how to show it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from gridwatch.views.routing import ASKED_BY, Answer
from gridwatch.views.state import Record

#: The template of what is for machines alone.
JSON_ONLY = ""


@dataclass(frozen=True)
class Reply:
    """A page: the data that is its JSON, the template that shows it, and what only the template needs."""

    data: Record
    template: str
    status: int = 200
    shown: Record = field(default_factory=dict)


Handler = Callable[..., Awaitable[Reply | Answer]]


def encode(data: Record) -> bytes:
    """A page's data as JSON."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def asked_by_a_worker(request: Any) -> bool:
    """Whether another worker asks, which wants to know what this one has and no more."""
    return ASKED_BY in request.headers


def sums(partitions: list[Record]) -> Record:
    """Meters, open gaps and lag of several partitions; what is not known counts as nothing."""
    return {name: sum(one[name] or 0 for one in partitions) for name in ("meters", "open_gaps", "lag")}
