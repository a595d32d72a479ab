"""What a perfect detector reports for a replay: the published rules, followed once more and apart from it.

`Truth` is shown every item of the sequence in the order of sending, with the partition it goes to, so it
knows each partition's watermark exactly, and with it what is on time, late or too late and which slots are
missing when. Memory is bounded per meter: what can no longer change is handed out at once.

Where the rules change a meter's grid (an interval learned or given, a new phase) the stretch before is not
judged: it is reported as `Unjudged` and nothing is expected there.

Only sequences in time order are simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import NEVER, SECOND, Policy
from replay.faults.base.given import given_by
from replay.files.rows import Row
from replay.files.spacing import Spacing
from replay.order.emission import Item, Kind
from replay.truth.findings import (
    NATIVE,
    OVERTAKEN,
    SOFT,
    Finding,
    NothingTruth,
    ReadingTruth,
    RefusedTruth,
    Status,
)
from replay.truth.manifest import interval_of
from replay.truth.meter import MeterTruth
from replay.truth.stretches import Stretches

_COPIES = ("duplicate", "revision")
#: Faults that make a reading late, or come twice.
_LATE_BY = ("delay", "upload", "reboot-storm", "clock", *_COPIES)
#: Faults by which a reading may be refused.
_REFUSED_BY = ("spike", "surge", "level-shift", "clock")
_UNKNOWN = "the meter was not known yet"


class Truth:
    """The simulation. `partition_of` places meters; `report` takes findings as they become final.

    Stamps after `latest` (µs, the time of sending and what clocks may be ahead of it) are refused, and ticks.
    """

    def __init__(
        self,
        policy: Policy,
        partition_of: Callable[[str], int],
        report: Callable[[Finding], None],
        latest: int | None = None,
    ) -> None:
        self._policy = policy
        self._partition_of = partition_of
        self._report = report
        self._latest = latest
        self._meters: dict[str, MeterTruth] = {}
        #: Withheld before the meter is known: first, last, count, fault.
        self._unknown: dict[str, tuple[int, int, int, str]] = {}
        self._watermarks: list[int | None] = [None] * policy.partitions
        self._expiries: list[list[tuple[int, str]]] = [[] for _ in range(policy.partitions)]
        #: Meters of short intervals by the watermark at which each is looked at.
        self._dues: list[list[tuple[int, str]]] = [[] for _ in range(policy.partitions)]
        #: Slots after it do not become missing: the end of the run, until a reading raises the watermark.
        self._ends = [NEVER] * policy.partitions
        #: Readings beyond the jump guard, in order of arrival: (row, why their slot may have been empty).
        self._kept: list[list[tuple[Row, str]]] = [[] for _ in range(policy.partitions)]
        self._intervals: Counter[Spacing] = Counter()
        self._stretches = Stretches(report)
        #: LATE readings that had no fault themselves: they are counted, not listed one by one.
        self.overtaken = 0
        #: The first and the last stamp sent, µs.
        self.first: int | None = None
        self.last: int | None = None
        #: The end of the run, µs, where its last tick says it.
        self.end: int | None = None
        self._names: set[str] = set()

    def see(self, item: Item) -> None:
        """Take the next item of the sequence."""
        row = item.row
        if row is None:
            self._tick(item)
            return
        if item.faults or self._stretches.open:
            meter = self._meters.get(row[1])
            own = given_by(row) or Spacing(self._policy.default_interval)
            self._stretches.see(item, meter.spacing if meter else own)
        if item.kind is Kind.WITHHELD:
            self._lack(row, item.faults[-1] if item.faults else "gap")
        elif item.kind is Kind.GARBAGE:
            cause = item.faults[-1]
            self._report(RefusedTruth(row[1], row[0], cause, "", row[4].encode("latin-1")))
            self._lack(row, cause)
        else:
            self._arrive(row, item)

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """See each item as it passes by."""
        for item in items:
            self.see(item)
            yield item

    def finish(self) -> None:
        """The sequence has ended: report everything that is still held."""
        for name, meter in self._meters.items():
            watermark = self._watermarks[self._partition_of(name)]
            if watermark is not None:
                meter.settle(watermark, self._ends[self._partition_of(name)])
            meter.finish(max(watermark or 0, meter.last_seen) + meter.interval, expired=False)
            self._intervals[meter.spacing] += 1
        self._meters.clear()
        for name in list(self._unknown):
            self._now_known(name)
        self._stretches.finish()

    @property
    def settled_to(self) -> int | None:
        """The watermark that every partition has reached, µs."""
        reached = [watermark for watermark in self._watermarks if watermark is not None]
        return min(reached) if len(reached) == len(self._watermarks) else None

    @property
    def head(self) -> dict[str, Any]:
        """What the head of the manifest says of it."""
        spacing = self._intervals.most_common(1)[0][0] if self._intervals else Spacing(0)
        return {
            "first": format_instant(self.first or 0),
            "last": format_instant(self.last or 0),
            "end": None if self.end is None else format_instant(self.end),
            "settled_to": None if self.settled_to is None else format_instant(self.settled_to),
            # Of most meters, at the end.
            **interval_of(spacing),
            "grace_seconds": self._policy.grace / SECOND,
            "meter_count": len(self._names),
            "overtaken": self.overtaken,
        }

    def _tick(self, item: Item) -> None:
        """Event time has come to this instant in all partitions."""
        if self._latest is not None and item.instant > self._latest:
            return
        if item.end is not None:
            self._end_at(item.end)
        for partition in range(len(self._watermarks)):
            self._raise(partition, item.instant)

    def _end_at(self, end: int) -> None:
        """The run ends here. What was missing before, by a clock that is ahead of it, stays missing."""
        if NEVER in self._ends:
            for name, meter in self._meters.items():
                partition = self._partition_of(name)
                watermark = self._watermarks[partition]
                if watermark is not None:
                    meter.settle(watermark, self._ends[partition])
        self._ends = [end] * len(self._ends)
        self.end = end

    def _lack(self, row: Row, cause: str) -> None:
        """This reading will not fill its slot, because of a fault."""
        time, name = row[0], row[1]
        meter = self._meters.get(name)
        if meter is None:
            if cause not in SOFT:
                first, _, count, kind = self._unknown.get(name, (time, 0, 0, cause))
                self._unknown[name] = (first, time, count + 1, kind)
            return
        partition = self._partition_of(name)
        watermark = self._watermarks[partition]
        if watermark is not None:
            meter.settle(watermark, self._ends[partition])
        meter.lack(time, cause)

    def _arrive(self, row: Row, item: Item) -> None:
        time, name, kwh = row[0], row[1], row[2]
        refused = "" if 0 <= kwh <= self._policy.max_kwh else "NEGATIVE" if kwh < 0 else "OUT_OF_RANGE"
        if not refused and self._latest is not None and time > self._latest:
            refused = "FUTURE_TIMESTAMP"
        if refused:  # a dead letter: touches neither state nor watermark
            cause = next((kind for kind in item.faults if kind in _REFUSED_BY), NATIVE)
            self._report(RefusedTruth(name, time, cause, refused))
            if cause != NATIVE:
                self._lack(row, cause)
            return
        self.first = time if self.first is None else min(self.first, time)
        self.last = time if self.last is None else max(self.last, time)
        partition = self._partition_of(name)
        watermark = self._watermarks[partition]
        lead = time - self._policy.max_out_of_orderness
        late_by = next((kind for kind in reversed(item.faults) if kind in _LATE_BY), OVERTAKEN)
        meter = self._meters.get(name)
        if watermark is not None and lead - watermark > self._policy.max_watermark_jump:
            known = meter.spacing if meter else Spacing(self._policy.default_interval)
            if lead - watermark > self._policy.jump_of((given_by(row) or known).length):
                self._keep(partition, row, late_by)
                return
        delay = 0 if watermark is None else max(0, watermark - time)
        status: Status = (
            "TOO_LATE" if delay > self._policy.allowed_lateness else "LATE" if delay else "ON_TIME"
        )
        repeats = "" if status == "TOO_LATE" or meter is None else meter.repeats(time, kwh)
        if meter is not None and watermark is not None:
            # A duplicate is nothing to the meter; of a late one the detector first sees to what is due.
            late = status != "ON_TIME" and repeats != "DUPLICATE"
            meter.settle(watermark, self._ends[partition], all_due=late)
        if item.delay or status == "TOO_LATE" or repeats == "REVISED" or late_by in _COPIES:
            kind = late_by if item.faults or status != "ON_TIME" else NATIVE
            self._report(ReadingTruth(name, time, item.arrival, status, delay, kind, repeats))
        else:
            self.overtaken += status == "LATE" and not repeats
        own = item.arrival - item.delay
        if own != time:
            self._lack((own, *row[1:]), "clock")
        if status == "TOO_LATE":
            if meter is not None:
                meter.fill_missing(time, late_by)
                self._queue(partition, meter)
        elif repeats != "DUPLICATE":
            self._accept(partition, row, watermark, late_by)
            self._raise(partition, lead, by_reading=True)

    def _keep(self, partition: int, row: Row, late_by: str) -> None:
        """A reading beyond the jump guard waits until the watermark gets there, or another meter agrees."""
        time, name = row[0], row[1]
        kept = self._kept[partition]
        twins = [place for place, (other, _) in enumerate(kept) if other[:2] == row[:2]]
        if twins:
            kept[twins[0]] = (row, late_by)
        else:
            kept.append((row, late_by))
        others = [other[0] for other, _ in kept if other[1] != name]
        if others:
            bound = min(max(others), time)
            self._raise(partition, bound - self._policy.max_out_of_orderness, by_reading=True)
        del self._kept[partition][: -self._policy.max_held]

    def _accept(self, partition: int, row: Row, watermark: int | None, late_by: str) -> None:
        """A reading that counts, of a meter that is settled."""
        time, name, kwh = row[:3]
        given = given_by(row)
        meter = self._meters.get(name)
        if meter is None:
            meter = self._meters[name] = MeterTruth(name, time, given, self._policy, self._report)
            self._names.add(name)
            heappush(self._expiries[partition], (time + self._policy.life_of(meter.interval), name))
            self._now_known(name)
        else:
            interval = meter.interval
            meter.apply(time, given, watermark, late_by)
            if meter.interval < interval:
                life = self._policy.life_of(meter.interval)
                heappush(self._expiries[partition], (meter.last_seen + life, name))
        oldest = (time if watermark is None else watermark) - self._policy.allowed_lateness
        meter.recent.put(time, kwh, oldest)
        self._queue(partition, meter)

    def _queue(self, partition: int, meter: MeterTruth) -> None:
        """See to it that the meter is looked at when it is due."""
        due = meter.due
        if due < meter.queued:
            meter.queued = due
            heappush(self._dues[partition], (due, meter.name))

    def _raise(self, partition: int, instant: int, *, by_reading: bool = False) -> None:
        watermark = self._watermarks[partition]
        if watermark is None or instant > watermark:
            self._watermarks[partition] = instant
            if by_reading and self._ends[partition] != NEVER:
                self._pass_end(partition)
            if self._kept[partition]:
                self._apply_kept(partition, watermark, instant)
        else:
            instant = watermark
        self._look(partition, instant)
        self._expire(partition, instant)

    def _pass_end(self, partition: int) -> None:
        """The stream goes on after the run that was settled: what waited for that is looked at again."""
        self._ends[partition] = NEVER
        for name, meter in self._meters.items():
            if self._partition_of(name) == partition:
                self._queue(partition, meter)

    def _look(self, partition: int, watermark: int) -> None:
        """Look at the meters of short intervals that are due."""
        dues, end = self._dues[partition], self._ends[partition]
        while dues and dues[0][0] <= watermark:
            due, name = heappop(dues)
            meter = self._meters.get(name)
            if meter is None or meter.queued != due:
                continue
            meter.settle(watermark, end)
            meter.queued = NEVER
            if meter.due > watermark:
                self._queue(partition, meter)

    def _expire(self, partition: int, watermark: int) -> None:
        """Give up the meters that were silent for too long."""
        expiries = self._expiries[partition]
        while expiries and expiries[0][0] <= watermark:
            _, name = heappop(expiries)
            meter = self._meters.get(name)
            if meter is None:
                continue
            due = meter.last_seen + self._policy.life_of(meter.interval)
            if due > watermark:
                heappush(expiries, (due, name))
                continue
            meter.settle(watermark, self._ends[partition], all_due=True)
            del self._meters[name]
            meter.finish(watermark, expired=True)
            self._intervals[meter.spacing] += 1

    def _apply_kept(self, partition: int, before: int | None, watermark: int) -> None:
        """The watermark has risen from `before` to `watermark`: kept readings up to there count now."""
        kept, bound = self._kept[partition], watermark + self._policy.max_out_of_orderness
        self._kept[partition] = [one for one in kept if one[0][0] > bound]
        for row, late_by in kept:
            if row[0] > bound:
                continue
            meter = self._meters.get(row[1])
            if meter is not None and before is not None:
                meter.settle(before, self._ends[partition])
                meter.forget(watermark)
            if meter is None or row[0] not in meter.recent:
                self._accept(partition, row, before, late_by)

    def _now_known(self, name: str) -> None:
        if name in self._unknown:
            first, last, count, cause = self._unknown.pop(name)
            self._report(NothingTruth(name, first, last + 1, count, _UNKNOWN, cause))
