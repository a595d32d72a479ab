"""The result of one check: a message of one line, and the remedy if something is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """`details` are in the JSON output only."""

    check: str
    ok: bool
    message: str
    remedy: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def good(check: str, message: str, **details: Any) -> Finding:
    return Finding(check, True, message, details=details)


def wrong(check: str, message: str, remedy: str, **details: Any) -> Finding:
    return Finding(check, False, message, remedy, details)
