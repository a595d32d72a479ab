"""Control records: what a meter, a region or a planned outage is from some time on.

A control record is one JSON object. Its version says which of two is newer; a record that is not newer than
what is known changes nothing, so repetition and order do not matter. Unknown fields are ignored; optional
ones may be null. ``as_of`` is when it was said: a partition without a watermark starts there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.registry.fields import Fields
from gridwatch.domain.validation.findings import (
    BAD_METER_ID,
    BAD_VALUE,
    REMOVED_BEFORE_INSTALLED,
    UNKNOWN_SCOPE,
    UNKNOWN_STATUS,
    Findings,
    Refusal,
)

PLANNED: Final = "planned"
INSTALLED: Final = "installed"
ACTIVE: Final = "active"
SUSPENDED: Final = "suspended"
REMOVED: Final = "removed"
STATUSES: Final = (PLANNED, INSTALLED, ACTIVE, SUSPENDED, REMOVED)
SCOPES: Final = ("meter", "transformer", "feeder", "region")
ENERGY_MODES: Final = ("interval", "register", "power")
ANCHORS: Final = ("start", "end")
MAX_METER_ID: Final = 1024
MAX_WHY: Final = 1000
"""Characters."""


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
    return found.refusal(record.meter_id or None) if found else record


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
    of = Fields(fields)
    meter_id = of.text("meter_id", MAX_METER_ID, required=True, reason=BAD_METER_ID) or ""
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
    of = Fields(fields)
    record = RegionRecord(
        of.text("region", required=True) or "",
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
    of = Fields(fields)
    since, until = of.instant("from", required=True), of.instant("until", required=True)
    if since is not None and until is not None and until <= since:
        of.found.add(BAD_VALUE, "until", "is not after from")
    record = OutageRecord(
        of.text("outage_id", required=True) or "",
        of.version(),
        of.choice("scope", SCOPES, required=True, reason=UNKNOWN_SCOPE) or "",
        of.text("target", MAX_METER_ID, required=True) or "",
        since or 0,
        until or 0,
        None if fields.get("why") == "" else of.text("why", MAX_WHY),
        of.flag("cancelled"),
        of.instant("as_of"),
    )
    return record, of.found
