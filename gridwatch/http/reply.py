"""What a handler returns: data with a template, a forwarded response, or a problem."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

#: In place of a template: the reply has no HTML.
JSON_ONLY = ""


@dataclass(frozen=True)
class Reply:
    """A page: its data, which is also its JSON, its template, and values for the template only."""

    data: dict[str, Any]
    template: str
    status: int = 200
    shown: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The response of another server, forwarded unchanged."""

    status: int
    content_type: str
    body: bytes


class Problem(Exception):
    """An error response: its status and the reasons."""

    def __init__(self, status: int, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.status = status
        self.reasons = list(reasons)


Handler = Callable[..., Awaitable[Reply | Answer]]


def encode(data: dict[str, Any]) -> bytes:
    """A page's data as JSON."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
