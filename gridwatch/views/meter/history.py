"""A meter's last readings with what was said of them, from the ends of the output topics.

The state remembers the values of about an hour, and not which of them were late. The log has both. So a
meter's page looks through the last records of its partition: of a hundred meters that is weeks, of a million
some minutes. From when on nothing can be missing is told, so that an empty stretch is never mistaken for
silence.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.meter.timeliness import TOO_LATE
from gridwatch.http.reply import Problem
from gridwatch.models.late_event import LateEvent
from gridwatch.models.validated import Validated
from gridwatch.topics import LATE_EVENTS, VALIDATED
from gridwatch.views.log_tail import LogTail, Stretch
from gridwatch.views.state import Record

#: Records of the partition that are looked through.
LOOKED_THROUGH = {VALIDATED.name: 20_000, LATE_EVENTS.name: 2_000}
#: How long one look serves everybody, seconds; and how many meters' looks are kept.
HOLDS_SECONDS = 4.0
KEPT = 32

_validated = msgspec.json.Decoder(Validated).decode
_late_event = msgspec.json.Decoder(LateEvent).decode


@dataclass(frozen=True)
class History:
    """Readings in order of time, and the instant (µs) from which on there are no others; None if unknown."""

    readings: list[Record] = field(default_factory=list)
    whole_from: int | None = None
    problem: str = ""


class Histories:
    """Looks them up; one meter's is shared by all who look at it.

    Args:
        slack: how far the watermark stays behind the highest event time, µs.
    """

    def __init__(self, tail: LogTail, slack: int) -> None:
        self._tail = tail
        self._slack = slack
        self._known: dict[str, tuple[float, History]] = {}

    async def of(self, meter_id: str, partition: int) -> History:
        """The history of a meter; without brokers an empty one that says why."""
        asked, known = self._known.pop(meter_id, (0.0, History()))
        if not asked or time.monotonic() - asked > HOLDS_SECONDS:
            try:
                known = await self._look(meter_id, partition)
            except Problem as problem:
                known = History(problem=problem.reasons[0])
            asked = time.monotonic()
        self._known[meter_id] = asked, known
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return known

    async def _look(self, meter_id: str, partition: int) -> History:
        key = meter_id.encode()
        found: dict[str, Record] = {}
        whole_from: int | None = None
        for topic, most in LOOKED_THROUGH.items():
            tail = await self._tail.read(topic, {partition: Stretch(most)}, lambda one: one == key)
            for record in tail.records:
                reading = reading_of(topic, record.value)
                if reading is not None:
                    # What was said twice has the same stamp; a revision stands for what it revised.
                    found[reading["timestamp"]] = reading
            first = tail.first.get(partition)
            if topic == VALIDATED.name and first is not None:
                whole_from = self._whole_from(first.offset, first.value)
        readings = sorted(found.values(), key=lambda one: parse_instant(one["timestamp"])[0])
        return History(readings, whole_from)

    def _whole_from(self, offset: int, value: bytes) -> int | None:
        """Readings before the first one looked at were no later than what its watermark had seen."""
        if not offset:
            return 0
        try:
            return parse_instant(_validated(value).watermark)[0] + self._slack
        except msgspec.MsgspecError:
            return None


def reading_of(topic: str, value: bytes) -> Record | None:
    """A record of the validated or the late topic as a reading; None for what neither can hold."""
    try:
        said: Any = _validated(value) if topic == VALIDATED.name else _late_event(value)
    except msgspec.MsgspecError:
        return None
    return {
        "timestamp": said.timestamp,
        "consumption_kwh": said.consumption_kwh,
        "status": said.status if topic == VALIDATED.name else TOO_LATE,
        "delay_seconds": said.delay_seconds,
        "flags": list(said.flags),
    }
