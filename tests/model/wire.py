"""The shapes of the five output topics, filled in from what the model knows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from tests.model import energy, judging
from tests.model.meters import Gap
from tests.model.rulers import Ruler
from tests.model.stamps import MINUTE, SECOND, show


class Record(NamedTuple):
    """One record of the raw partition; `timestamp` is Kafka's, in microseconds."""

    offset: int
    timestamp: int
    value: bytes | None
    tick: bool = False
    replayed: bool = False
    end: bytes | None = None
    control: str | None = None
    version: bytes = b"1"


@dataclass
class Item:
    """One reading, judged and found good."""

    offset: int
    index: int
    meter_id: str
    time: int
    kwh: float
    ruler: Ruler | None
    region: str | None  # the registry's for that time, else its own
    ambiguous: bool
    body: dict[str, Any]
    received: int
    value: float  # by which it is compared: its energy, register or power
    source: str = ""  # the field that its energy comes from
    since: int | None = None  # since when its energy counts

    def all_flags(self, flags: set[str]) -> list[str]:
        """Ours, then those of the source that we have not given ourselves."""
        return [*listed(flags), *(code for code in self.body.get("flags") or [] if code not in flags)]

    def own_flags(self) -> set[str]:
        """What is known of the reading without its meter."""
        return {
            flag for flag, holds in (("AMBIGUOUS_TIME", self.ambiguous), ("ZERO", self.kwh == 0)) if holds
        }


def told_interval(ruler: Ruler) -> dict[str, Any]:
    minutes = Fraction(ruler.interval, MINUTE)
    whole = minutes.denominator == 1
    return {
        "interval_minutes": int(minutes) if whole else float(minutes),
        "interval_seconds": ruler.interval // SECOND,
        **({} if ruler.calendar is None else {"calendar": ruler.calendar}),
    }


def listed(flags: set[str]) -> list[str]:
    """In the order of the contract. UNCLEAR is not on the wire: outputs about its slot are not compared."""
    return [flag for flag in (*judging.OWN_FLAGS, "UNCLEAR") if flag in flags]


def origin(item: Item, partition: int) -> dict[str, Any]:
    return {
        "id": f"{partition}-{item.offset}-{item.index}",
        "meter_id": item.meter_id,
        "timestamp": show(item.time),
        "consumption_kwh": item.kwh,
        "partition": partition,
        "offset": item.offset,
        "index": item.index,
    }


def validated(
    item: Item, partition: int, flags: set[str], delay: int, watermark: int, ruler: Ruler
) -> dict[str, Any]:
    register = item.body.get(energy.named(item.body, *energy.REGISTER))
    if item.source == "power_kw":  # whatever else it has is ignored
        register = None
    optional = (*judging.MEASURES, "sent_at")
    return {
        **origin(item, partition),
        **told_interval(ruler),
        "received_at": show(item.received),
        "status": "LATE" if delay else "OK",
        "delay_seconds": delay / SECOND,
        "flags": item.all_flags(flags),
        "watermark": show(watermark),
        **({} if item.region is None else {"region": item.region}),
        **{name: item.body[name] for name in optional if item.body.get(name) is not None},
        **({} if register is None else {"energy_register_kwh": register}),
        **({"energy_from": show(item.since)} if "GAP_ENERGY" in flags and item.since is not None else {}),
    }


def late_event(
    item: Item, partition: int, flags: set[str], delay: int, watermark: int, policy: Any
) -> dict[str, Any]:
    return {
        **origin(item, partition),
        "delay_seconds": delay / SECOND,
        "watermark": show(watermark),
        "allowed_lateness_seconds": policy.allowed_lateness / SECOND,
        "flags": item.all_flags(flags),
    }


def gap_alert(
    name: str,
    gap: Gap,
    revision: int,
    origin: tuple[int, int, int],
    last_seen: int,
    region: str | None,
    grace: int,
) -> dict[str, Any]:
    """`origin`: partition, offset, and the record's timestamp."""
    missing = [] if gap.state == "RETRACTED" else gap.missing()
    partition, offset, received = origin
    return {
        "gap_id": f"{name}@{show(gap.first)}",
        "meter_id": name,
        "revision": revision,
        "state": gap.state,
        "missing_from": show(gap.first),
        "missing_to": show(gap.last + grace if gap.state == "OPEN" else gap.end_of(gap.last)),
        "missing_intervals": len(missing),
        "missing_ranges": [[show(start), show(end)] for start, end in (gap.ranges() if missing else [])],
        "filled_intervals": 0 if gap.state == "RETRACTED" else gap.filled(),
        "gap_minutes": sum(gap.end_of(slot) - slot for slot in missing) / MINUTE,
        **told_interval(gap.ruler),
        "received_at": show(received),
        "expected_at": show(gap.first),
        "detected_at": show(gap.detected),
        "last_seen": show(last_seen),
        "grace_seconds": grace / SECOND,
        "region": region,
        "reason": gap.reason(),
        "partition": partition,
        "offset": offset,
    }


def dead_letter(
    record: Record,
    partition: int,
    index: int,
    bad: list[tuple[str, str | None]],
    raw: bytes,
    meter_id: object,
) -> dict[str, Any]:
    text, encoding = judging.printable(raw)
    return {
        "id": f"smartmeter_raw-{partition}-{record.offset}-{index}",
        "reasons": list(dict.fromkeys(reason for reason, _ in bad)),
        "field": bad[0][1],
        "raw": text,
        "raw_encoding": encoding,
        "raw_size": len(raw),
        "raw_truncated": len(raw) > 64 * 1024,
        "topic": "smartmeter_raw",
        "partition": partition,
        "offset": record.offset,
        "index": index,
        "record_timestamp": show(record.timestamp),
        "meter_id": meter_id if isinstance(meter_id, str) else None,
    }
