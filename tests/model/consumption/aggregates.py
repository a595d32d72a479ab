"""Windows of consumption: computed again from all readings of their meter each time that one is emitted."""

from __future__ import annotations

from fractions import Fraction
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tests.model.consumption.kept import Kept, floor_to, half_even, mean, overlap, pieces, share
from tests.model.stamps import HOUR, QUARTER

if TYPE_CHECKING:
    from tests.model.meters import Meter
    from tests.model.reference import Reference

Window = tuple[int, int]  # its length and start


class Aggregates:
    """The windows of the meters of one partition."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.policy = reference.policy

    # -- a reading ------------------------------------------------------------------------------------------

    def accepted(self, meter: Meter, kept: Kept, before: Kept | None, lag: int, crossed: int) -> None:
        """Mark the windows that a new or revised reading changes after they have ended. `before`: what it
        revises. `crossed`: the last minute that the watermark crossed."""
        for length in self.policy.windows:
            if not self.takes_part(meter, length):
                continue
            changed = {floor_to(kept.stamp - lag, length)}
            if kept.span is not None and (before is None or before.energy != kept.energy):
                changed |= set(pieces(max(kept.span[0], crossed - self.memory(length)), kept.span[1], length))
            for start in changed:
                if start + length <= crossed and not self.dropped(start, length, crossed):
                    known = (length, start) in meter.marked or start + length > meter.counted_since
                    if not known and self.filled(meter, kept, before, start, length):
                        meter.shown.setdefault((length, start), 1)
                    meter.marked.add((length, start))

    def filled(self, meter: Meter, kept: Kept, before: Kept | None, start: int, length: int) -> bool:
        """Whether something may have been in a window that ended before what readings cover has changed: then
        its first revision counts as emitted."""
        reach = self.reference.reach(meter)
        return any(
            start <= one.stamp < start + length + reach
            for one in meter.kept.values()
            if one is not kept or (before is not None and self.own(meter, kept, start, length))
        ) or any(
            one.span is not None and overlap(*one.span, start, start + length)
            for one in meter.kept.values()
            if one is not kept or before is not None
        )

    def own(self, meter: Meter, kept: Kept, start: int, length: int) -> bool:
        return bool(start <= kept.stamp - self.reference.lag(meter) < start + length)

    def unplaced(self, kept: Kept, lag: int, more: int, begun: int, revised: bool) -> int:
        """What of the energy of a reading, which is so much `more` than before, lies in windows of 15 minutes
        that are dropped."""
        if kept.span is not None and not revised:
            live = floor_to(begun - self.policy.allowed_lateness, QUARTER)  # the first one not dropped
            return share(kept.energy, kept.span, kept.span[0], live)
        return more if self.dropped(floor_to(kept.stamp - lag, QUARTER), QUARTER, begun) else 0

    def dropped(self, start: int, length: int, watermark: int) -> bool:
        return bool(start + self.memory(length) <= watermark)

    def memory(self, length: int) -> int:
        return int(length + self.policy.allowed_lateness)

    def takes_part(self, meter: Meter, length: int) -> bool:
        if not meter.settled(self.policy):
            return True
        return meter.ruler.unit is None and meter.interval <= length

    # -- emission -------------------------------------------------------------------------------------------

    def crossing(self, meters: list[Meter], before: int) -> list[dict[str, Any]]:
        """The windows that have ended since `before`, and those that changed after their end, in order."""
        found = []
        for meter in meters:
            for length in self.policy.windows:
                for start in self.due(meter, length, before):
                    window = self.window(meter, length, start)
                    if window is not None and self.takes_part(meter, length):
                        meter.shown[length, start] = window["revision"]
                        found.append(window)
            meter.marked = set()
        return sorted(found, key=lambda one: (one["start"] + one["length"], one["length"], one["meter_id"]))

    def due(self, meter: Meter, length: int, before: int) -> list[int]:
        watermark, lag = self.reference.now(), self.reference.lag(meter)
        starts = {stamp - lag - (stamp - lag) % length for stamp in meter.kept}
        for kept in meter.kept.values():
            if kept.span is not None and kept.span[1] > before - length:
                starts |= set(pieces(max(kept.span[0], before - length), kept.span[1], length))
        ended = {start for start in starts if before < start + length <= watermark}
        return sorted(ended | {start for one, start in meter.marked if one == length})

    def window(self, meter: Meter, length: int, start: int) -> dict[str, Any] | None:
        """The window as it is now; None without content."""
        end, lag, settled = start + length, self.reference.lag(meter), meter.settled(self.policy)
        inside = self.inside(meter, start, end)
        energy = sum(kept.energy for kept in inside if kept.span is None)
        spread = [
            share(kept.energy, kept.span, start, end)
            for kept in meter.kept.values()
            if kept.span is not None and overlap(*kept.span, start, end)
        ]
        if not inside and not spread:
            return None
        energy += sum(spread)
        powers = [self.power(kept, meter) for kept in inside]
        known = [power for power in powers if power is not None]

        return {
            "meter_id": meter.meter_id,
            "start": start,
            "length": length,
            "revision": meter.shown.get((length, start), 0) + 1,
            "region": meter.region,
            "readings": len(inside),
            "expected": self.expected(meter, start + lag, length, len(inside)) if settled else None,
            "energy": energy,
            "power": half_even(mean(known)),
            "lowest_power": half_even(min(known, default=None)),
            "highest_power": half_even(max(known, default=None)),
            "voltage": self.average(inside, "voltage"),
            "current": self.average(inside, "current"),
            "power_factor": self.average(inside, "power_factor"),
            "partition": self.reference.partition,
            "received": self.reference.received,
        }

    def inside(self, meter: Meter, start: int, end: int) -> list[Kept]:
        """The readings of a window."""
        lag = self.reference.lag(meter)
        return [kept for kept in meter.kept.values() if start <= kept.stamp - lag < end]

    def average(self, inside: list[Kept], name: str) -> int | None:
        """Of the readings that have it."""
        values = [kept.measures[name] for kept in inside if name in kept.measures]
        return half_even(mean([Fraction(value) for value in values]))

    def power(self, kept: Kept, meter: Meter) -> Fraction | None:
        """mW: as measured, else from its energy."""
        if "power_kw" in kept.measures:
            return Fraction(kept.measures["power_kw"])
        if kept.span is not None or not meter.settled(self.policy):
            return None
        return Fraction(kept.energy * HOUR, meter.interval * 1000)

    def expected(self, meter: Meter, since: int, length: int, readings: int) -> int:
        """The slots with a stamp in [since, since + length) in which a reading was expected."""
        if not meter.expected:
            return readings
        reference, count = self.reference, 0
        registration = reference.registrations.get(meter.meter_id)
        for grid in meter.known:
            for slot in takewhile(lambda slot: slot < since + length, grid.points()):
                if slot < since or (registration is not None and slot < registration.resumed):
                    continue
                count += not reference.planned(meter.meter_id, slot, grid.ruler, meter.region)
        return count
