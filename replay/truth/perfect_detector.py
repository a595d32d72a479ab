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

from gridwatch.domain.policy import MINUTE, Policy
from replay.files.rows import Row
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
from replay.truth.meter import MeterTruth
from replay.truth.stretches import Stretches

_COPIES = ("duplicate", "revision")
#: Faults that make a reading late, or come twice.
_LATE_BY = ("delay", "upload", "reboot-storm", "clock", *_COPIES)
_UNKNOWN = "the meter was not known yet"


class Truth:
    """The simulation. `partition_of` places meters; `report` takes findings as they become final.

    Stamps after `latest` (µs, the time of sending and what clocks may be ahead of it) are refused.
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
        #: Readings beyond the jump guard, in order of arrival: (row, why their slot may have been empty).
        self._kept: list[list[tuple[Row, str]]] = [[] for _ in range(policy.partitions)]
        self._intervals: Counter[int] = Counter()
        self._stretches = Stretches(report)
        #: LATE readings that had no fault themselves: they are counted, not listed one by one.
        self.overtaken = 0
        #: The first and the last stamp sent, µs.
        self.first: int | None = None
        self.last: int | None = None
        self._names: set[str] = set()

    def see(self, item: Item) -> None:
        """Take the next item of the sequence."""
        row = item.row
        if row is None:
            for partition in range(len(self._watermarks)):
                self._raise(partition, item.instant)
            return
        meter = self._meters.get(row[1])
        given = row[3] * MINUTE or self._policy.default_interval
        self._stretches.see(item, meter.interval if meter else given)
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
                meter.settle(watermark)
            meter.finish(max(watermark or 0, meter.last_seen) + meter.interval, expired=False)
            self._intervals[meter.interval] += 1
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
    def meters(self) -> int:
        """How many meters have been known."""
        return len(self._names)

    @property
    def interval(self) -> int:
        """The interval of most meters at the end, µs; 0 without meters."""
        return self._intervals.most_common(1)[0][0] if self._intervals else 0

    def _lack(self, row: Row, cause: str) -> None:
        """This reading will not fill its slot, because of a fault."""
        time, name = row[0], row[1]
        meter = self._meters.get(name)
        if meter is None:
            if cause not in SOFT:
                first, _, count, kind = self._unknown.get(name, (time, 0, 0, cause))
                self._unknown[name] = (first, time, count + 1, kind)
            return
        watermark = self._watermarks[self._partition_of(name)]
        if watermark is not None:
            meter.settle(watermark)
        meter.lack(time, cause)

    def _arrive(self, row: Row, item: Item) -> None:
        time, name, kwh = row[0], row[1], row[2]
        refused = "" if 0 <= kwh <= self._policy.max_kwh else "NEGATIVE" if kwh < 0 else "OUT_OF_RANGE"
        if not refused and self._latest is not None and time > self._latest:
            refused = "FUTURE_TIMESTAMP"
        if refused:  # a dead letter: touches neither state nor watermark
            cause = next((kind for kind in item.faults if kind in ("spike", "clock")), NATIVE)
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
        if watermark is not None and lead - watermark > self._policy.max_watermark_jump:
            self._keep(partition, row, late_by)
            return
        delay = 0 if watermark is None else max(0, watermark - time)
        status: Status = (
            "TOO_LATE" if delay > self._policy.allowed_lateness else "LATE" if delay else "ON_TIME"
        )
        meter = self._meters.get(name)
        if meter is not None and watermark is not None:
            meter.settle(watermark)
        repeats = "" if status == "TOO_LATE" or meter is None else meter.repeats(time, kwh)
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
        elif repeats != "DUPLICATE":
            self._accept(partition, row, watermark, late_by)
            self._raise(partition, lead)

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
            self._raise(partition, min(max(others), time) - self._policy.max_out_of_orderness)
        del self._kept[partition][: -self._policy.max_held]

    def _accept(self, partition: int, row: Row, watermark: int | None, late_by: str) -> None:
        """A reading that counts, of a meter that is settled."""
        time, name, kwh, given, _ = row
        meter = self._meters.get(name)
        if meter is None:
            meter = self._meters[name] = MeterTruth(name, time, given * MINUTE, self._policy, self._report)
            self._names.add(name)
            heappush(self._expiries[partition], (time + self._policy.state_ttl, name))
            self._now_known(name)
        else:
            meter.apply(time, given * MINUTE, watermark, late_by)
        meter.remember(time, kwh, (time if watermark is None else watermark) - self._policy.allowed_lateness)

    def _raise(self, partition: int, instant: int) -> None:
        watermark = self._watermarks[partition]
        if watermark is not None and instant <= watermark:
            return
        self._watermarks[partition] = instant
        if self._kept[partition]:
            self._apply_kept(partition, watermark, instant)
        expiries = self._expiries[partition]
        while expiries and expiries[0][0] <= instant:
            _, name = heappop(expiries)
            meter = self._meters[name]
            due = meter.last_seen + self._policy.state_ttl
            if due > instant:
                heappush(expiries, (due, name))
                continue
            meter.settle(instant)
            del self._meters[name]
            meter.finish(instant, expired=True)
            self._intervals[meter.interval] += 1

    def _apply_kept(self, partition: int, before: int | None, watermark: int) -> None:
        """The watermark has risen from `before` to `watermark`: kept readings up to there count now."""
        kept, bound = self._kept[partition], watermark + self._policy.max_out_of_orderness
        self._kept[partition] = [one for one in kept if one[0][0] > bound]
        for row, late_by in kept:
            if row[0] > bound:
                continue
            meter = self._meters.get(row[1])
            if meter is not None and before is not None:
                meter.settle(before)
                meter.forget(watermark)
            if meter is None or row[0] not in meter.recent:
                self._accept(partition, row, before, late_by)

    def _now_known(self, name: str) -> None:
        if name in self._unknown:
            first, last, count, cause = self._unknown.pop(name)
            self._report(NothingTruth(name, first, last + 1, count, _UNKNOWN, cause))
