"""Which windows and slots of one partition are judged, when, and what is emitted then."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.model.anomalies.case import Case
from tests.model.anomalies.judge import Judge
from tests.model.anomalies.window import Window, bucket_of
from tests.model.consumption.kept import floor_to, half_even, measures_of, micro_wh
from tests.model.stamps import HOUR, MINUTE
from tests.model.wire import Item

if TYPE_CHECKING:
    from tests.model.meters import Meter
    from tests.model.reference import Reference

Slot = tuple[int, int]  # its start by the grid, and its interval
Emitted = tuple[str, dict[str, Any]]
NOT_FILLED = {"EXTRA", "OFF_GRID", "REVISED"}


class Anomalies:
    """The anomalies of one partition."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.policy = reference.policy
        self.judges: dict[str, Judge] = {}
        self.slots: dict[tuple[str, int], Slot] = {}  # by meter and the stamp that filled them: [start, end)

    def judge_of(self, meter: Meter) -> Judge:
        return self.judges.setdefault(meter.meter_id, Judge(self.policy))

    # -- slots ----------------------------------------------------------------------------------------------

    def accepted(self, meter: Meter, item: Item, flags: set[str], slot: Slot | None) -> None:
        """A reading was applied, and filled a slot or none."""
        if not self.policy.judges:
            return
        known = self.slots.get((meter.meter_id, item.time))
        if "REVISED" in flags:
            if known is not None:
                again = self.judge_of(meter).emitted_again(self.slot_window(item, *known), slot=True)
                self.emit(meter, again)
            return
        if slot is None or flags & NOT_FILLED or not self.has_slots(meter):
            return
        start, length = self.covered(meter, item.time, slot)
        self.slots[meter.meter_id, item.time] = start, length
        planned = self.reference.planned(
            meter.meter_id, slot[0], meter.stretch_at(item.time)[0].ruler, meter.region
        )
        window = self.slot_window(item, start, length)
        if planned or "GAP_ENERGY" in flags or not self.judge_of(meter).accepts(window):
            return
        self.judge(meter, window)

    def has_slots(self, meter: Meter) -> bool:
        """Whether its slots are judged: its interval is known, and too long for the judged windows."""
        if not meter.settled(self.policy):
            return False
        longest = self.policy.judged_window
        return longest is None or meter.ruler.unit is not None or meter.interval > longest

    def covered(self, meter: Meter, stamp: int, slot: Slot) -> Slot:
        """Start and length of the time that the reading of a slot covers. How long before its stamp that
        begins is as for windows: by the grid that the meter has now."""
        start, interval = slot
        ruler = meter.stretch_at(stamp)[0].ruler
        at_end = self.reference.anchor(meter.meter_id) == "end"
        if ruler.unit is not None:
            since = ruler.before(start) if at_end else start
            return since, ruler.after(since, since) - since
        return start - self.reference.lag(meter), interval

    def slot_window(self, item: Item, start: int, length: int) -> Window:
        measured = measures_of(item.body)
        x = measured.get("power_kw")
        if x is None:
            x = half_even(Fraction(micro_wh(item.kwh) * HOUR, length * 1000))
        others = (measured.get(name) for name in ("voltage", "frequency", "power_factor"))
        return Window(start, length, x, *others)

    # -- windows of consumption -----------------------------------------------------------------------------

    def emitted(self, meter: Meter, one: dict[str, Any]) -> None:
        """A window of consumption is emitted."""
        if not self.policy.judges or one["length"] != self.policy.judged_window:
            return
        aggregates = self.reference.consumption.aggregates
        inside = aggregates.inside(meter, one["start"], one["start"] + one["length"])
        frequency = aggregates.average(inside, "frequency")
        window = Window(
            one["start"], one["length"], one["power"], one["voltage"], frequency, one["power_factor"]
        )
        judge = self.judge_of(meter)
        readings, expected = one["readings"], one["expected"]
        complete = expected is not None and 5 * readings >= 4 * expected > 0
        if complete and window.x is not None and judge.accepts(window):
            self.judge(meter, window)
        else:
            self.emit(meter, judge.emitted_again(window))

    # -- places ---------------------------------------------------------------------------------------------

    def judge(self, meter: Meter, window: Window) -> None:
        regions = self.reference.consumption.regional.limits
        region = regions.get(meter.region) if meter.region is not None else None
        applied = self.reference.applied(meter.meter_id)
        zone = (
            (applied.timezone if applied else None)
            or meter.ruler.zone
            or (region.timezone if region else None)
            or self.policy.timezone
        )
        bucket = bucket_of(window, str(zone), region.holidays if region else ())
        self.emit(meter, self.judge_of(meter).judge(window, bucket))

    # -- silence --------------------------------------------------------------------------------------------

    def silence(self, minute: int) -> None:
        """The watermark has reached this minute, and the windows of that crossing are emitted."""
        silent = []
        for name, judge in self.judges.items():
            since = judge.silent_from()
            if since is not None and minute >= since:
                silent.append((since, name))
        for _, name in sorted(silent):
            self.emit(self.reference.meters[name], self.judges[name].close_all())

    def dropped(self, meter: Meter) -> None:
        """The state of a meter is dropped: what is left of its windows is judged, then all is closed."""
        consumption, length = self.reference.consumption, self.policy.judged_window
        crosses = floor_to(self.reference.now(), MINUTE) > consumption.crossed
        if self.policy.judges and length in self.policy.windows and crosses:
            aggregates = consumption.aggregates
            for start in aggregates.due(meter, length, consumption.crossed):
                one = aggregates.window(meter, length, start)
                if one is not None and aggregates.takes_part(meter, length):
                    self.emitted(meter, one)
        judge = self.judges.pop(meter.meter_id, None)
        if judge is not None:
            self.emit(meter, judge.close_all())
        self.slots = {key: slot for key, slot in self.slots.items() if key[0] != meter.meter_id}

    # -- emission -------------------------------------------------------------------------------------------

    def emit(self, meter: Meter, cases: list[Case]) -> None:
        for case in cases:
            self.reference.emit("anomaly", self.record(meter, case))

    def record(self, meter: Meter, case: Case) -> dict[str, Any]:
        return {
            "meter_id": meter.meter_id,
            "kind": case.kind,
            "start": case.first.start,
            "length": case.first.length,
            "revision": case.revision,
            "state": case.state,
            "reason": case.reason,
            "severity": case.severity,
            "confidence": case.confidence,
            "region": meter.region,
            "detected": case.detected,
            "ended": case.ended,
            "value": case.value,
            "baseline": case.baseline,
            "partition": self.reference.partition,
            "received": self.reference.received,
        }
