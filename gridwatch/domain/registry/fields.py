"""Reads the fields of a control record one by one, and collects what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from gridwatch.domain.calendar import Calendar, is_zone
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, SECOND
from gridwatch.domain.spans import duration_of, interval_named
from gridwatch.domain.validation.findings import (
    BAD_INTERVAL,
    BAD_TIMESTAMP,
    BAD_VALUE,
    MISSING_FIELD,
    UNKNOWN_ZONE,
    Findings,
)
from gridwatch.domain.validation.guesses import kind_of

LONGEST: Final = 32 * DAY
"""The longest interval and grace."""
MAX_TEXT: Final = 256
"""Characters of a name."""
_LAST_VERSION: Final = 2**53
_DIGITS: Final = range(3, 13)
_UNPRINTABLE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f{chr(0xD800)}-{chr(0xDFFF)}]")
_OFFSET: Final = re.compile(r"[Tt ].*(?:[Zz]|[+-][0-9:]+)$")
_CURRENCY: Final = re.compile("[A-Z]{3}")


class Fields:
    """Reads the fields of one record, and collects what is wrong with them."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self.found = Findings()

    def _get(self, name: str, required: bool) -> Any:
        value = self._fields.get(name)
        if value is None and required:
            self.found.add(MISSING_FIELD, name, "is missing")
        return value

    def text(
        self, name: str, most: int = MAX_TEXT, *, required: bool = False, reason: str = BAD_VALUE
    ) -> Any:
        """Text of 1 to ``most`` characters."""
        value = self._get(name, required)
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= most or _UNPRINTABLE.search(value):
            self.found.add(reason, name, f"must be text of 1 to {most} printable characters")
            return None
        return value

    def choice(
        self, name: str, allowed: tuple[str, ...], *, required: bool = False, reason: str = BAD_VALUE
    ) -> str | None:
        value = self._get(name, required)
        if value is not None and value not in allowed:
            self.found.add(reason, name, f"must be one of {', '.join(allowed)}, not {str(value)[:40]!r}")
            return None
        return value  # type: ignore[no-any-return, unused-ignore]

    def version(self) -> int:
        value = self._get("version", required=True)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LAST_VERSION:
            self.found.add(BAD_VALUE, "version", "must be a whole number from 1 on")
            return 0
        return value

    def instant(self, name: str, *, required: bool = False) -> int | None:
        value = self._get(name, required)
        if value is None:
            return None
        try:
            if not isinstance(value, str):
                raise ValueError(f"must be text, not {kind_of(value)}")
            instant, _ = parse_instant(value, "UTC")
            if not _OFFSET.search(value):
                raise ValueError(f"needs an offset or Z: {value[:40]!r}")
            return instant
        except ValueError as error:
            self.found.add(BAD_TIMESTAMP, name, str(error))
            return None

    def zone(self, name: str) -> str | None:
        value = self._get(name, required=False)
        if value is None:
            return None
        if not isinstance(value, str) or not is_zone(value):
            self.found.add(UNKNOWN_ZONE, name, f"is no known time zone: {str(value)[:40]!r}")
            return None
        return value

    def interval(self, name: str, zone: str) -> tuple[int | None, Calendar | None]:
        value = self._get(name, required=False)
        if value is None:
            return None, None
        try:
            if not isinstance(value, str):
                raise ValueError(f"must be text, not {kind_of(value)}")
            return interval_named(value, zone, SECOND, LONGEST)
        except (ValueError, OverflowError) as error:
            self.found.add(BAD_INTERVAL, name, f"is no interval: {error}")
            return None, None

    def duration(self, name: str) -> int | None:
        value = self._get(name, required=False)
        if value is None:
            return None
        try:
            if not isinstance(value, str):
                raise ValueError(f"must be text, not {kind_of(value)}")
            duration = duration_of(value)
            if not 0 < duration <= LONGEST:
                raise ValueError("must be above 0 and at most 32d")
        except (ValueError, OverflowError) as error:
            self.found.add(BAD_VALUE, name, str(error))
            return None
        return duration

    def number(self, name: str, *, required: bool = False, zero: bool = False) -> float | None:
        """A number above 0; 0 too if ``zero``."""
        value = self._get(name, required)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not (0 < value < 1e15 or (zero and value == 0))
        ):
            self.found.add(BAD_VALUE, name, f"must be a number {'from 0 on' if zero else 'above 0'}")
            return None
        return float(value)

    def digits(self, name: str) -> int | None:
        value = self._get(name, required=False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value not in _DIGITS:
            self.found.add(BAD_VALUE, name, f"must be a whole number from {_DIGITS[0]} to {_DIGITS[-1]}")
            return None
        return value

    def flag(self, name: str) -> bool:
        value = self._get(name, required=False)
        if value is not None and not isinstance(value, bool):
            self.found.add(BAD_VALUE, name, "must be true or false")
        return value is True

    def currency(self, name: str) -> str | None:
        value = self._get(name, required=False)
        if value is not None and not (isinstance(value, str) and _CURRENCY.fullmatch(value)):
            self.found.add(BAD_VALUE, name, "must be three capital letters, such as EUR")
            return None
        return value

    def dates(self, name: str) -> tuple[str, ...]:
        value = self._get(name, required=False)
        if value is None:
            return ()
        try:
            if not isinstance(value, list):
                raise TypeError
            return tuple(date.fromisoformat(one).isoformat() for one in value)
        except (ValueError, TypeError):
            self.found.add(BAD_VALUE, name, "must be a list of dates such as 2026-12-25")
            return ()
