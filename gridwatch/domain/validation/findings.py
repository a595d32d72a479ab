"""The reasons to reject a record, and how they are collected."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final, NamedTuple

from gridwatch.domain.validation import field_guesses, guesses

NOT_JSON: Final = "NOT_JSON"
NOT_UTF8: Final = "NOT_UTF8"
NOT_AN_OBJECT: Final = "NOT_AN_OBJECT"
MISSING_FIELD: Final = "MISSING_FIELD"
UNKNOWN_TYPE: Final = "UNKNOWN_TYPE"
BAD_TIMESTAMP: Final = "BAD_TIMESTAMP"
FUTURE_TIMESTAMP: Final = "FUTURE_TIMESTAMP"
BAD_METER_ID: Final = "BAD_METER_ID"
NOT_A_NUMBER: Final = "NOT_A_NUMBER"
NOT_FINITE: Final = "NOT_FINITE"
NEGATIVE: Final = "NEGATIVE"
OUT_OF_RANGE: Final = "OUT_OF_RANGE"
WRONG_PARTITION: Final = "WRONG_PARTITION"
TOO_LARGE: Final = "TOO_LARGE"
BAD_INTERVAL: Final = "BAD_INTERVAL"
UNKNOWN_ZONE: Final = "UNKNOWN_ZONE"
UNKNOWN_STATUS: Final = "UNKNOWN_STATUS"
UNKNOWN_SCOPE: Final = "UNKNOWN_SCOPE"
BAD_VALUE: Final = "BAD_VALUE"
REMOVED_BEFORE_INSTALLED: Final = "REMOVED_BEFORE_INSTALLED"
WRONG_FLOW: Final = "WRONG_FLOW"
NEWER_VERSION: Final = "NEWER_VERSION"
"""The reasons, in the order in which they are listed."""
REASONS: Final = (
    NOT_JSON,
    NOT_UTF8,
    NOT_AN_OBJECT,
    MISSING_FIELD,
    UNKNOWN_TYPE,
    BAD_TIMESTAMP,
    FUTURE_TIMESTAMP,
    BAD_METER_ID,
    NOT_A_NUMBER,
    NOT_FINITE,
    NEGATIVE,
    OUT_OF_RANGE,
    WRONG_PARTITION,
    TOO_LARGE,
    BAD_INTERVAL,
    UNKNOWN_ZONE,
    UNKNOWN_STATUS,
    UNKNOWN_SCOPE,
    BAD_VALUE,
    REMOVED_BEFORE_INSTALLED,
    WRONG_FLOW,
    NEWER_VERSION,
)


class Refusal(NamedTuple):
    """Why something is not a valid reading."""

    reasons: tuple[str, ...]
    message: str
    field: str | None
    meter_id: str | None = None


class Findings:
    """Collects reasons as they are found; lists each once, in the order of ``REASONS``."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, reason: str, field: str, what: str) -> None:
        """Add a reason, about a field."""
        self._found.append((REASONS.index(reason), field, f"{field} {what}"))

    def refusal(self, meter_id: str | None, fields: dict[str, Any] | None = None) -> Refusal:
        """The refusal of an element; with its fields the message has guesses at what is wrong."""
        found = sorted(self._found, key=lambda finding: finding[0])
        reasons = tuple(dict.fromkeys(REASONS[at] for at, _, _ in found))
        message = (
            "; ".join(one[2] for one in found) if fields is None else field_guesses.explained(found, fields)
        )
        return Refusal(reasons, message, found[0][1], meter_id)


def check_number(fields: dict[str, Any], name: str, found: Findings) -> float | None:
    """A number of an element; None if it has none, or none that is finite."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        found.add(NOT_A_NUMBER, name, f"must be a number, not {guesses.kind_of(value)}")
        return None
    if not isfinite(value):
        found.add(NOT_FINITE, name, "is not finite")
        return None
    return float(value)
