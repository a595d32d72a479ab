"""Reads a meter's last readings and their status from the ends of the output topics.

The state holds the values of about an hour, and not which of them were late. The log has both. So a meter's
page scans the last records of its partition: with a hundred meters that is weeks, with a million some
minutes. The history says from which instant on it is complete, so that missing history is never mistaken for
a silent meter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.meter.timeliness import TOO_LATE
from gridwatch.http.reply import Problem
from gridwatch.models.late_event import LateEvent
from gridwatch.models.validated import Validated
from gridwatch.topics import LATE_EVENTS, SMARTMETER, VALIDATED, Flow, Topic
from gridwatch.views.log_tail import LogTail, OffsetRange
from gridwatch.views.meter.recent import Recent
from gridwatch.views.state import Record

#: Records scanned in the partition, by topic; another flow has topics of its own.
SCANNED_RECORDS = {VALIDATED.name: 20_000, LATE_EVENTS.name: 2_000}

_validated = msgspec.json.Decoder(Validated).decode
_late_event = msgspec.json.Decoder(LateEvent).decode


@dataclass(frozen=True)
class History:
    """Readings in order of time, and the instant (µs) from which on they are complete; None if unknown."""

    readings: list[Record] = field(default_factory=list)
    complete_from: int | None = None
    problem: str = ""


class Histories:
    """Reads histories.

    Args:
        slack: highest event time minus watermark (`max_out_of_orderness`), µs.
    """

    def __init__(self, tail: LogTail, slack: int, flow: Flow = SMARTMETER) -> None:
        self._tail = tail
        self._slack = slack
        self._flow = flow
        self._recent = Recent(self._read_if_possible)

    async def of(self, meter_id: str, partition: int) -> History:
        """The history of a meter; an empty one with the reason when the brokers do not answer."""
        return await self._recent.of(meter_id, partition)

    async def _read_if_possible(self, meter_id: str, partition: int) -> History:
        try:
            return await self._read(meter_id, partition)
        except Problem as problem:
            return History(problem=problem.reasons[0])

    async def _read(self, meter_id: str, partition: int) -> History:
        key = meter_id.encode()
        found: dict[str, Record] = {}
        complete_from: int | None = None
        for topic in (VALIDATED, LATE_EVENTS):
            wanted = {partition: OffsetRange(SCANNED_RECORDS[topic.name])}
            tail = await self._tail.read(self._flow.of(topic).name, wanted, lambda one: one == key)
            for record in tail.records:
                reading = reading_of(topic, record.value)
                if reading is not None:
                    # Repeated records have the same timestamp; a revision replaces the value it revised.
                    found[reading["timestamp"]] = reading
            first = tail.first.get(partition)
            if topic is VALIDATED and first is not None:
                complete_from = self._complete_from(first.offset, first.value)
        readings = sorted(found.values(), key=lambda one: parse_instant(one["timestamp"])[0])
        return History(readings, complete_from)

    def _complete_from(self, offset: int, value: bytes) -> int | None:
        """Records before the first scanned one have timestamps up to its watermark plus the slack."""
        if not offset:
            return 0
        try:
            return parse_instant(_validated(value).watermark)[0] + self._slack
        except msgspec.MsgspecError:
            return None


def reading_of(topic: Topic, value: bytes) -> Record | None:
    """A record of the validated or the late topic as a reading; None if it cannot be decoded."""
    try:
        decoded: Any = _validated(value) if topic is VALIDATED else _late_event(value)
    except msgspec.MsgspecError:
        return None
    return {
        "timestamp": decoded.timestamp,
        "consumption_kwh": decoded.consumption_kwh,
        "status": decoded.status if topic is VALIDATED else TOO_LATE,
        "delay_seconds": decoded.delay_seconds,
        "flags": list(decoded.flags),
    }
