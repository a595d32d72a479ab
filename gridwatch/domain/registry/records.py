"""Control records: what a meter, a region or a planned outage is from some time on.

A control record is one JSON object. Its version says which of two is newer; a record that is not newer than
what is known changes nothing, so repetition and order do not matter. Unknown fields are ignored; optional
ones may be null. ``as_of`` is when it was said: a partition without a watermark starts there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from gridwatch.domain.calendar import Calendar, is_zone
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, SECOND
from gridwatch.domain.spans import duration_of, interval_named
from gridwatch.domain.validation.findings import (
    BAD_INTERVAL,
    BAD_METER_ID,
    BAD_TIMESTAMP,
    BAD_VALUE,
    MISSING_FIELD,
    REMOVED_BEFORE_INSTALLED,
    UNKNOWN_SCOPE,
    UNKNOWN_STATUS,
    UNKNOWN_ZONE,
    Findings,
    Refusal,
)
from gridwatch.domain.validation.guesses import kind_of

PLANNED: Final = "planned"
INSTALLED: Final = "installed"
ACTIVE: Final = "active"
SUSPENDED: Final = "suspended"
REMOVED: Final = "removed"
STATUSES: Final = (PLANNED, INSTALLED, ACTIVE, SUSPENDED, REMOVED)
SCOPES: Final = ("meter", "transformer", "feeder", "region")
ENERGY_MODES: Final = ("interval", "register", "power")
ANCHORS: Final = ("start", "end")
LONGEST: Final = 32 * DAY
"""The longest interval and grace."""
MAX_TEXT: Final = 256
"""Characters of a name."""
MAX_WHY: Final = 1000
_LAST_VERSION: Final = 2**53
_DIGITS: Final = range(3, 13)
_UNPRINTABLE: Final = re.compile(f"[\x00-\x1f\x7f-\x9f{chr(0xD800)}-{chr(0xDFFF)}]")
_CURRENCY: Final = re.compile("[A-Z]{3}")


class MeterRecord(NamedTuple):
    """What the registry says of a meter. Times and durations µs; None where it says nothing."""

    meter_id: str
    version: int
    status: str
    flow: str | None
    installed_at: int | None
    removed_at: int | None
    valid_from: int | None
    as_of: int | None
    interval: int | None
    calendar: Calendar | None
    """Of an interval of local days or months."""
    timezone: str | None
    anchor: str | None
    grace: int | None
    energy_mode: str | None
    region: str | None
    feeder: str | None
    transformer: str | None
    max_kw: float | None
    fuse_amps: float | None
    register_digits: int | None
    customer_class: str | None


class RegionRecord(NamedTuple):
    """What is known of a region."""

    region: str
    version: int
    capacity_kw: float
    base_price_per_kwh: float | None
    currency: str | None
    timezone: str | None
    holidays: tuple[str, ...]
    """ISO dates."""
    valid_from: int | None
    as_of: int | None


class OutageRecord(NamedTuple):
    """A planned outage: readings of what it covers are not expected in [since, until)."""

    outage_id: str
    version: int
    scope: str
    target: str
    since: int
    until: int
    why: str | None
    cancelled: bool
    as_of: int | None


ControlRecord = MeterRecord | RegionRecord | OutageRecord


def meter_record(fields: Mapping[str, object], zone: str) -> MeterRecord | Refusal:
    """A registry record from its fields; ``zone`` is that of a calendar interval without one."""
    record, found = read_meter(fields, zone)
    return found.refusal(record.meter_id) if found else record


def region_record(fields: Mapping[str, object], zone: str) -> RegionRecord | Refusal:
    """A region record from its fields."""
    record, found = read_region(fields, zone)
    return found.refusal(None) if found else record


def outage_record(fields: Mapping[str, object], zone: str) -> OutageRecord | Refusal:
    """A planned outage from its fields."""
    record, found = read_outage(fields, zone)
    return found.refusal(None) if found else record


def read_meter(fields: Mapping[str, object], zone: str) -> tuple[MeterRecord, Findings]:
    """A registry record, and what is wrong with it; not to be used if anything is."""
    of = _Fields(fields)
    meter_id = of.text("meter_id", MAX_TEXT * 4, required=True, reason=BAD_METER_ID)
    timezone = of.zone("timezone")
    interval, calendar = of.interval("interval", timezone or zone)
    installed, removed = of.instant("installed_at"), of.instant("removed_at")
    if installed is not None and removed is not None and removed <= installed:
        of.found.add(REMOVED_BEFORE_INSTALLED, "removed_at", "is not after installed_at")
    record = MeterRecord(
        meter_id,
        of.version(),
        of.choice("status", STATUSES, required=True, reason=UNKNOWN_STATUS) or "",
        of.text("flow"),
        installed,
        removed,
        of.instant("valid_from"),
        of.instant("as_of"),
        interval,
        calendar,
        timezone,
        of.choice("anchor", ANCHORS),
        of.duration("grace"),
        of.choice("energy_mode", ENERGY_MODES),
        of.text("region"),
        of.text("feeder"),
        of.text("transformer"),
        of.number("max_kw"),
        of.number("fuse_amps"),
        of.digits("register_digits"),
        of.text("customer_class"),
    )
    return record, of.found


def read_region(fields: Mapping[str, object], zone: str) -> tuple[RegionRecord, Findings]:
    """A region record, and what is wrong with it."""
    of = _Fields(fields)
    record = RegionRecord(
        of.text("region", required=True),
        of.version(),
        of.number("capacity_kw", required=True) or 0.0,
        of.number("base_price_per_kwh", zero=True),
        of.currency("currency"),
        of.zone("timezone"),
        of.dates("holidays"),
        of.instant("valid_from"),
        of.instant("as_of"),
    )
    return record, of.found


def read_outage(fields: Mapping[str, object], zone: str) -> tuple[OutageRecord, Findings]:
    """A planned outage, and what is wrong with it."""
    of = _Fields(fields)
    since, until = of.instant("from", required=True), of.instant("until", required=True)
    if since is not None and until is not None and until <= since:
        of.found.add(BAD_VALUE, "until", "is not after from")
    record = OutageRecord(
        of.text("outage_id", required=True),
        of.version(),
        of.choice("scope", SCOPES, required=True, reason=UNKNOWN_SCOPE) or "",
        of.text("target", MAX_TEXT * 4, required=True),
        since or 0,
        until or 0,
        of.text("why", MAX_WHY) or None,
        of.flag("cancelled"),
        of.instant("as_of"),
    )
    return record, of.found


class _Fields:
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
            return parse_instant(value, "UTC")[0]
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
