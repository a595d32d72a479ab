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
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal

from gridwatch.domain.policy import Policy
from replay.emission import Item, Kind
from replay.rows import Row

_MINUTE = 60_000_000
_SHRINK_AFTER, _GROW_AFTER, _MOVE_AFTER = 3, 6, 3
_LARGEST_TOLERANCE = 5 * _MINUTE


@dataclass
class GapTruth:
    """A run of missing slots as it must stand at the end. Times in µs, `to` exclusive."""

    meter: str
    first: int
    last: int
    interval: int
    state: Literal["OPEN", "CLOSED", "PARTIAL", "FILLED", "EXPIRED"] = "OPEN"
    filled: set[int] = field(default_factory=set)
    injected: int = 0
    to: int = 0

    @property
    def slots(self) -> int:
        return (self.last - self.first) // self.interval + 1

    @property
    def missing(self) -> int:
        return self.slots - len(self.filled)

    def has(self, slot: int) -> bool:
        return self.first <= slot <= self.last and slot not in self.filled

    def end(self, state: Literal["EXPIRED"] | None = None) -> None:
        """The meter is back (or given up): from now on `to` and the state follow from what was filled."""
        self.to = self.last + self.interval
        self.state = state or ("CLOSED" if not self.filled else "PARTIAL" if self.missing else "FILLED")


@dataclass(frozen=True)
class NothingTruth:
    """Withheld readings that no detector can miss, and why."""

    meter: str
    first: int
    to: int
    slots: int
    why: str


@dataclass(frozen=True)
class DelayTruth:
    """A reading that was sent late, and how it must be classified."""

    meter: str
    time: int
    arrival: int
    status: Literal["ON_TIME", "LATE", "TOO_LATE"]
    delay: int


@dataclass(frozen=True)
class Unjudged:
    """A stretch of one meter in which nothing is expected: `first` ≤ time < `to`."""

    meter: str
    first: int
    to: int
    why: str
    injected: int


Finding = GapTruth | NothingTruth | DelayTruth | Unjudged


class _Meter:
    """One meter as the rules see it. `edge` is the first slot that is neither filled nor missing."""

    __slots__ = (
        "ahead", "anchor", "differences", "edge", "ended", "given", "interval", "last_seen", "off_grid", "open", "withheld",
    )  # fmt: skip

    def __init__(self, time: int, interval: int, given: bool) -> None:
        self.last_seen = time
        self.differences = (0, 0, 0)  # the difference repeated, how often, the first reading of that run
        self.off_grid: list[int] = []
        self.open: GapTruth | None = None
        self.ended: list[GapTruth] = []
        self.withheld: set[int] = set()
        self.set_grid(time, interval, given)

    def set_grid(self, anchor: int, interval: int, given: bool) -> None:
        self.anchor = anchor
        self.interval = interval
        self.given = given
        self.edge = anchor + interval
        self.ahead: set[int] = set()
        self.off_grid = []

    def slot(self, time: int) -> int | None:
        """The slot a stamp belongs to, or None when it lies off the grid."""
        nearest = self.anchor + (time - self.anchor + self.interval // 2) // self.interval * self.interval
        return nearest if abs(time - nearest) <= min(self.interval // 4, _LARGEST_TOLERANCE) else None


class Truth:
    """The simulation. `partition_of(meter_id)` places meters; findings go to `report` as they become final."""

    def __init__(
        self, policy: Policy, partition_of: Callable[[str], int], report: Callable[[Finding], None]
    ) -> None:
        self._policy = policy
        self._partition_of = partition_of
        self._report = report
        self._meters: dict[str, _Meter] = {}
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
            slot = None if meter is None else meter.slot(time)
            if meter is not None and slot is not None and slot < meter.edge:
                self._fill_missing(meter, slot)
            return
        if meter is None:
            self._meters[name] = _Meter(time, given * _MINUTE or self._policy.default_interval, bool(given))
            heappush(self._expiries[partition], (time + self._policy.state_ttl, name))
            self._now_known(name)
        else:
            self._apply(name, meter, time, given * _MINUTE)
        self._raise(partition, time - self._policy.max_out_of_orderness)

    def _apply(self, name: str, meter: _Meter, time: int, given: int) -> None:
        if given and given != meter.interval and time >= meter.last_seen:
            self._change_grid(name, meter, time, time, given, "the interval was given anew")
        meter.given = meter.given or bool(given)
        if time > meter.last_seen:
            learned = self._learn(meter, time)
            meter.last_seen = time
            if learned:
                run_first = meter.differences[2] if learned < meter.interval else 0
                self._change_grid(name, meter, run_first, time, learned, "the interval was being learned")
        slot = meter.slot(time)
        if slot is None:
            phase = self._same_phase(meter, time)
            meter.off_grid = [*meter.off_grid, time] if phase else [time]
            if len(meter.off_grid) == _MOVE_AFTER:
                self._change_grid(
                    name, meter, meter.off_grid[0], time, meter.interval, "the readings changed phase"
                )
            return
        meter.off_grid = []
        if slot < meter.edge:
            self._fill_missing(meter, slot)
            return
        meter.ahead.add(slot)
        self._pass_filled(name, meter)

    @staticmethod
    def _same_phase(meter: _Meter, time: int) -> bool:
        if not meter.off_grid:
            return False
        apart = (time - meter.off_grid[0]) % meter.interval
        return min(apart, meter.interval - apart) <= min(meter.interval // 4, _LARGEST_TOLERANCE)

    @staticmethod
    def _learn(meter: _Meter, time: int) -> int:
        """The interval (µs) that the differences of readings have now shown, or 0."""
        if meter.given:
            return 0
        minutes = (time - meter.last_seen + _MINUTE // 2) // _MINUTE
        if minutes * _MINUTE == meter.interval or not 1 <= minutes <= 1440:
            meter.differences = (0, 0, 0)
            return 0
        repeated, count, first = meter.differences
        count, first = (count + 1, first) if repeated == minutes else (1, meter.last_seen)
        meter.differences = (minutes, count, first)
        enough = _SHRINK_AFTER if minutes * _MINUTE < meter.interval else _GROW_AFTER
        return minutes * _MINUTE if count >= enough else 0

    def _change_grid(self, name: str, meter: _Meter, since: int, time: int, interval: int, why: str) -> None:
        """A new grid from `time` on. What it may touch, from the gaps still held since `since`, is not judged."""
        touched = [gap for gap in meter.ended if gap.last >= since]
        meter.ended = [gap for gap in meter.ended if gap.last < since]
        if meter.open is not None:
            touched.append(meter.open)
            meter.open = None
        first = min([since or time, meter.edge, time, *(gap.first for gap in touched)])
        injected = sum(gap.injected for gap in touched) + len(meter.withheld)
        meter.withheld.clear()
        if first < time:
            self._report(Unjudged(name, first, time, why, injected))
        meter.set_grid(time, interval, meter.given)
        meter.differences = (0, 0, 0)

    def _settle(self, name: str, meter: _Meter, watermark: int) -> None:
        """Every slot whose deadline the watermark has passed is missing now."""
        while (due := (watermark - self._policy.grace - meter.edge) // meter.interval + 1) > 0:
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

    def _pass_filled(self, name: str, meter: _Meter) -> None:
        """Move the edge over slots that are filled; the first of them ends an open gap."""
        if meter.edge in meter.ahead and meter.open is not None:
            self._end(meter, meter.open)
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

    def _fill_missing(self, meter: _Meter, slot: int) -> None:
        gap = meter.open
        if gap is not None and gap.has(slot):
            gap.filled.add(slot)
            if slot == gap.last:
                self._end(meter, gap)
            return
        for ended in meter.ended:
            if ended.has(slot):
                ended.filled.add(slot)
                ended.end()

    def _end(self, meter: _Meter, gap: GapTruth) -> None:
        gap.end()
        meter.open = None
        meter.ended.append(gap)

    def _forget(self, meter: _Meter, watermark: int) -> None:
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
            self._intervals[meter.interval] += 1

    def _not_missing(self, name: str, meter: _Meter, slots: set[int], why: str) -> None:
        for slot in sorted(slots):
            self._report(NothingTruth(name, slot, slot + meter.interval, 1, why))
        meter.withheld = meter.withheld - slots

    def _now_known(self, name: str) -> None:
        if name in self._unknown:
            first, last, count = self._unknown.pop(name)
            self._report(NothingTruth(name, first, last + 1, count, "the meter was not known yet"))
