"""What a perfect detector reports for a replay: the published rules, followed once more and apart from it.

`Truth` is shown every item of the sequence in the order of sending, with the partition it goes to, so it
knows each partition's watermark exactly, and with it what is on time, late or too late and which slots are
missing when. Memory is bounded per meter: what can no longer change is handed out at once.

Where the rules change a meter's grid (an interval learned or given, a new phase) the stretch before is not
judged: it is reported as `Unjudged` and nothing is expected there.

Only sequences in time order are simulated. There a tick precedes every reading of a later minute, so that
no reading ever lies beyond the watermark's jump guard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Literal

from gridwatch.domain.policy import Policy
from replay.emission import Item, Kind
from replay.findings import DelayTruth, Finding, GapTruth, NothingTruth, Unjudged
from replay.meter_truth import MeterTruth
from replay.rows import Row

_MINUTE = 60_000_000


class Truth:
    """The simulation. `partition_of` places meters; `report` takes findings as they become final."""

    def __init__(
        self, policy: Policy, partition_of: Callable[[str], int], report: Callable[[Finding], None]
    ) -> None:
        self._policy = policy
        self._partition_of = partition_of
        self._report = report
        self._meters: dict[str, MeterTruth] = {}
        self._unknown: dict[
            str, tuple[int, int, int]
        ] = {}  # withheld before the meter is known: first, last, count
        self._watermarks: list[int | None] = [None] * policy.partitions
        self._expiries: list[list[tuple[int, str]]] = [[] for _ in range(policy.partitions)]
        self._intervals: Counter[int] = Counter()

    def see(self, item: Item) -> None:
        """Take the next item of the sequence."""
        if item.row is None:
            for partition in range(len(self._watermarks)):
                self._raise(partition, item.instant)
        elif item.kind is Kind.WITHHELD:
            self._withhold(item.row)
        else:
            self._arrive(item.row, item)

    def finish(self) -> None:
        """The sequence has ended: report everything that is still held."""
        for name, meter in self._meters.items():
            watermark = self._watermarks[self._partition_of(name)]
            if watermark is not None:
                self._settle(name, meter, watermark)
            for gap in meter.ended:
                self._report(gap)
            if meter.open is not None:
                meter.open.to = meter.open.last + self._policy.grace
                self._report(meter.open)
            self._not_missing(name, meter, meter.withheld, "not settled before the end")
            self._clear_up(name, meter, max(watermark or 0, meter.last_seen) + meter.interval)
            self._intervals[meter.interval] += 1
        self._meters.clear()
        for name in list(self._unknown):
            self._now_known(name)

    @property
    def settled_to(self) -> int | None:
        """The watermark that every partition has reached, µs."""
        reached = [watermark for watermark in self._watermarks if watermark is not None]
        return min(reached) if len(reached) == len(self._watermarks) else None

    @property
    def interval(self) -> int:
        """The interval of most meters at the end, µs; 0 without meters."""
        return self._intervals.most_common(1)[0][0] if self._intervals else 0

    def _withhold(self, row: Row) -> None:
        time, name = row[0], row[1]
        meter = self._meters.get(name)
        if meter is None:
            first, _, count = self._unknown.get(name, (time, 0, 0))
            self._unknown[name] = (first, time, count + 1)
            return
        slot = meter.slot(time)
        if slot is None or slot < meter.edge or slot in meter.ahead:
            why = "off the meter's grid" if slot is None else "its slot was filled by another reading"
            self._report(NothingTruth(name, time, time + 1, 1, why))
        else:
            meter.withheld.add(slot)

    def _arrive(self, row: Row, item: Item) -> None:
        time, name, kwh, given, _ = row
        if not 0 <= kwh <= self._policy.max_kwh:
            return  # a dead letter: touches neither state nor watermark
        partition = self._partition_of(name)
        watermark = self._watermarks[partition]
        delay = 0 if watermark is None else max(0, watermark - time)
        too_late = delay > self._policy.allowed_lateness
        if item.delay:
            status: Literal["ON_TIME", "LATE", "TOO_LATE"] = (
                "TOO_LATE" if too_late else "LATE" if delay else "ON_TIME"
            )
            self._report(DelayTruth(name, time, item.arrival, status, delay))
        meter = self._meters.get(name)
        if meter is not None and watermark is not None:
            self._settle(name, meter, watermark)
        if too_late:
            if meter is not None:
                meter.fill_missing(time)
            return
        if meter is None:
            self._meters[name] = MeterTruth(
                time, given * _MINUTE or self._policy.default_interval, bool(given)
            )
            heappush(self._expiries[partition], (time + self._policy.state_ttl, name))
            self._now_known(name)
        else:
            self._apply(name, meter, time, given * _MINUTE)
        self._raise(partition, time - self._policy.max_out_of_orderness)

    def _apply(self, name: str, meter: MeterTruth, time: int, given: int) -> None:
        latest, again = time > meter.last_seen, meter.repeats(time, self._policy.allowed_lateness)
        if given and time >= meter.last_seen:
            meter.given = True
            if given != meter.interval:
                meter.last_seen = time
                self._change_grid(name, meter, (time, time), given, "the interval was given anew")
                return
        learned = meter.learn(time) if latest else 0
        meter.last_seen = max(meter.last_seen, time)
        slot = meter.slot(time)
        if learned > meter.interval:
            # The gaps of the narrower grid go, all that are still held, and the wider one runs through here.
            span = (0, time if slot is None else slot)
            self._change_grid(name, meter, span, learned, "the interval was being learned")
        elif learned:
            span = (meter.differences[2], time)
            self._change_grid(name, meter, span, learned, "the interval was being learned")
        elif not again and meter.strays(time, slot):
            span = (meter.off_grid[0], time)
            self._change_grid(name, meter, span, meter.interval, "the readings changed phase")
        elif slot is None or slot < meter.edge:
            meter.fill_missing(time)
        elif meter.unclear is None:
            meter.ahead.add(slot)
            self._pass_filled(name, meter)
        elif latest:
            self._clear_up(name, meter, time)

    def _change_grid(
        self, name: str, meter: MeterTruth, span: tuple[int, int], interval: int, why: str
    ) -> None:
        """A new grid through the ends of `span`; what it touches from its beginning on is not judged."""
        since, time = span
        touched = [gap for gap in meter.ended if gap.last >= since]
        meter.ended = [gap for gap in meter.ended if gap.last < since]
        if meter.open is not None:
            touched.append(meter.open)
            meter.open = None
        first = min([since or time, meter.edge, time, *(gap.first for gap in touched)])
        injected = sum(gap.injected for gap in touched) + len(meter.withheld)
        meter.withheld.clear()
        _, before, _ = meter.unclear or (first, 0, "")
        meter.unclear = (min(first, (meter.unclear or (first,))[0]), before + injected, why)
        meter.set_grid(since or time, time, interval)
        if time >= meter.last_seen - interval // 2 and meter.slot(time) is not None:
            self._clear_up(name, meter, time)

    def _clear_up(self, name: str, meter: MeterTruth, time: int) -> None:
        """The latest reading lies on the grid: from its slot on the meter is judged again."""
        if meter.unclear is None:
            return
        first, injected, why = meter.unclear
        meter.unclear = None
        meter.set_grid(meter.anchor, time, meter.interval)
        if first < time:
            self._report(Unjudged(name, first, time, why, injected))

    def _settle(self, name: str, meter: MeterTruth, watermark: int) -> None:
        """Every slot whose deadline the watermark has passed is missing now."""
        while (
            meter.unclear is None
            and (due := (watermark - self._policy.grace - meter.edge) // meter.interval + 1) > 0
        ):
            if meter.ahead:
                due = min(due, (min(meter.ahead) - meter.edge) // meter.interval)
            last = meter.edge + (due - 1) * meter.interval
            if meter.open is None:
                meter.open = GapTruth(name, meter.edge, last, meter.interval)
            meter.open.last = last
            injected = {slot for slot in meter.withheld if slot <= last}
            meter.open.injected += len(injected)
            meter.withheld -= injected
            meter.edge = last + meter.interval
            self._pass_filled(name, meter)
        self._forget(meter, watermark)

    def _pass_filled(self, name: str, meter: MeterTruth) -> None:
        """Move the edge over slots that are filled; the first of them ends an open gap."""
        if meter.edge in meter.ahead and meter.open is not None:
            meter.end_open(meter.open)
        start = meter.edge
        while meter.edge in meter.ahead:
            meter.ahead.remove(meter.edge)
            meter.edge += meter.interval
        if meter.withheld and meter.edge > start:
            self._not_missing(
                name,
                meter,
                {slot for slot in meter.withheld if slot < meter.edge},
                "its slot was filled by another reading",
            )

    def _forget(self, meter: MeterTruth, watermark: int) -> None:
        while meter.ended and (
            len(meter.ended) > self._policy.max_remembered_gaps
            or meter.ended[0].to + self._policy.gap_memory <= watermark
        ):
            self._report(meter.ended.pop(0))

    def _raise(self, partition: int, instant: int) -> None:
        watermark = self._watermarks[partition]
        if watermark is not None and instant <= watermark:
            return
        self._watermarks[partition] = instant
        expiries = self._expiries[partition]
        while expiries and expiries[0][0] <= instant:
            _, name = heappop(expiries)
            meter = self._meters[name]
            due = meter.last_seen + self._policy.state_ttl
            if due > instant:
                heappush(expiries, (due, name))
                continue
            self._settle(name, meter, instant)
            del self._meters[name]
            if meter.open is not None:
                meter.open.end("EXPIRED")
                meter.ended.append(meter.open)
            for gap in meter.ended:
                self._report(gap)
            self._not_missing(name, meter, meter.withheld, "the meter had been given up")
            self._clear_up(name, meter, instant)
            self._intervals[meter.interval] += 1

    def _not_missing(self, name: str, meter: MeterTruth, slots: set[int], why: str) -> None:
        for slot in sorted(slots):
            self._report(NothingTruth(name, slot, slot + meter.interval, 1, why))
        meter.withheld = meter.withheld - slots

    def _now_known(self, name: str) -> None:
        if name in self._unknown:
            first, last, count = self._unknown.pop(name)
            self._report(NothingTruth(name, first, last + 1, count, "the meter was not known yet"))
