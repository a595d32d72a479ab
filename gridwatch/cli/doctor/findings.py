"""What one look at one thing found: how it is, in one line, and the remedy if something is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """`details` are for machines: they stand in the JSON only."""

    check: str
    ok: bool
    said: str
    remedy: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def good(check: str, said: str, **details: Any) -> Finding:
    return Finding(check, True, said, details=details)


def wrong(check: str, said: str, remedy: str, **details: Any) -> Finding:
    return Finding(check, False, said, remedy, details)
