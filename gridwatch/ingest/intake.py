"""What of a batch is accepted: the rules of the domain, as the worker asks them.

An element is decoded as the worker will decode its record, and a sound one becomes a record as it stands,
with `ingested_at` added. Whatever the decoder rejects goes the domain's slow path, which finds every reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from gridwatch.domain.instants import Stamps, format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import RawReading
from gridwatch.domain.validation.findings import MISSING_FIELD, NOT_JSON, TOO_LARGE, Refusal
from gridwatch.domain.validation.rules import check, is_meter_id, is_sound, open_record
from gridwatch.ingest.elements import DUPLICATE_KEY, Elements, members_of, repeated_member
from gridwatch.kafka.packing import Row
from gridwatch.models.raw import Raw, Telemetry

Profile = Literal["contract", "telemetry"]
"""Which members a reading has to have: those of the contract, or all that a telemetry unit measures."""

TELEMETRY: Final = ("meter_id", "timestamp", "voltage", "current", "power_kw", "energy_kwh")

MOST_LEVELS: Final = 64
"""Objects and arrays within each other."""

_STAMP: Final = b'"ingested_at"'
_TOO_DEEP: Final = Refusal((NOT_JSON,), f"nested deeper than {MOST_LEVELS} levels: send a flat object", None)
_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
#: Meters whose place is remembered.
_MOST_PLACES: Final = 1_000_000

_decode_raw: Final = msgspec.json.Decoder(Raw).decode
_decode_telemetry: Final = msgspec.json.Decoder(Telemetry).decode


@dataclass(frozen=True, slots=True)
class Rejected:
    """An element that is no reading: its place in the batch, and why."""

    index: int
    refusal: Refusal


@dataclass(slots=True)
class Batch:
    """The outcome: rows of the raw topic by partition, and what was rejected."""

    rows: dict[int, list[Row]] = field(default_factory=dict)
    accepted: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class Intake:
    """Validates batches by one policy; remembers stamps and the partitions of meters."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._stamps = Stamps(policy.timezone)
        self._places: dict[str, tuple[bytes, int]] = {}

    def admit(self, elements: Elements, now: int, profile: Profile = "contract") -> Batch:
        """Validate the elements of a batch that came in at `now`, µs."""
        batch, rows = Batch(), dict[int, list[Row]]()
        mark = f',"ingested_at":"{format_instant(now)}"}}'.encode()
        most = self._policy.max_record_bytes - len(mark)
        for index, element in enumerate(elements.items):
            if isinstance(element, Refusal):
                batch.rejected.append(Rejected(index, element))
                continue
            if len(element) > most:
                place: tuple[bytes, int] | Refusal = _too_large(element, most)
            elif _is_too_deep(element):
                place = _TOO_DEEP
            elif elements.unique or repeated_member(element) is None:
                place = self._place(element, now, profile)
            else:
                place = _repeated(element)
            if isinstance(place, Refusal):
                batch.rejected.append(Rejected(index, place))
                continue
            key, partition = place
            value = element[:-1] + mark
            if _STAMP in element or b"\\u" in element:
                value = _unstamped(element) + mark
            if partition in rows:
                rows[partition].append((key, value))
            else:
                rows[partition] = [(key, value)]
        batch.rows = rows
        batch.accepted = len(elements.items) - len(batch.rejected)
        return batch

    def _place(self, element: bytes, now: int, profile: Profile) -> tuple[bytes, int] | Refusal:
        """Key and partition of a valid reading, or why it is none."""
        raw = _decoded(element, profile)
        if raw is not None and self._is_sound(raw, now):
            place = self._places.get(raw.meter_id)
            if place is not None:
                return place
            if is_meter_id(raw.meter_id, self._policy):
                return self._remember(raw.meter_id)
        return self._examine(element, now, profile)

    def _is_sound(self, raw: RawReading, now: int) -> bool:
        time = self._stamps.instant(raw.timestamp)
        return time is not None and is_sound(raw, time, now + self._policy.max_future_skew, self._policy)

    def _remember(self, meter_id: str) -> tuple[bytes, int]:
        if len(self._places) >= _MOST_PLACES:
            self._places.clear()
        place = self._places[meter_id] = (meter_id.encode(), partition_of(meter_id, self._policy.partitions))
        return place

    def _examine(self, element: bytes, now: int, profile: Profile) -> tuple[bytes, int] | Refusal:
        """The same the slow way, with every reason."""
        policy = self._policy
        content = open_record(element, policy)
        if isinstance(content, Refusal):
            return content
        fields: Mapping[str, Any] = content if isinstance(content, dict) else {}
        meter_id = fields.get("meter_id")
        known = isinstance(meter_id, str) and is_meter_id(meter_id, policy)
        found = check(content, partition_of(str(meter_id), policy.partitions) if known else 0, now, policy)
        if profile == "telemetry" and isinstance(content, dict):
            absent = [name for name in TELEMETRY if fields.get(name) is None]
            if absent:
                return _incomplete(absent, found if isinstance(found, Refusal) else None)
        return found if isinstance(found, Refusal) else self._remember(found.raw.meter_id)


def _decoded(element: bytes, profile: Profile) -> RawReading | None:
    """A reading as the worker decodes it; None if the fast decoders reject it, or the profile does."""
    try:
        if profile == "contract":
            return _decode_raw(element)
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        telemetry = _decode_telemetry(element)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if profile == "telemetry" and None in (
        telemetry.voltage,
        telemetry.current,
        telemetry.power_kw,
        telemetry.energy_kwh,
    ):
        return None
    return telemetry.as_raw()


def _unstamped(element: bytes) -> bytes:
    """An element without a stamp of somebody else's, the rest as it stands, and without its last bracket."""
    members = [member for name, member, _ in members_of(element.decode()) if name != "ingested_at"]
    return f"{{{','.join(members)}".encode()


def _is_too_deep(element: bytes) -> bool:
    """Whether an element is nested so deep that another decoder than ours might give up."""
    if element.count(b"{") + element.count(b"[") <= MOST_LEVELS:
        return False
    level = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub(b"", element)):
        level += 1 if bracket in b"{[" else -1
        if level > MOST_LEVELS:
            return True
    return False


def _too_large(element: bytes, most: int) -> Refusal:
    return Refusal((TOO_LARGE,), f"{len(element)} bytes, at most {most} are allowed", None)


def _repeated(element: bytes) -> Refusal:
    name = repeated_member(element)
    return Refusal((DUPLICATE_KEY,), f"{name} is there twice: send each member once", name)


def _incomplete(absent: Sequence[str], other: Refusal | None) -> Refusal:
    """A reading without members that the profile asks for, and what else is wrong with it."""
    message = ", ".join(absent) + (" is missing" if len(absent) == 1 else " are missing")
    reasons = (MISSING_FIELD, *(one for one in (other.reasons if other else ()) if one != MISSING_FIELD))
    if other is not None and len(reasons) > 1:
        message = f"{message}; {other.message}"
    return Refusal(reasons, message, absent[0], other.meter_id if other else None)
