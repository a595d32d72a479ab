"""What is wrong with a raw record, reason by reason, from the contract's list and nothing else."""

from __future__ import annotations

import base64
import json
import math
import unicodedata
from fractions import Fraction
from typing import Any

from tests.model import energy
from tests.model.rulers import Ruler, known_zone, ruler_of
from tests.model.stamps import SECOND, BadStampError, parse

REASONS = (
    "NOT_JSON", "NOT_UTF8", "NOT_AN_OBJECT", "MISSING_FIELD", "UNKNOWN_TYPE", "BAD_TIMESTAMP",
    "FUTURE_TIMESTAMP", "BAD_METER_ID", "NOT_A_NUMBER", "NOT_FINITE", "NEGATIVE", "OUT_OF_RANGE",
    "WRONG_PARTITION", "TOO_LARGE", "BAD_INTERVAL", "UNKNOWN_ZONE", "UNKNOWN_STATUS", "UNKNOWN_SCOPE",
    "BAD_VALUE", "REMOVED_BEFORE_INSTALLED", "WRONG_FLOW", "NEWER_VERSION", "REFUSED_BY_DATABASE",
)  # fmt: skip
REQUIRED = ("meter_id", "timestamp")
MEASURES = ("voltage", "current", "power_kw", "power_factor", "frequency")
OPTIONAL = ("interval_minutes", "interval_seconds", "region", *MEASURES, "sent_at", "flags")
OWN_FLAGS = (
    "OFF_GRID", "REVISED", "EXTRA", "AHEAD", "SLOT_FILLED", "AMBIGUOUS_TIME", "ZERO", "INTERVAL_CHANGED",
    "FIRST", "REGISTER_DIP", "ROLL_OVER", "REGISTER_RESET", "SUSPECT", "GAP_ENERGY", "ENERGY_POWER_MISMATCH",
)  # fmt: skip


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, as the Java client has it."""
    mask = 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * 0x5BD1E995 & mask
        k ^= k >> 24
        h = (h * 0x5BD1E995 & mask) ^ (k * 0x5BD1E995 & mask)
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * 0x5BD1E995 & mask
    h ^= h >> 13
    h = h * 0x5BD1E995 & mask
    return h ^ h >> 15


def partition_of(meter_id: str, partitions: int) -> int:
    return (murmur2(meter_id.encode()) & 0x7FFFFFFF) % partitions


def in_order(reasons: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Reasons with their fields, in the order of the contract's list."""
    return sorted(reasons, key=lambda found: REASONS.index(found[0]))


def elements(value: bytes | None, limit: int) -> tuple[list[Any], str | None]:
    """The readings of a record, not yet judged; or the one reason why it has none."""
    if not value:
        return [], "NOT_JSON"
    if len(value) > limit:
        return [], "TOO_LARGE"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return [], "NOT_UTF8"
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return [], "NOT_JSON"
    if isinstance(parsed, list):
        return (parsed, None) if parsed else ([], "NOT_AN_OBJECT")
    return [parsed], None


def number(value: object) -> str | None:
    """The reason why this is no number to work with, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "NOT_A_NUMBER"
    try:
        finite = math.isfinite(float(value))
    except OverflowError:
        finite = False
    return None if finite else "NOT_FINITE"


def whole_interval(seconds: float) -> int | None:
    """A given interval in microseconds, or None when it is not a whole number of seconds, give or take a
    twentieth, of at most 32 days."""
    if not math.isfinite(seconds) or seconds > 1e9:
        return None
    whole = round(Fraction(seconds))
    if abs(Fraction(seconds) - whole) > Fraction(1, 20) or not 1 <= whole <= 32 * 24 * 3600:
        return None
    return whole * SECOND


def given_interval(body: Any, zone: str) -> Ruler | None:
    """Rule 8: what a good reading says of its interval; words win, then seconds."""
    if body.get("interval") is not None:
        return ruler_of(body["interval"], body.get("timezone") or zone)
    length = None
    if body.get("interval_seconds") is not None:
        length = whole_interval(body["interval_seconds"])
    elif body.get("interval_minutes") is not None:
        length = whole_interval(body["interval_minutes"] * 60)
    return None if length is None else Ruler(length)


def judge(item: Any, policy: Any, partition: int, record_time: int) -> list[tuple[str, str | None]]:
    """Every reason against one element of a record, each with its field; empty for a good one."""
    if not isinstance(item, dict):
        return [("NOT_AN_OBJECT", None)]
    bad: list[tuple[str, str | None]] = []
    for name in REQUIRED:
        if item.get(name) is None:
            bad.append(("MISSING_FIELD", name))
    meter_id = item.get("meter_id")
    if meter_id is not None:
        if not sound_meter_id(meter_id, policy.max_meter_id_bytes):
            bad.append(("BAD_METER_ID", "meter_id"))
        elif partition_of(meter_id, policy.partitions) != partition:
            bad.append(("WRONG_PARTITION", "meter_id"))
    stamp = item.get("timestamp")
    if stamp is not None:
        try:
            if not isinstance(stamp, str):
                raise BadStampError("not a text")
            if parse(stamp, policy.timezone)[0] - record_time > policy.max_future_skew:
                bad.append(("FUTURE_TIMESTAMP", "timestamp"))
        except BadStampError:
            bad.append(("BAD_TIMESTAMP", "timestamp"))
    kind = energy.source_of(item)
    if kind is None:
        bad.append(("MISSING_FIELD", "consumption_kwh"))
    looked_at = (energy.named(item, *energy.ENERGY), energy.named(item, *energy.REGISTER))
    if kind == "power_kw" and number(item[kind]) is None:
        wrong = energy.out_of_limits(kind, item[kind], policy)
        bad += [(wrong, kind)] if wrong else []
    for name in (*looked_at, "interval_minutes", "interval_seconds", *MEASURES):
        value = item.get(name)
        if value is None:
            continue
        wrong = number(value)
        if wrong is None and name == kind != "power_kw":
            wrong = energy.out_of_limits(kind, value, policy)
        if wrong is None and name == "interval_minutes" and whole_interval(float(value) * 60) is None:
            wrong = "OUT_OF_RANGE"
        if wrong is None and name == "interval_seconds" and whole_interval(value) is None:
            wrong = "OUT_OF_RANGE"
        if wrong:
            bad.append((wrong, name))
    if item.get("interval") is not None:  # without one, a zone means nothing
        if ruler_of(item["interval"], "UTC") is None:
            bad.append(("BAD_INTERVAL", "interval"))
        if item.get("timezone") is not None and not known_zone(item["timezone"]):
            bad.append(("UNKNOWN_ZONE", "timezone"))
    for name in ("region", "sent_at"):
        if item.get(name) is not None and not isinstance(item[name], str):
            bad.append(("UNKNOWN_TYPE", name))
    codes = item.get("flags")
    if codes is not None:
        if not isinstance(codes, list) or any(not isinstance(code, str) for code in codes):
            bad.append(("UNKNOWN_TYPE", "flags"))
        elif len(codes) > 16 or any(
            code in OWN_FLAGS[:9] or not code or len(code) > 64 or "\x00" in code for code in codes
        ):
            bad.append(("OUT_OF_RANGE", "flags"))
    return in_order(bad)


def sound_meter_id(meter_id: object, limit: int) -> bool:
    if not isinstance(meter_id, str) or not meter_id:
        return False
    try:
        size = len(meter_id.encode())
    except UnicodeEncodeError:
        return False
    return size <= limit and not any(unicodedata.category(letter) == "Cc" for letter in meter_id)


def printable(raw: bytes) -> tuple[str, str]:
    """The bytes as a dead letter shows them: text, or base64 when not UTF-8 or with NUL; and which."""
    cut = raw[: 64 * 1024]
    try:
        text = raw.decode()
        if "\0" not in text:
            return cut.decode("utf-8", "ignore"), "utf-8"
    except UnicodeDecodeError:
        pass
    return base64.b64encode(cut).decode(), "base64"
