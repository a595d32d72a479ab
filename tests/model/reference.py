"""The contract's "Semantics pinned", implemented slowly: one partition's log in, every output record in order
out.

Written from the contract alone. Nothing is clever here: every reading of every meter is stored, every due
meter is found by looking at all of them. Durations and times are microseconds, outputs plain dicts in wire
shape.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from fractions import Fraction
from itertools import takewhile
from typing import Any

from tests.model import control_judging, energy, judging, wire
from tests.model.anomalies.steps import Anomalies
from tests.model.consumption.steps import Consumption
from tests.model.control_judging import Entry, Outage
from tests.model.meters import (
    LONG_RUN,
    PHASE_RUN,
    SHORT_RUN,
    Gap,
    Known,
    Meter,
    Stretch,
    round_half_up,
    tolerance,
)
from tests.model.registry import Outages, Registration, Since, places
from tests.model.rulers import NEAR, Ruler, has_changes, wall_minute
from tests.model.stamps import DAY, HOUR, MINUTE, SECOND, BadStampError, both, parse
from tests.model.windows import Windows
from tests.model.wire import Item, Record

ENDED = ("CLOSED", "PARTIAL", "FILLED")


def rounded(span: int) -> int:
    """As an interval is learned: whole seconds below a minute, whole minutes above."""
    unit = SECOND if span < MINUTE else MINUTE
    return round_half_up(span, unit) * unit


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
        self.offset = self.received = 0
        self.end: int | None = None  # of a replay that is settled: what comes after it is not missing yet
        self.bases: dict[str, energy.Base] = {}  # they outlive their meters
        self.new_missing = 0
        self.by_ticks = 0  # how far ticks have raised the watermark since
        self.registrations: dict[str, Registration] = {}
        self.outages = Outages()
        self.consumption = Consumption(self)
        self.anomalies = Anomalies(self)

    def run(self, records: Iterable[Record]) -> list[tuple[str, dict[str, Any]]]:
        """All outputs of these records: (kind, record) in the order of emission."""
        for record in records:
            self.offset, self.received = record.offset, record.timestamp
            if record.control is not None:
                self.control(record, record.control)
            elif record.tick:
                self.tick(record)
            else:
                items, reason = judging.elements(record.value, self.policy.max_record_bytes)
                if reason:
                    self.refuse(record, 0, [(reason, None)], record.value or b"", None)
                array = reason is None and record.value is not None and record.value.strip()[:1] == b"["
                for index, item in enumerate(items):
                    self.element(record, index, item, array)
        return self.outputs

    def begin(self, watermark: int) -> None:
        """The first watermark."""
        self.watermark = watermark
        self.windows.begin(watermark)
        self.consumption.begin(watermark)

    def now(self) -> int:
        assert self.watermark is not None
        return self.watermark

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
        ruler, source = judging.given_interval(body, self.policy.timezone), self.source_of(body)
        item = Item(
            record.offset, index, body["meter_id"], time, 0.0, ruler,
            self.region_of(body["meter_id"], time, body.get("region")), ambiguous, body,
            record.timestamp, float(body[source]), source,
        )  # fmt: skip
        if source in energy.ENERGY:
            item.kwh = item.value
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
            value = float(body[self.source_of(body)])
            if heard[first] == value != heard[second]:
                return first
        return second

    def source_of(self, body: Any) -> str:
        applied = self.applied(body["meter_id"])
        mode = applied.energy_mode if applied else None
        return energy.source_by_mode(body, mode, self.policy) or ""

    def applied(self, meter_id: str) -> Entry | None:
        """The registry's entry that is applied to the meter."""
        registration = self.registrations.get(meter_id)
        return registration.applied if registration else None

    def refuse(self, record: Record, index: int, bad: list[Any], raw: bytes, meter_id: object) -> None:
        if not record.tick and record.control is None:
            self.windows.undated("readings_received", 1)
            self.windows.undated("readings_invalid", 1)
        self.emit("dead_letter", wire.dead_letter(record, self.partition, index, bad, raw, meter_id))

    def reading(self, item: Item) -> None:
        """One step: classify, apply, raise the watermark, settle, emit."""
        before = self.watermark
        reach = item.time - self.policy.max_out_of_orderness
        if before is not None and reach - before > self.jump(item):
            self.far_ahead(item)
            return
        if before is None:
            self.begin(reach)
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

    def jump(self, item: Item) -> int:
        """The jump guard: two intervals of the meter at least."""
        meter = self.meters.get(item.meter_id)
        known = meter.ruler if meter else Ruler(self.policy.default_interval)
        ruler = self.by_registry(item.meter_id) or item.ruler or known
        return int(max(self.policy.max_watermark_jump, 2 * ruler.interval))

    def by_registry(self, meter_id: str) -> Ruler | None:
        applied = self.applied(meter_id)
        return applied.ruler if applied else None

    # -- control records ------------------------------------------------------------------------------------

    def control(self, record: Record, kind: str) -> None:
        found, bad, meter_id = control_judging.judge(
            kind, record.version, record.value, self.policy, self.partition, record.timestamp
        )
        if found is None:
            self.refuse(record, 0, bad, record.value or b"", meter_id)
            return
        if self.watermark is None:
            self.begin(record.timestamp if found.as_of is None else found.as_of)
        if isinstance(found, Entry):
            registration = self.registrations.setdefault(found.meter_id, Registration(found.meter_id))
            if found.version > registration.version:
                registration.add(found, self.now())
        elif isinstance(found, Outage):
            self.outages.add(found, self.now())
        else:
            self.consumption.regional.learn(found)
        self.close_step(None)

    def take_turn(self, registration: Registration, one: Since) -> None:
        """An entry begins to hold."""
        name, entry, before = registration.meter_id, one.entry, registration.applied
        meter = self.meters.get(name)
        was_expected, was_watched = registration.expected(), registration.watched()
        one.taken, registration.applied = True, entry
        if was_expected and not registration.expected():
            self.expect_nothing(registration, "REMOVED" if entry.status == "removed" else "NOT_INSTALLED")
        if not was_expected and registration.expected():
            registration.resumed = one.since
        if meter is not None and not was_expected and registration.expected():
            meter.expected, meter.expected_from = True, one.since
            for slot in list(takewhile(lambda slot: slot < one.since, meter.waiting())):
                meter.passed.add(slot)
        if not was_watched and registration.watched():
            registration.heard = meter is not None
            if meter is None:
                given = [at for at in (entry.installed_at, entry.as_of, entry.valid_from) if at is not None]
                registration.watch_from = max(given, default=one.since)
        if meter is None:
            return
        if entry.ruler is not None:
            meter.given = meter.registered = True
            meter.steps = []
            if entry.ruler != meter.ruler:
                start = self.first_of_new(meter, entry.ruler, one.since)
                meter.lay_from(start, entry.ruler)
                self.forget_grids(meter)
        elif before is not None and before.ruler is not None:
            meter.given = meter.registered = False
            meter.steps = []
        meter.grace = entry.grace
        if entry.region is not None:
            meter.region = entry.region

    def forget_grids(self, meter: Meter) -> None:
        if meter.regridded:
            meter.forget_grids(self.now() - max(self.policy.gap_memory, self.policy.allowed_lateness))

    def first_of_new(self, meter: Meter, ruler: Ruler, since: int) -> int:
        """Where the grid that an entry gives begins."""
        if ruler.unit is not None:
            return ruler.first_from(since)
        return since + (meter.last_slot - since) % ruler.interval

    def expect_nothing(self, registration: Registration, why: str) -> None:
        """Its open gap is taken back, and from now on nothing is missing."""
        meter = self.meters.get(registration.meter_id)
        if registration.gap is not None:
            gap, registration.gap = registration.gap, None
            gap.state, gap.why = "RETRACTED", why
            registration.taken_back.append(gap)
        if meter is not None:
            meter.expected = False
            open_gap = meter.open_gap()
            if open_gap is not None:
                meter.gaps.remove(open_gap)
                meter.touched.add(open_gap.first)
                meter.passed |= set(open_gap.missing())
                meter.take_back(open_gap, why)

    def watch(self, registration: Registration) -> Gap | None:
        """The gap of a meter that was never heard for too long, if it begins now."""
        applied, now = registration.applied, self.watermark
        assert now is not None
        name = registration.meter_id
        idle = registration.heard or registration.gap is not None or name in self.meters
        if applied is None or idle or not registration.watched():
            return None
        ruler = applied.ruler or Ruler(self.policy.default_interval)
        grace = int(self.policy.grace_of(ruler.interval)) if applied.grace is None else applied.grace
        first = registration.watch_from if ruler.unit is None else ruler.first_from(registration.watch_from)
        until = registration.watch_from + self.policy.never_heard_after
        passed = now if self.end is None else min(now, self.end)
        if passed < max(until, ruler.after(first, first) + grace):
            return None
        slots = [first]
        while ruler.after(first, slots[-1]) < until:
            slots.append(ruler.after(first, slots[-1]))
        gap = Gap(ruler, dict.fromkeys(slots, True), now, never_heard=True)
        gap.planned = all(self.planned(name, slot, ruler, applied.region) for slot in slots)
        registration.gap = gap
        self.new_missing += len(slots)
        self.count_missing()
        return gap

    def planned(self, name: str, slot: int, ruler: Ruler, region: str | None) -> bool:
        """Whether the beginning of what a slot covers lies in a planned outage or a suspension."""
        registration = self.registrations.get(name)
        begin = slot if self.anchor(name) == "start" else ruler.before(slot)
        entry = registration.at(begin) if registration else None
        if entry is not None and entry.status == "suspended":
            return True
        return self.outages.cover(begin, places(name, registration, begin, region))

    def anchor(self, name: str) -> str:
        applied = self.applied(name)
        return str(applied.anchor if applied and applied.anchor else self.policy.anchor)

    def lag(self, meter: Meter) -> int:
        """How long before its stamp the time that a reading covers begins."""
        at_end = meter.settled(self.policy) and self.anchor(meter.meter_id) == "end"
        return meter.interval if at_end else 0

    def reach(self, meter: Meter) -> int:
        """The longest that it can have been for the readings of a meter."""
        at_end = self.anchor(meter.meter_id) == "end"
        return max(grid.ruler.interval for grid in meter.known) if at_end else 0

    def hear(self, meter: Meter, stamp: int) -> None:
        """The first accepted reading of a meter that is registered."""
        registration = self.registrations.get(meter.meter_id)
        if registration is None:
            return
        registration.heard = True
        gap, registration.gap = registration.gap, None
        if gap is None:
            return
        gap.slots = {
            slot: still for slot, still in gap.slots.items() if slot < stamp - tolerance(gap.interval)
        } or gap.slots
        meter.touched.add(gap.first)
        if gap.first < stamp - tolerance(gap.interval):
            gap.state = gap.ended_state()
            meter.gaps.append(gap)
        else:
            meter.take_back(gap)

    def region_of(self, meter_id: str, stamp: int, own: str | None) -> str | None:
        registration = self.registrations.get(meter_id)
        entry = registration.at(stamp) if registration else None
        return entry.region if entry is not None and entry.region is not None else own

    def tick(self, record: Record) -> None:
        value = record.value or b""
        reason = None
        try:
            instant, _ = parse(value.decode(), self.policy.timezone)
            end = None if record.end is None else parse(record.end.decode(), self.policy.timezone)[0]
            if instant - record.timestamp > self.policy.max_future_skew:
                reason = "FUTURE_TIMESTAMP"
        except (UnicodeDecodeError, BadStampError):
            reason = "BAD_TIMESTAMP"
        if reason:
            self.refuse(record, 0, [(reason, None)], value, None)
            return
        if self.watermark is None:
            self.begin(instant)
        self.end = self.end if end is None else end
        self.by_ticks = max(self.now(), instant)
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
            self.ahead = [*self.ahead, item]
        others = [held.time for held in self.ahead if held.meter_id != item.meter_id]
        if others:
            self.close_step(min(item.time, max(others)) - self.policy.max_out_of_orderness)
        self.ahead = self.ahead[-self.policy.max_held :]

    def too_late(self, item: Item, delay: int) -> None:
        assert self.watermark is not None
        flags = item.own_flags()
        meter = self.known(item.meter_id)
        if meter is not None:
            self.catch_up(meter)
            meter.late_count += 1
            slot = meter.slot_of(item.time)
            since = self.watermark - max(self.policy.gap_memory, self.policy.allowed_lateness)
            if slot is not None and any(gap.slots.get(slot) for gap in meter.gaps):
                meter.fill(slot, item.time)
            elif (unheard := meter.slot_unheard(item.time)) is not None:
                meter.fill(unheard, item.time)
            elif not meter.remembers(item.time, since):
                flags.add("UNCLEAR")
            elif slot is None:
                flags.add("OFF_GRID")
            elif slot in meter.filled or slot in meter.passed:
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
            meter = self.new_meter(item)
            meter.late_count = int(late)
            self.hear(meter, item.time)
            flags = {"FIRST"}
            if held:
                meter.energies[item.time] = Fraction(item.kwh)
            else:
                flags |= self.measure(meter, item, first=True)
            self.accepted(meter, item, flags, (meter.changed_at, meter.interval))
            return flags
        earlier = [value for time, value in meter.readings if time == item.time]
        if earlier and held:
            self.windows.count(item.time, "consumption_kwh", -item.kwh)
            return None
        if earlier and earlier[-1] == item.value:
            return None
        if late or (not held and self.is_behind(meter, item.time)):
            self.catch_up(meter)
        meter.late_count += late
        applied = self.applied(item.meter_id)
        by_registry = applied is not None and applied.region is not None
        if item.region is not None and item.time >= meter.last_seen and not by_registry:
            meter.region = item.region
        meter.readings.append((item.time, item.value))
        flags = {"REVISED"} if earlier else set()
        if earlier:
            self.windows.count(item.time, "consumption_kwh", -float(meter.energies[item.time]))
        slot = meter.slot_of(item.time)
        missing: tuple[int, int] | None = None  # a slot of the time when it had never been heard
        if slot is None:
            flags.add("OFF_GRID")
        elif slot < meter.stretches[0].start:
            unheard = meter.slot_unheard(item.time)
            if unheard is not None:
                missing = unheard, next(gap.interval for gap in meter.gaps if unheard in gap.slots)
                meter.fill(unheard, item.time)
            elif any(meter.slot_of(time) == slot for time, _ in meter.readings[:-1] if time != item.time):
                flags.add("EXTRA")
        elif slot not in meter.filled and slot not in meter.passed:
            meter.fill(slot, item.time)
        elif not earlier and self.is_extra(meter, slot, item.time):
            flags.add("EXTRA")
        before, meter.last_seen = meter.last_seen, max(meter.last_seen, item.time)
        if item.ruler is not None and item.time >= before and not meter.registered:
            if self.give(meter, item.time, item.ruler):
                flags = (flags - {"OFF_GRID", "EXTRA"}) | {"INTERVAL_CHANGED"}
        elif not meter.given and item.time > before and self.learn(meter, before, item.time):
            flags |= {"INTERVAL_CHANGED"}
        if not earlier and "INTERVAL_CHANGED" not in flags:
            self.stray(meter, item.time, slot)
        if held:
            meter.energies[item.time] = Fraction(item.kwh)
        else:
            flags |= self.measure(meter, item, first=not earlier, in_order=item.time > before)
        self.forget_grids(meter)
        if missing is None and not flags & {"EXTRA", "OFF_GRID", "REVISED"}:
            missing = self.slot_filled(meter, item.time)
        self.accepted(meter, item, flags, missing)
        return flags

    def accepted(self, meter: Meter, item: Item, flags: set[str], slot: tuple[int, int] | None) -> None:
        self.consumption.accepted(meter, item, flags, slot)
        self.anomalies.accepted(meter, item, flags, slot)

    def slot_filled(self, meter: Meter, stamp: int) -> tuple[int, int] | None:
        """The slot in which a reading lies, with its interval; None before the first slot."""
        slot = meter.slot_of(stamp)
        if slot is None or slot < meter.known[0].start:
            return None
        return slot, self.interval_at(meter, stamp)

    def new_meter(self, item: Item) -> Meter:
        applied, by_registry = self.applied(item.meter_id), self.by_registry(item.meter_id)
        ruler = by_registry or item.ruler or Ruler(self.policy.default_interval)
        slot = item.time if ruler.unit is None else ruler.nearest(0, item.time)
        meter = Meter(item.meter_id, [Stretch(slot, ruler)], item.time, item.region)
        meter.registered = by_registry is not None
        meter.given = meter.registered or item.ruler is not None
        meter.changed_at = slot
        meter.known = [Known(slot, ruler)]
        if applied is not None:
            meter.grace = applied.grace
            meter.region = item.region if applied.region is None else applied.region
            meter.expected = self.registrations[item.meter_id].expected()
        meter.readings.append((item.time, item.value))
        meter.fill(slot, item.time)
        self.meters[item.meter_id] = meter
        return meter

    def measure(self, meter: Meter, item: Item, first: bool, in_order: bool = True) -> set[str]:
        """The energy of an applied reading, and its flags; `first`: its stamp had no value before."""
        kind, name, policy = item.source, meter.meter_id, self.limits(meter.meter_id)
        base = self.bases.get(name)
        flags: set[str] = set()
        if kind in energy.ENERGY:
            counted = energy.whole(Fraction(item.value))
            meter.energies[item.time] = Fraction(item.value)
            if energy.apart(Fraction(item.value), item.body, meter.interval):
                flags = {"ENERGY_POWER_MISMATCH"}
        elif kind in energy.REGISTER:
            if not first:
                item.kwh = float(energy.whole(meter.energies[item.time]))
                return set()
            base, found = energy.of_register(base, item.time, item.value, meter.interval, policy)
            flags, item.since = found.flags, found.since
            before = self.bases.get(name)
            counted = before is not None and item.time > before.time and not flags
            if counted and energy.apart(found.energy, item.body, meter.interval):
                flags = {"ENERGY_POWER_MISMATCH"}
            self.bases[name] = base
            meter.energies[item.time] = found.energy
            item.kwh = float(found.energy)
            return flags
        else:
            since = self.windows.start_of(self.windows.emitted_until - self.policy.allowed_lateness)
            stamps = [time for time, _ in meter.readings if time < item.time]
            if not in_order:
                stamps = [time for time in stamps if time >= since]
            held = min(item.time - max(stamps), self.interval_at(meter, item.time)) if stamps else 0
            held = meter.interval if meter.given else held
            counted = energy.whole(Fraction(item.value) * held / HOUR)
            meter.energies[item.time] = counted
            item.kwh = float(counted)
        if first and base is not None and item.time > base.time:
            self.bases[name] = energy.Base(item.time, base.value + counted)
        return flags

    def limits(self, meter_id: str) -> Any:
        """The policy with what the registry says of this meter's power and register."""
        applied, policy = self.applied(meter_id), self.policy
        if applied is not None and applied.max_kw is not None:
            policy = dataclasses.replace(policy, max_power_kw=applied.max_kw)
        if applied is not None and applied.register_digits is not None:
            policy = dataclasses.replace(policy, register_digits=applied.register_digits)
        return policy

    def interval_at(self, meter: Meter, stamp: int) -> int:
        return meter.stretch_at(stamp)[0].interval

    def known(self, meter_id: str) -> Meter | None:
        """The meter, without the gaps that are remembered no longer."""
        meter = self.meters.get(meter_id)
        if meter is not None and self.watermark is not None:
            meter.forget(self.watermark, self.policy.gap_memory, self.policy.max_remembered_gaps)
        return meter

    def give(self, meter: Meter, stamp: int, ruler: Ruler) -> bool:
        """Rule 8: a given interval wins from its reading on, and there is no learning any more."""
        meter.given, meter.steps = True, []
        if ruler == meter.ruler:
            return False
        meter.lay_from(stamp if ruler.unit is None else ruler.nearest(0, stamp), ruler)
        return True

    def learn(self, meter: Meter, before: int, now: int) -> bool:
        """Rule 8: from the differences of successive new `last_seen` values."""
        step = rounded(now - before)
        if self.clocks_changed(meter, before, now):
            self.grow(meter, self.midnights().nearest(0, now), self.midnights())
            return True
        if step == rounded(meter.interval) or not SECOND <= step <= DAY:
            meter.steps = []
            return False
        if meter.steps and meter.steps[-1][0] != step:
            meter.steps = []
        meter.steps.append((step, before))
        shrinks = step < meter.interval
        jitter = shrinks and meter.interval <= MINUTE and 4 * (meter.interval - step) <= meter.interval
        if len(meter.steps) < (SHORT_RUN if shrinks and not jitter else LONG_RUN):
            return False
        ruler = Ruler(step)
        if step == DAY and self.at_midnight(now):
            ruler = self.midnights()
        if shrinks:
            start = meter.steps[0][1]
            meter.lay_from(start if ruler.unit is None else ruler.nearest(0, start), ruler)
        elif ruler.unit is None:
            slot = meter.slot_of(now)
            self.grow(meter, now if slot is None else slot, ruler)
        else:
            self.grow(meter, ruler.nearest(0, now), ruler)
        return True

    def midnights(self) -> Ruler:
        return Ruler(DAY, "1d", self.policy.timezone)

    def at_midnight(self, stamp: int) -> bool:
        near = abs(self.midnights().nearest(0, stamp) - stamp) <= NEAR
        return near and has_changes(self.policy.timezone, stamp)

    def clocks_changed(self, meter: Meter, before: int, now: int) -> bool:
        """Whether a meter of 24 hours shows that it goes by the clocks of its zone."""
        zone = self.policy.timezone
        if meter.ruler != Ruler(DAY) or rounded(now - before) not in {23 * HOUR, 25 * HOUR}:
            return False
        return wall_minute(before, zone) == wall_minute(now, zone) and has_changes(zone, now)

    def grow(self, meter: Meter, anchor: int, ruler: Ruler) -> None:
        assert self.watermark is not None
        for slot in meter.grow(anchor, ruler):
            planned = self.planned(meter.meter_id, slot, ruler, meter.region)
            meter.call_missing(slot, self.watermark, planned)

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
            meter.lay_from(meter.astray[0], meter.ruler)

    # -- the end of a step ----------------------------------------------------------------------------------

    def close_step(self, reach: int | None) -> None:
        """Raise the watermark, apply the held readings up to there, settle what is due, one revision a
        gap."""
        assert self.watermark is not None
        if reach is not None:
            self.watermark = max(self.watermark, reach)
        now = self.watermark
        if now > self.by_ticks:  # a reading has raised it
            self.end = None
        self.windows.move(now)
        ready = [item for item in self.ahead if item.time - self.policy.max_out_of_orderness <= now]
        self.ahead = [item for item in self.ahead if item not in ready]
        for item in ready:
            self.apply(item, late=False, held=True)
        names = {name for name, meter in self.meters.items() if meter.touched or self.works(meter)}
        names |= {name for name, one in self.registrations.items() if one.pending() or not one.heard}
        for name in sorted(names):
            self.settle_one(name)
        for kind, record in self.consumption.close():
            self.emit(kind, record)
        for metric in self.windows.crossed(now):
            self.emit("metric", metric)

    def settle_one(self, name: str) -> None:
        """First the turns of its entries, then its slots, then whether it was never heard."""
        now = self.watermark
        assert now is not None
        registration = self.registrations.get(name)
        turned = [one for one in registration.pending() if one.since <= now] if registration else []
        for one in turned:
            assert registration is not None
            self.take_turn(registration, one)
        meter = self.meters.get(name)
        if turned and (meter is None or self.dies(meter) > now):
            self.consumption.turned(name, turned[-1].since)
        if meter is not None:
            self.settle(meter)
            self.emit_gaps(meter)
            if self.dies(meter) <= now:
                cursor = next(slot for slot in meter.waiting() if slot >= meter.changed_at)
                since = cursor - self.lag(meter)
                del self.meters[name]
                self.consumption.dropped(meter, since)
        if registration is not None:
            new = self.watch(registration)
            for gap in registration.taken_back:
                if new is None or gap.first != new.first:
                    self.alert_never_heard(registration, gap)
            if new is not None:
                self.alert_never_heard(registration, new)
            registration.taken_back = []

    def works(self, meter: Meter) -> bool:
        """Whether something of the meter is due that does not wait for the end of a replay to be passed."""
        assert self.watermark is not None
        due = min(meter.growth(self.policy), self.dies(meter)) <= self.watermark
        return due and self.has_work(meter)

    def dies(self, meter: Meter) -> int:
        """When its state is dropped: after three intervals of silence at least; of months, 96 days."""
        three = 3 * meter.interval if meter.interval < 30 * DAY else 96 * DAY
        return int(meter.last_seen + max(self.policy.state_ttl, three))

    def has_work(self, meter: Meter) -> bool:
        """Whether something is due that does not wait for the end of a replay to be passed."""
        assert self.watermark is not None
        waits = self.end is not None and next(meter.waiting()) > self.end
        return self.dies(meter) <= self.watermark or not waits

    def is_extra(self, meter: Meter, slot: int, stamp: int) -> bool:
        """Of a taken slot: filled, or it passed when nothing was expected, and has another reading."""
        others = (time for time, _ in meter.readings if time != stamp)
        return slot in meter.filled or any(meter.slot_of(time) == slot for time in others)

    def is_behind(self, meter: Meter, stamp: int) -> bool:
        """Whether the slot of a reading is due: one on time may be so where grace is short."""
        slot = meter.slot_of(stamp)
        return slot is not None and self.is_due(meter, slot)

    def catch_up(self, meter: Meter) -> None:
        """Before a reading: what is due of a gap of seconds, without waiting for the minute."""
        gap = meter.open_gap()
        if gap is not None and gap.interval < MINUTE:
            self.call_missing(meter)

    def call_missing(self, meter: Meter) -> None:
        """All slots whose time has come, whatever is open."""
        for slot in list(takewhile(lambda slot: self.is_due(meter, slot), meter.waiting())):
            self.call_one(meter, slot)

    def call_run(self, meter: Meter) -> None:
        """The same up to the next slot that is filled."""
        before: int | None = None
        for slot in list(takewhile(lambda slot: self.is_due(meter, slot), meter.waiting())):
            if before is not None and meter.after(before) != slot:
                break
            self.call_one(meter, slot)
            before = slot

    def is_due(self, meter: Meter, slot: int) -> bool:
        assert self.watermark is not None
        return (self.end is None or slot <= self.end) and meter.deadline(slot, self.policy) <= self.watermark

    def call_one(self, meter: Meter, slot: int) -> None:
        assert self.watermark is not None
        if meter.passes(slot):
            meter.passed.add(slot)
            return
        planned = self.planned(meter.meter_id, slot, meter.ruler_at(slot), meter.region)
        meter.call_missing(slot, self.watermark, planned)
        self.new_missing += 1

    def settle(self, meter: Meter) -> None:
        now = self.watermark
        assert now is not None
        while meter.growth(self.policy) <= now and (self.end is None or next(meter.waiting()) <= self.end):
            self.call_run(meter)
        if self.dies(meter) <= now:
            self.call_missing(meter)
        gap = meter.open_gap()
        if gap is not None and self.dies(meter) <= now:
            gap.state = "EXPIRED"
            meter.touched.add(gap.first)

    def count_missing(self) -> None:
        if self.new_missing:  # counted where the watermark stands at the end of the step
            self.windows.undated("missing_intervals", self.new_missing)
            self.new_missing = 0

    def emit_gaps(self, meter: Meter) -> None:
        self.count_missing()
        for first in sorted(meter.touched):
            gap = next((gap for gap in meter.gaps if gap.first == first), None) or meter.retracted[first]
            grace = meter.grace_of(gap.ruler, self.policy)
            grace += gap.ruler.usual_delay(meter.last_seen, gap.last)
            self.alert(meter.meter_id, gap, meter.last_seen, meter.region, grace)
        meter.touched, meter.retracted = set(), {}
        assert self.watermark is not None
        meter.forget(self.watermark, self.policy.gap_memory, self.policy.max_remembered_gaps)

    def alert_never_heard(self, registration: Registration, gap: Gap) -> None:
        """Of a meter without state."""
        applied = registration.applied
        assert applied is not None
        grace = int(self.policy.grace_of(gap.interval)) if applied.grace is None else applied.grace
        self.alert(registration.meter_id, gap, registration.watch_from, applied.region, grace)

    def alert(self, meter_id: str, gap: Gap, last_seen: int, region: str | None, grace: int) -> None:
        name = f"{meter_id}@{gap.first}"
        if name not in self.states:
            self.windows.undated("gaps_opened", 1)
        if gap.state in ENDED and self.states.get(name, "OPEN") == "OPEN":
            self.windows.undated("gaps_closed", 1)
        self.states[name] = gap.state
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        origin = (self.partition, self.offset, self.received)
        self.emit("gap_alert", wire.gap_alert(meter_id, gap, revision, origin, last_seen, region, grace))

    def validated(self, item: Item, flags: set[str], delay: int, watermark: int) -> None:
        meter = self.meters.get(item.meter_id)
        given = self.by_registry(item.meter_id)
        ruler = meter.ruler if meter else given or Ruler(self.policy.default_interval)
        if "AHEAD" in flags and item.ruler is not None and given is None:
            ruler = item.ruler
        self.windows.count(item.time, "readings_received", 1)
        self.windows.count(item.time, "readings_validated", 1)
        self.windows.count(item.time, "consumption_kwh", item.kwh)
        if delay:
            self.windows.count(item.time, "readings_late", 1)
        if "REVISED" in flags:
            self.windows.count(item.time, "readings_revised", 1)
        flags = flags | item.own_flags()
        self.emit("validated", wire.validated(item, self.partition, flags, delay, watermark, ruler))

    def emit(self, kind: str, record: dict[str, Any]) -> None:
        self.outputs.append((kind, record))
