"""The contract's "Semantics pinned", implemented slowly: one partition's log in, every output record in order
out.

Written from the contract alone. Nothing is clever here: every reading of every meter is stored, every due
meter is found by looking at all of them. Durations and times are microseconds, outputs plain dicts in wire
shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

from tests.model import judging, wire
from tests.model.meters import LONG_RUN, PHASE_RUN, SHORT_RUN, Gap, Meter, Stretch, round_half_up, tolerance
from tests.model.stamps import DAY, MINUTE, BadStampError, both, parse
from tests.model.windows import Windows
from tests.model.wire import Item, Record

ENDED = ("CLOSED", "PARTIAL", "FILLED")


class Reference:
    """One raw partition from its first record on."""

    def __init__(self, policy: Any, partition: int) -> None:
        self.policy = policy
        self.partition = partition
        self.watermark: int | None = None
        self.meters: dict[str, Meter] = {}
        self.ahead: list[Item] = []
        self.revisions: dict[str, int] = {}
        self.states: dict[str, str] = {}
        self.windows = Windows(policy, partition)
        self.outputs: list[tuple[str, dict[str, Any]]] = []
        self.offset = 0

    def run(self, records: Iterable[Record]) -> list[tuple[str, dict[str, Any]]]:
        """All outputs of these records: (kind, record) in the order of emission."""
        for record in records:
            self.offset = record.offset
            if record.tick:
                self.tick(record)
            else:
                items, reason = judging.elements(record.value, self.policy.max_record_bytes)
                if reason:
                    self.refuse(record, 0, [(reason, None)], record.value or b"", None)
                array = reason is None and record.value is not None and record.value.strip()[:1] == b"["
                for index, item in enumerate(items):
                    self.element(record, index, item, array)
        return self.outputs

    # -- one element ----------------------------------------------------------------------------------------

    def element(self, record: Record, index: int, body: Any, array: bool) -> None:
        bad = judging.judge(body, self.policy, self.partition, record.timestamp)
        if bad:
            raw = json.dumps(body).encode() if array else record.value or b""
            known = body.get("meter_id") if isinstance(body, dict) else None
            if not judging.sound_meter_id(known, self.policy.max_meter_id_bytes):
                known = None
            self.refuse(record, index, bad, raw, known)
            return
        time, ambiguous = parse(body["timestamp"], self.policy.timezone)
        if ambiguous:
            time = self.resolved(body, record.timestamp)
        given = body.get("interval_minutes")
        interval = None if given is None else judging.whole_interval(given)
        item = Item(
            record.offset, index, body["meter_id"], time, float(body["consumption_kwh"]), interval,
            body.get("region"), ambiguous, body,
        )  # fmt: skip
        self.reading(item)

    def resolved(self, body: Any, now: int) -> int:
        """Rule 13: a stamp that means two instants means the one that the meter's order of arrival leaves."""
        first, second = both(body["timestamp"], self.policy.timezone)
        meter = self.meters.get(body["meter_id"])
        if meter is None or meter.last_seen < first or second - now > self.policy.max_future_skew:
            return first
        heard = dict(meter.readings)
        remembered = self.watermark is None or first >= self.watermark - self.policy.allowed_lateness
        if remembered and {first, second} <= heard.keys():
            kwh = float(body["consumption_kwh"])
            if heard[first] == kwh != heard[second]:
                return first
        return second

    def refuse(self, record: Record, index: int, bad: list[Any], raw: bytes, meter_id: object) -> None:
        if not record.tick:
            self.windows.undated("readings_received", 1)
            self.windows.undated("readings_invalid", 1)
        self.emit("dead_letter", wire.dead_letter(record, self.partition, index, bad, raw, meter_id))

    def reading(self, item: Item) -> None:
        """One step: classify, apply, raise the watermark, settle, emit."""
        before = self.watermark
        reach = item.time - self.policy.max_out_of_orderness
        if before is not None and reach - before > self.policy.max_watermark_jump:
            self.far_ahead(item)
            return
        if before is None:
            self.watermark = reach
            self.windows.begin(reach)
        delay = max(0, (reach if before is None else before) - item.time)
        if delay > self.policy.allowed_lateness:
            self.too_late(item, delay)
            self.close_step(None)
            return
        flags = self.apply(item, delay > 0)
        if flags is None:
            self.windows.count(item.time, "readings_received", 1)
            self.windows.count(item.time, "readings_duplicate", 1)
            return
        self.validated(item, flags, delay, reach if before is None else before)
        self.close_step(reach)

    def tick(self, record: Record) -> None:
        value = record.value or b""
        reason = None
        try:
            instant, _ = parse(value.decode(), self.policy.timezone)
            if instant - record.timestamp > self.policy.max_future_skew:
                reason = "FUTURE_TIMESTAMP"
        except (UnicodeDecodeError, BadStampError):
            reason = "BAD_TIMESTAMP"
        if reason:
            self.refuse(record, 0, [(reason, None)], value, None)
            return
        if self.watermark is None:
            self.watermark = instant
            self.windows.begin(instant)
        self.close_step(instant)

    def far_ahead(self, item: Item) -> None:
        """Jump guard: held until another meter, or a tick, has come that far."""
        assert self.watermark is not None
        self.validated(item, {"AHEAD"}, 0, self.watermark)
        for place, held in enumerate(self.ahead):
            if (held.meter_id, held.time) == (item.meter_id, item.time):
                self.windows.count(item.time, "consumption_kwh", -held.kwh)
                self.ahead[place] = item
                break
        else:
            self.ahead = [*self.ahead, item][-self.policy.max_held :]
        others = [held.time for held in self.ahead if held.meter_id != item.meter_id]
        if others:
            self.close_step(min(item.time, max(others)) - self.policy.max_out_of_orderness)

    def too_late(self, item: Item, delay: int) -> None:
        assert self.watermark is not None
        flags = item.own_flags()
        meter = self.known(item.meter_id)
        if meter is not None:
            meter.late_count += 1
            slot = meter.slot_of(item.time)
            since = self.watermark - max(self.policy.gap_memory, self.policy.allowed_lateness)
            if slot is not None and any(gap.slots.get(slot) for gap in meter.gaps):
                meter.fill(slot, item.time)
            elif not meter.remembers(item.time, since):
                flags.add("UNCLEAR")
            elif slot is None:
                flags.add("OFF_GRID")
            elif slot in meter.filled:
                flags.add("SLOT_FILLED")
        self.windows.undated("readings_received", 1)
        self.windows.undated("readings_too_late", 1)
        event = wire.late_event(item, self.partition, flags, delay, self.watermark, self.policy)
        self.emit("late_event", event)

    # -- a meter takes a reading ----------------------------------------------------------------------------

    def apply(self, item: Item, late: bool, held: bool = False) -> set[str] | None:
        """What the reading does to its meter, and its flags; None for a duplicate."""
        meter = self.known(item.meter_id)
        self.windows.active(item.time, item.meter_id)
        if meter is None:
            interval = item.interval or self.policy.default_interval
            meter = Meter(item.meter_id, [Stretch(item.time, interval)], item.time, item.region)
            meter.given, meter.changed_at = item.interval is not None, item.time
            meter.late_count = int(late)
            meter.readings.append((item.time, item.kwh))
            meter.fill(item.time, item.time)
            self.meters[item.meter_id] = meter
            return {"FIRST"}
        earlier = [kwh for time, kwh in meter.readings if time == item.time]
        if earlier and held:
            self.windows.count(item.time, "consumption_kwh", -item.kwh)
            return None
        if earlier and earlier[-1] == item.kwh:
            return None
        meter.late_count += late
        if item.region is not None and item.time >= meter.last_seen:
            meter.region = item.region
        meter.readings.append((item.time, item.kwh))
        flags = {"REVISED"} if earlier else set()
        if earlier:
            self.windows.count(item.time, "consumption_kwh", -earlier[-1])
        slot = meter.slot_of(item.time)
        if slot is None:
            flags.add("OFF_GRID")
        elif slot < meter.stretches[0].start:
            if any(meter.slot_of(time) == slot for time, _ in meter.readings[:-1] if time != item.time):
                flags.add("EXTRA")
        elif slot not in meter.filled:
            meter.fill(slot, item.time)
        elif not earlier:
            flags.add("EXTRA")
        before, meter.last_seen = meter.last_seen, max(meter.last_seen, item.time)
        if item.interval is not None and item.time >= before:
            if self.give(meter, item.time, item.interval):
                return (flags - {"OFF_GRID", "EXTRA"}) | {"INTERVAL_CHANGED"}
        elif not meter.given and item.time > before and self.learn(meter, before, item.time):
            return flags | {"INTERVAL_CHANGED"}
        if not earlier:
            self.stray(meter, item.time, slot)
        return flags

    def known(self, meter_id: str) -> Meter | None:
        """The meter, without the gaps that are remembered no longer."""
        meter = self.meters.get(meter_id)
        if meter is not None and self.watermark is not None:
            meter.forget(self.watermark, self.policy.gap_memory, self.policy.max_remembered_gaps)
        return meter

    def give(self, meter: Meter, stamp: int, interval: int) -> bool:
        """Rule 8: a given interval wins from its reading on, and there is no learning any more."""
        meter.given, meter.steps = True, []
        if interval == meter.interval:
            return False
        meter.lay_from(stamp, interval)
        return True

    def learn(self, meter: Meter, before: int, now: int) -> bool:
        """Rule 8: from the differences of successive new `last_seen` values."""
        minutes = round_half_up(now - before, MINUTE)
        if minutes * MINUTE == meter.interval or not MINUTE <= minutes * MINUTE <= DAY:
            meter.steps = []
            return False
        if meter.steps and meter.steps[-1][0] != minutes:
            meter.steps = []
        meter.steps.append((minutes, before))
        shrinks = minutes * MINUTE < meter.interval
        if len(meter.steps) < (SHORT_RUN if shrinks else LONG_RUN):
            return False
        if shrinks:
            meter.lay_from(meter.steps[0][1], minutes * MINUTE)
        else:
            assert self.watermark is not None
            slot = meter.slot_of(now)
            meter.grow(now if slot is None else slot, minutes * MINUTE, self.watermark)
        return True

    def stray(self, meter: Meter, stamp: int, slot: int | None) -> None:
        """Rule 2: three off-grid readings in a row of one phase move the grid to that phase."""
        if slot is not None:
            meter.astray = []
            return
        if meter.astray:
            apart = (stamp - meter.astray[0]) % meter.interval
            if min(apart, meter.interval - apart) > tolerance(meter.interval):
                meter.astray = []
        meter.astray.append(stamp)
        if len(meter.astray) == PHASE_RUN:
            meter.lay_from(meter.astray[0], meter.interval)

    # -- the end of a step ----------------------------------------------------------------------------------

    def close_step(self, reach: int | None) -> None:
        """Raise the watermark, apply the held readings up to there, settle what is due, one revision a
        gap."""
        assert self.watermark is not None
        if reach is not None:
            self.watermark = max(self.watermark, reach)
        now = self.watermark
        self.windows.move(now)
        ready = [item for item in self.ahead if item.time - self.policy.max_out_of_orderness <= now]
        self.ahead = [item for item in self.ahead if item not in ready]
        for item in ready:
            self.apply(item, late=False, held=True)
        due = sorted((at, name) for name, meter in self.meters.items() if (at := self.due(meter)) <= now)
        touched = sorted(name for name, meter in self.meters.items() if meter.touched)
        settled = [name for _, name in due]
        order = [name for name in touched if name not in settled] + settled
        for name in order:
            meter = self.meters[name]
            self.settle(meter)
            self.emit_gaps(meter)
            if meter.last_seen + self.policy.state_ttl <= now:
                del self.meters[name]
        for metric in self.windows.crossed(now):
            self.emit("metric", metric)

    def due(self, meter: Meter) -> int:
        return int(min(next(meter.waiting()) + self.policy.grace, meter.last_seen + self.policy.state_ttl))

    def settle(self, meter: Meter) -> None:
        now = self.watermark
        assert now is not None
        for slot in list(takewhile(lambda slot: slot + self.policy.grace <= now, meter.waiting())):
            interval = next(s.interval for s in reversed(meter.stretches) if s.start <= slot)
            meter.call_missing(slot, interval, now)
            self.windows.undated("missing_intervals", 1)
        gap = meter.open_gap()
        if gap is not None and meter.last_seen + self.policy.state_ttl <= now:
            gap.state = "EXPIRED"
            meter.touched.add(gap.first)

    def emit_gaps(self, meter: Meter) -> None:
        for first in sorted(meter.touched):
            gap = next((gap for gap in meter.gaps if gap.first == first), None) or meter.retracted[first]
            self.alert(meter, gap)
        meter.touched, meter.retracted = set(), {}
        assert self.watermark is not None
        meter.forget(self.watermark, self.policy.gap_memory, self.policy.max_remembered_gaps)

    def alert(self, meter: Meter, gap: Gap) -> None:
        name = meter.name(gap.first)
        if name not in self.states:
            self.windows.undated("gaps_opened", 1)
        if gap.state in ENDED and self.states.get(name, "OPEN") == "OPEN":
            self.windows.undated("gaps_closed", 1)
        self.states[name] = gap.state
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        alert = wire.gap_alert(meter, gap, revision, self.policy, self.partition, self.offset)
        self.emit("gap_alert", alert)

    def validated(self, item: Item, flags: set[str], delay: int, watermark: int) -> None:
        meter = self.meters.get(item.meter_id)
        interval = meter.interval if meter else self.policy.default_interval
        if "AHEAD" in flags and item.interval is not None:
            interval = item.interval
        self.windows.count(item.time, "readings_received", 1)
        self.windows.count(item.time, "readings_validated", 1)
        self.windows.count(item.time, "consumption_kwh", item.kwh)
        if delay:
            self.windows.count(item.time, "readings_late", 1)
        if "REVISED" in flags:
            self.windows.count(item.time, "readings_revised", 1)
        flags = flags | item.own_flags()
        self.emit("validated", wire.validated(item, self.partition, flags, delay, watermark, interval))

    def emit(self, kind: str, record: dict[str, Any]) -> None:
        self.outputs.append((kind, record))
