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
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from gridwatch.domain.policy import Policy
from replay.emission import Item, Kind
from replay.findings import (
    NATIVE,
    OVERTAKEN,
    SOFT,
    Finding,
    GapTruth,
    NothingTruth,
    ReadingTruth,
    RefusedTruth,
    Status,
    Unjudged,
)
from replay.meter_truth import MeterTruth
from replay.rows import Row
from replay.stretches import Stretches

_MINUTE = 60_000_000
_COPIES = ("duplicate", "revision")
#: Faults that make a reading late, or come twice.
_LATE_BY = ("delay", "upload", "reboot-storm", "clock", *_COPIES)
_UNKNOWN = "the meter was not known yet"
_FILLED = "its slot was filled by another reading"


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
        #: LATE readings that had no fault themselves: they are counted, not told one by one.
        self.overtaken = 0
        #: The first and the last stamp sent, µs, and how many meters and readings.
        self.first: int | None = None
        self.last: int | None = None
        self._names: set[str] = set()
        self.readings = 0

    def see(self, item: Item) -> None:
        """Take the next item of the sequence."""
        row = item.row
        if row is None:
            for partition in range(len(self._watermarks)):
                self._raise(partition, item.instant)
            return
        meter = self._meters.get(row[1])
        given = row[3] * _MINUTE or self._policy.default_interval
        self._stretches.see(item, meter.interval if meter else given)
        if item.kind is Kind.WITHHELD:
            self._lack(row, item.faults[-1] if item.faults else "gap")
        elif item.kind is Kind.GARBAGE:
            cause = item.faults[-1]
            self._report(RefusedTruth(row[1], row[0], cause, "", row[4].encode("latin-1")))
            self._lack(row, cause)
        else:
            self._arrive(row, item)

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
            self._not_missing(name, meter, list(meter.withheld), "not settled before the end")
            self._clear_up(name, meter, max(watermark or 0, meter.last_seen) + meter.interval)
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
            self._settle(name, meter, watermark)
        slot = meter.slot(time)
        lacking = None if slot is None or slot >= meter.edge else meter.lacking(time)
        if slot is not None and slot >= meter.edge and slot not in meter.ahead:
            if cause not in SOFT or slot not in meter.withheld:
                meter.withheld[slot] = cause
        elif lacking is not None:
            lacking[0].causes[cause] += 1
        elif meter.unclear is not None:
            meter.unclear = (meter.unclear[0], meter.unclear[1] + _hard([cause]), meter.unclear[2])
        elif cause not in SOFT:
            why = "off the meter's grid" if slot is None else _FILLED
            self._report(NothingTruth(name, time, time + 1, 1, why, cause))

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
        self.readings += 1
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
            self._settle(name, meter, watermark)
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
        del self._kept[partition][: -self._policy.max_kept_ahead]

    def _accept(self, partition: int, row: Row, watermark: int | None, late_by: str) -> None:
        """A reading that counts, of a meter that is settled."""
        time, name, kwh, given, _ = row
        meter = self._meters.get(name)
        if meter is None:
            meter = self._meters[name] = MeterTruth(
                time, given * _MINUTE or self._policy.default_interval, bool(given)
            )
            self._names.add(name)
            heappush(self._expiries[partition], (time + self._policy.state_ttl, name))
            self._now_known(name)
            repeats = False
        else:
            repeats = time in meter.recent
            self._apply(name, meter, time, given * _MINUTE, repeats, late_by)
        meter.remember(time, kwh, (time if watermark is None else watermark) - self._policy.allowed_lateness)

    def _apply(  # noqa: PLR0917 - what the rules ask about a reading
        self, name: str, meter: MeterTruth, time: int, given: int, repeats: bool, late_by: str
    ) -> None:
        latest = time > meter.last_seen
        if given and time >= meter.last_seen:
            meter.given = True
            if given != meter.interval:
                meter.last_seen = time
                self._change_grid(name, meter, (time, time), given, "the interval was given anew")
                return
        if repeats:
            return  # a revision: only an interval that it gives is news
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
        elif meter.strays(time, slot):
            span = (meter.off_grid[0], time)
            self._change_grid(name, meter, span, meter.interval, "the readings changed phase")
        elif slot is None or slot < meter.edge:
            meter.fill_missing(time, late_by)
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
        injected = sum(gap.injected for gap in touched) + _hard(meter.withheld.values())
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
        injected += _hard([meter.withheld.pop(slot) for slot in list(meter.withheld) if slot < meter.edge])
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
            for slot in [slot for slot in meter.withheld if slot <= last]:
                meter.open.causes[meter.withheld.pop(slot)] += 1
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
            self._not_missing(name, meter, [slot for slot in meter.withheld if slot < meter.edge], _FILLED)

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
            self._settle(name, meter, instant)
            del self._meters[name]
            if meter.open is not None:
                meter.open.end("EXPIRED")
                meter.ended.append(meter.open)
            for gap in meter.ended:
                self._report(gap)
            self._not_missing(name, meter, list(meter.withheld), "the meter had been given up")
            self._clear_up(name, meter, instant)
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
                self._settle(row[1], meter, before)
                self._forget(meter, watermark)
            if meter is None or row[0] not in meter.recent:
                self._accept(partition, row, before, late_by)

    def _not_missing(self, name: str, meter: MeterTruth, slots: Iterable[int], why: str) -> None:
        for slot in sorted(slots):
            cause = meter.withheld.pop(slot)
            if cause not in SOFT:
                self._report(NothingTruth(name, slot, slot + meter.interval, 1, why, cause))

    def _now_known(self, name: str) -> None:
        if name in self._unknown:
            first, last, count, cause = self._unknown.pop(name)
            self._report(NothingTruth(name, first, last + 1, count, _UNKNOWN, cause))


def _hard(causes: Iterable[str]) -> int:
    return sum(cause not in SOFT for cause in causes)
