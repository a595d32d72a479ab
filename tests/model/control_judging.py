"""What is wrong with a control record, reason by reason; or what it says."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.model.judging import in_order, partition_of, sound_meter_id
from tests.model.rulers import LONGEST, Ruler, duration, known_zone, ruler_of
from tests.model.stamps import BadStampError, parse

STATUSES = ("planned", "installed", "active", "suspended", "removed")
SCOPES = ("meter", "transformer", "feeder", "region")
CHOICES = {"anchor": ("start", "end"), "energy_mode": ("interval", "register", "power")}
_AWARE = re.compile(r".*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)")


@dataclass
class Entry:
    """What a registry record says of its meter; instants in microseconds, None for what it leaves out."""

    meter_id: str
    version: int
    status: str
    ruler: Ruler | None
    grace: int | None
    installed_at: int | None
    removed_at: int | None
    valid_from: int | None
    as_of: int | None
    anchor: str | None
    energy_mode: str | None
    region: str | None
    feeder: str | None
    transformer: str | None
    max_kw: float | None
    register_digits: int | None
    timezone: str | None


@dataclass
class Outage:
    outage_id: str
    version: int
    scope: str
    target: str
    since: int
    until: int
    cancelled: bool
    as_of: int | None


@dataclass
class Region:
    region: str
    version: int
    as_of: int | None
    capacity_kw: float
    valid_from: int | None
    timezone: str | None
    holidays: tuple[str, ...]


class Judge:
    """One control record's fields, looked at one by one; `bad` collects what is wrong."""

    def __init__(self, fields: dict[str, Any], policy: Any, record_time: int) -> None:
        self.fields, self.policy, self.record_time = fields, policy, record_time
        self.bad: list[tuple[str, str | None]] = []

    def wrong(self, reason: str, name: str) -> None:
        self.bad.append((reason, name))

    def given(self, name: str, required: bool = False) -> Any:
        value = self.fields.get(name)
        if value is None and required:
            self.wrong("MISSING_FIELD", name)
        return value

    def instant(self, name: str, required: bool = False) -> int | None:
        text = self.given(name, required)
        if text is None:
            return None
        try:
            if not isinstance(text, str) or "T" not in text.upper() + "T" or not _AWARE.fullmatch(text[10:]):
                raise BadStampError(repr(text))
            return parse(text, "UTC")[0]
        except BadStampError:
            self.wrong("BAD_TIMESTAMP", name)
            return None

    def text(self, name: str, required: bool = False, least: int = 1, most: int = 256) -> str | None:
        value = self.given(name, required)
        if value is None:
            return None
        if not isinstance(value, str) or not least <= len(value) <= most:
            self.wrong("BAD_VALUE", name)
            return None
        return value

    def whole(self, name: str, least: int, most: float = math.inf, required: bool = False) -> int | None:
        value = self.given(name, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong("BAD_VALUE", name)
            return None
        return value

    def number(self, name: str, zero: bool = False, required: bool = False) -> float | None:
        value = self.given(name, required)
        if value is None:
            return None
        sound = not isinstance(value, bool) and isinstance(value, (int, float))
        try:
            sound = sound and math.isfinite(float(value)) and (value > 0 or (zero and value == 0))
        except OverflowError:
            sound = False
        if not sound:
            self.wrong("BAD_VALUE", name)
            return None
        return float(value)

    def one_of(self, name: str, values: tuple[str, ...], reason: str, required: bool = False) -> str | None:
        value = self.given(name, required)
        if value is None:
            return None
        if value not in values:
            self.wrong(reason, name)
            return None
        return str(value)

    def zone(self) -> str:
        name = self.given("timezone")
        if name is not None and not known_zone(name):
            self.wrong("UNKNOWN_ZONE", "timezone")
            return "UTC"
        return str(self.policy.timezone if name is None else name)

    def as_of(self) -> int | None:
        instant = self.instant("as_of")
        if instant is not None and instant - self.record_time > self.policy.max_future_skew:
            self.wrong("FUTURE_TIMESTAMP", "as_of")
        return instant

    def registry(self, partition: int) -> Entry:
        meter_id = self.given("meter_id", required=True)
        if meter_id is not None:
            if not sound_meter_id(meter_id, self.policy.max_meter_id_bytes):
                self.wrong("BAD_METER_ID", "meter_id")
            elif partition_of(meter_id, self.policy.partitions) != partition:
                self.wrong("WRONG_PARTITION", "meter_id")
        version = self.whole("version", 1, required=True)
        status = self.one_of("status", STATUSES, "UNKNOWN_STATUS", required=True)
        if self.given("flow") not in {None, self.policy.flow}:
            self.wrong("WRONG_FLOW", "flow")
        zone, text = self.zone(), self.given("interval")
        ruler = None if text is None else ruler_of(text, zone)
        if text is not None and ruler is None:
            self.wrong("BAD_INTERVAL", "interval")
        grace = None
        if self.given("grace") is not None:
            grace = duration(self.given("grace"))
            if grace is None or not 0 < grace <= LONGEST:
                self.wrong("BAD_VALUE", "grace")
        instants = {name: self.instant(name) for name in ("installed_at", "removed_at", "valid_from")}
        installed, removed = instants["installed_at"], instants["removed_at"]
        if installed is not None and removed is not None and removed <= installed:
            self.wrong("REMOVED_BEFORE_INSTALLED", "removed_at")
        self.number("fuse_amps")
        self.text("customer_class")
        return Entry(
            str(meter_id), version or 0, str(status), ruler, grace,
            installed, removed, instants["valid_from"], self.as_of(),
            self.one_of("anchor", CHOICES["anchor"], "BAD_VALUE"),
            self.one_of("energy_mode", CHOICES["energy_mode"], "BAD_VALUE"),
            self.text("region"), self.text("feeder"), self.text("transformer"),
            self.number("max_kw"), self.whole("register_digits", 3, 12),
            self.fields.get("timezone"),
        )  # fmt: skip

    def region(self) -> Region:
        name = self.text("region", required=True)
        version = self.whole("version", 1, required=True)
        capacity = self.number("capacity_kw", required=True)
        self.number("base_price_per_kwh", zero=True)
        currency = self.given("currency")
        if currency is not None and not (isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)):
            self.wrong("BAD_VALUE", "currency")
        self.zone()
        days = self.given("holidays")
        if days is not None and not (isinstance(days, list) and all(is_day(day) for day in days)):
            self.wrong("BAD_VALUE", "holidays")
        valid_from = self.instant("valid_from")
        zone = self.fields.get("timezone")
        holidays = tuple(days) if isinstance(days, list) else ()
        return Region(str(name), version or 0, self.as_of(), capacity or 0.0, valid_from, zone, holidays)

    def outage(self) -> Outage:
        name = self.text("outage_id", required=True)
        version = self.whole("version", 1, required=True)
        scope = self.one_of("scope", SCOPES, "UNKNOWN_SCOPE", required=True)
        target = self.text("target", required=True)
        since, until = self.instant("from", required=True), self.instant("until", required=True)
        if since is not None and until is not None and until <= since:
            self.wrong("BAD_VALUE", "until")
        self.text("why", least=0, most=1000)
        cancelled = self.given("cancelled")
        if cancelled is not None and not isinstance(cancelled, bool):
            self.wrong("BAD_VALUE", "cancelled")
        return Outage(
            str(name),
            version or 0,
            str(scope),
            str(target),
            since or 0,
            until or 0,
            bool(cancelled),
            self.as_of(),
        )


def is_day(text: Any) -> bool:
    if not isinstance(text, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def opened(value: bytes | None, limit: int) -> tuple[dict[str, Any], str | None]:
    """The object in a control record, or the one reason why there is none."""
    if not value:
        return {}, "NOT_JSON"
    if len(value) > limit:
        return {}, "TOO_LARGE"
    try:
        parsed = json.loads(value.decode())
    except UnicodeDecodeError:
        return {}, "NOT_UTF8"
    except (ValueError, RecursionError):
        return {}, "NOT_JSON"
    return (parsed, None) if isinstance(parsed, dict) else ({}, "NOT_AN_OBJECT")


def judge(
    kind: str, version: bytes, value: bytes | None, policy: Any, partition: int, record_time: int
) -> tuple[Entry | Region | Outage | None, list[tuple[str, str | None]], str | None]:
    """What the record says, every reason against it, and its meter if known."""
    if version != b"1":
        return None, [("NEWER_VERSION", None)], None
    fields, reason = opened(value, policy.max_record_bytes)
    if reason:
        return None, [(reason, None)], None
    one = Judge(fields, policy, record_time)
    meter_id = None
    found: Entry | Region | Outage
    if kind == "registry":
        found = one.registry(partition)
        named = fields.get("meter_id")
        meter_id = named if sound_meter_id(named, policy.max_meter_id_bytes) else None
    else:
        found = one.region() if kind == "region" else one.outage()
    return (None if one.bad else found), in_order(one.bad), meter_id
