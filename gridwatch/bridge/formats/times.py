"""The time of a measurement as the formats write it; inside, µs since the Unix epoch.

Without a float on the way, and only within the years that can be written again. Whether a time is
plausible is for others to judge.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from gridwatch.bridge.formats.problems import Problems
from gridwatch.domain.calendar import is_zone
from gridwatch.domain.instants import EARLIEST, LATEST, parse_instant
from gridwatch.domain.validation.findings import BAD_TIMESTAMP, UNKNOWN_ZONE

_ZONED: Final = re.compile(r".*[0-9](?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)", re.DOTALL)
_RFC_3339: Final = "publish RFC 3339 text with a zone, such as 2024-01-01T10:00:00Z"


def zoned(field: str, given: Any, problems: Problems) -> int | None:
    """The instant of an RFC 3339 text that names its zone."""
    if not isinstance(given, str):
        problems.add(BAD_TIMESTAMP, field, f"is no text, and a number does not say its unit: {_RFC_3339}")
        return None
    if not _has_zone(given):
        problems.add(BAD_TIMESTAMP, field, f"names no zone, and none is guessed: {_RFC_3339}")
        return None
    return _parsed(field, given, "UTC", problems)


def local(field: str, given: Any, zone: str, problems: Problems) -> int | None:
    """The instant of a text that is local time of ``zone`` unless it names one itself.

    Of two instants with one name, where the clocks go back, it is the earlier one. A time that the clocks
    skip is refused.
    """
    if not isinstance(given, str):
        problems.add(BAD_TIMESTAMP, field, "is no text: publish local time such as 2024-01-01T10:00:00")
        return None
    if not is_zone(zone):
        problems.add(
            UNKNOWN_ZONE, field, f"is local time, and {zone!r} is no time zone: name one in the rule"
        )
        return None
    return _parsed(field, given, zone, problems)


def since_epoch(field: str, given: Any, a_second: int, problems: Problems) -> int | None:
    """The instant of a number that counts from the Unix epoch on, so many ``a_second``."""
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        problems.add(BAD_TIMESTAMP, field, "is no number: publish the time that the format defines")
        return None
    return _bounded(field, Fraction(given) * 1_000_000 // a_second, problems)


def _has_zone(text: str) -> bool:
    date, _, clock = text.replace("t", "T").replace(" ", "T").partition("T")
    return bool(date) and _ZONED.fullmatch(clock) is not None


def _parsed(field: str, text: str, zone: str, problems: Problems) -> int | None:
    try:
        instant, _ = parse_instant(text, zone)
    except ValueError as error:
        problems.add(BAD_TIMESTAMP, field, f"cannot be read ({error}): {_RFC_3339}")
        return None
    return _bounded(field, instant, problems)


def _bounded(field: str, instant: int, problems: Problems) -> int | None:
    if EARLIEST <= instant < LATEST:
        return instant
    problems.add(BAD_TIMESTAMP, field, "lies outside of the years 2 to 9998: set the clock of the device")
    return None
