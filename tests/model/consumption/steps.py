"""What every step adds for windows and regions, and what it emits when the watermark crosses a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.model.consumption.aggregates import Aggregates
from tests.model.consumption.kept import Kept, Slot, floor_to, measures_of, micro_wh
from tests.model.consumption.regional import Regional
from tests.model.stamps import MINUTE, QUARTER
from tests.model.wire import Item

if TYPE_CHECKING:
    from tests.model.meters import Meter
    from tests.model.reference import Reference


class Consumption:
    """Windows and regions of one partition, as far as its policy has them."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.policy = reference.policy
        self.aggregates = Aggregates(reference)
        self.regional = Regional(reference)
        self.crossed = 0  # the minute of the last crossing
        self.lost = 0  # states that were dropped
        self.gone: list[Meter] = []  # whose state is dropped in this step

    def begin(self, watermark: int) -> None:
        """The first watermark: nothing is emitted for what ended before."""
        self.crossed = floor_to(watermark, MINUTE)
        self.regional.last = watermark

    def accepted(self, meter: Meter, item: Item, flags: set[str], slot: tuple[int, int] | None) -> None:
        """A reading was applied, and filled a slot of some interval or none."""
        if not self.policy.windows and not self.policy.regional:
            return
        lag, settled = self.note_lag(meter), meter.settled(self.policy)
        before, revised = meter.kept.get(item.time), "REVISED" in flags
        takes_part = any(self.aggregates.takes_part(meter, length) for length in self.policy.windows)
        measures = measures_of(item.body) if takes_part else {}  # of no use to any window as it is now
        kept = Kept(item.time, micro_wh(item.kwh), measures, None, None, item.region)
        if before is not None:
            kept.span, kept.slot, kept.received = before.span, before.slot, before.received
        elif "GAP_ENERGY" in flags and item.since is not None:
            until = item.time - lag + meter.interval
            kept.span = (until - (item.time - item.since), until)
        since = item.time - lag
        if slot is not None and settled:
            start, interval = slot
            since = start - lag
            kept.slot = Slot(start, since, since + interval)
        meter.kept[item.time] = kept
        more = kept.energy - (before.energy if before is not None else 0)
        self.aggregates.accepted(meter, kept, before, lag, self.crossed)
        unplaced: int | None = None
        if self.policy.regional:
            self.regional.places.look(meter.meter_id, since)
            unplaced = self.regional.contribute(meter, kept, flags, more, self.crossed)
        takes_part = QUARTER in self.policy.windows and self.aggregates.takes_part(meter, QUARTER)
        if unplaced is None and takes_part:
            unplaced = self.aggregates.unplaced(kept, lag, more, self.crossed, revised)
        self.reference.windows.unplaced(unplaced or 0)

    def note_lag(self, meter: Meter) -> int:
        """How readings count now: when that changes, it is not known any more what was emitted before."""
        lag = self.reference.lag(meter)
        takes_part = [self.aggregates.takes_part(meter, length) for length in self.policy.windows]
        if meter.counted is not None and (lag, takes_part) != meter.counted:
            meter.counted_since = self.crossed
        meter.counted = lag, takes_part
        return lag

    def turned(self, name: str, since: int) -> None:
        meter = self.reference.meters.get(name)
        if meter is not None:
            self.note_lag(meter)
        if self.policy.regional:
            self.regional.places.turned(name, since)

    def dropped(self, meter: Meter, since: int) -> None:
        """The state of a meter is dropped; its windows are emitted for the last time in this step."""
        self.reference.anomalies.dropped(meter)
        self.gone.append(meter)
        self.lost += 1
        if self.policy.regional:
            self.regional.places.look(meter.meter_id, since)

    def close(self) -> list[tuple[str, dict[str, Any]]]:
        """At the end of a step, before its metrics."""
        reference, found = self.reference, []
        if self.policy.regional:
            for name in {*self.regional.places.of, *reference.meters, *reference.registrations}:
                self.regional.places.look(name, reference.now())
            self.regional.places.listen()
        minute = floor_to(reference.now(), MINUTE)
        if minute > self.crossed:
            meters = [*reference.meters.values(), *self.gone]
            for one in self.aggregates.crossing(meters, self.crossed):
                found.append(("aggregate", one))
                if one["meter_id"] in reference.meters:  # else it was judged as its state was dropped
                    reference.anomalies.emitted(reference.meters[one["meter_id"]], one)
            reference.anomalies.silence(minute)
            if self.policy.regional:
                found += [("bundle", one) for one in self.regional.crossing(self.crossed)]
            self.crossed = minute
        self.gone = []
        return found
