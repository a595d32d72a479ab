"""Times of the wire, written a second time: text to microseconds since the epoch and back.

Accepted: ``YYYY-MM-DD``, ``T`` or a space, ``HH:MM``, then optionally ``:SS`` and ``.fraction``, then
optionally ``Z`` or an offset ``±HH:MM``, ``±HHMM``, ``±HH``. Without one it is local time of the given zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
QUARTER = 15 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(?:([Zz])|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)


class BadStampError(ValueError):
    """The text is no instant."""


def micros_of(moment: datetime) -> int:
    """Whole microseconds since the epoch of an aware datetime."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def parse(text: str, zone: str) -> tuple[int, bool]:
    """The instant in microseconds, and whether local time left two to choose from (the earlier is taken)."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadStampError(text)
    year, month, day, hour, minute = (int(part) for part in found.groups()[:5])
    second = int(found.group(6) or 0)
    fraction = int((found.group(7) or "0")[:6].ljust(6, "0"))
    try:
        naive = datetime(year, month, day, hour, minute, second, fraction)
        if found.group(8):
            return micros_of(naive.replace(tzinfo=UTC)), False
        if found.group(9):
            hours, minutes = int(found.group(10)), int(found.group(11) or 0)
            if hours > 23 or minutes > 59:
                raise BadStampError(text)
            # Reckoned in microseconds: west of Greenwich the calendar's last hours lie beyond its end.
            away = timedelta(hours=hours, minutes=minutes) // timedelta(microseconds=1)
            there = micros_of(naive.replace(tzinfo=UTC))
            instant = there - away if found.group(9) == "+" else there + away
            if instant < micros_of(datetime.min.replace(tzinfo=UTC)):
                raise BadStampError(text)
            return instant, False
        local = ZoneInfo(zone)
        both = {naive.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)}
        real = sorted(m for m in both if m.astimezone(local).replace(tzinfo=None) == naive)
    except (ValueError, OverflowError) as error:
        raise BadStampError(text) from error
    if not real:
        raise BadStampError(f"{text} does not exist in {zone}")
    return micros_of(real[0]), len(real) > 1


def both(text: str, zone: str) -> tuple[int, int]:
    """The two instants of an ambiguous stamp, by the zone's offsets a day before and after."""
    first, _ = parse(text, zone)
    naive = datetime.fromisoformat(text[:19].replace(" ", "T"))
    local = ZoneInfo(zone)
    before, after = (
        (naive + timedelta(days=days)).replace(tzinfo=local).utcoffset() or timedelta() for days in (-1, 1)
    )
    return first, first + (before - after) // timedelta(microseconds=1)


def show(micros: int) -> str:
    """RFC 3339 UTC, a fraction only where there is one."""
    moment = EPOCH + timedelta(microseconds=micros)
    text = moment.replace(tzinfo=None, microsecond=0).isoformat()
    if moment.microsecond:
        text += f".{moment.microsecond:06d}".rstrip("0")
    return text + "Z"
