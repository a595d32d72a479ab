"""What a page gives back before it becomes bytes: data, another server's answer, or a problem."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

#: The template of what is for machines alone.
JSON_ONLY = ""


@dataclass(frozen=True)
class Reply:
    """A page: the data that is its JSON, the template that shows it, and what only the template needs."""

    data: dict[str, Any]
    template: str
    status: int = 200
    shown: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What another server answered, passed on as it came."""

    status: int
    content_type: str
    body: bytes


class Problem(Exception):
    """A request that is not answered with 200: its status and why."""

    def __init__(self, status: int, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.status = status
        self.reasons = list(reasons)


Handler = Callable[..., Awaitable[Reply | Answer]]


def encode(data: dict[str, Any]) -> bytes:
    """A page's data as JSON."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
