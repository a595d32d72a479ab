"""A plain count of missing readings, without any rules: was each withheld reading reported missing, and was
each reading reported missing withheld?

The score compares the detector with a second implementation of the rules; this count would show an error
common to both. Nothing is excluded here: what no detector can know (a meter that has not been seen yet)
counts as not reported, and the manifest's reasons explain it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from replay.order.emission import Item, Kind
from replay.scoring.score import FoundGap
from replay.truth.findings import SOFT
from replay.truth.manifest import Manifest

#: How far a reading may be from its slot, µs.
_NEAR = 5 * 60_000_000


@dataclass
class PlainCount:
    """Readings `withheld` and of them `reported`; slots reported `missing` and of them really `empty`."""

    readings: int = 0
    withheld: int = 0
    reported: int = 0
    missing: int = 0
    empty: int = 0
    #: The explanations of readings not reported, or reported but not missing, with their counts.
    why: Counter[str] = field(default_factory=Counter)

    def add(self, other: PlainCount) -> None:
        """Add another replay's count."""
        for name in ("readings", "withheld", "reported", "missing", "empty"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.why += other.why


def count(items: Iterable[Item], gaps: Iterable[FoundGap], truth: Manifest, interval: int) -> PlainCount:
    """Count one replay whose meters report every `interval` (µs); half of that makes a reading a slot's."""
    result = PlainCount()
    sent: dict[str, list[int]] = defaultdict(list)
    withheld: dict[str, list[int]] = defaultdict(list)
    clocks: set[str] = set()
    for item in items:
        if item.row is None or (item.faults and item.faults[-1] in SOFT and item.kind is Kind.WITHHELD):
            continue
        meter = item.row[1]
        if "clock" in item.faults:
            clocks.add(meter)
        if item.kind is Kind.READING:
            sent[meter].append(item.row[0])
            result.readings += 1
        else:
            withheld[meter].append(item.row[0])
    missing: dict[str, list[int]] = defaultdict(list)
    for gap in gaps:
        for start, to in gap.ranges:
            missing[gap.meter] += range(start, to, gap.interval)
    for times in (*sent.values(), *missing.values()):
        times.sort()
    for meter, times in withheld.items():
        for time in times:
            result.withheld += 1
            if _near(missing[meter], time, interval):
                result.reported += 1
            else:
                result.why[f"not reported: {_reason(truth, clocks, meter, time)}"] += 1
    for meter, slots in missing.items():
        for slot in slots:
            result.missing += 1
            if not _near(sent[meter], slot, interval):
                result.empty += 1
            elif not _near(sent[meter], slot, 2 * _NEAR):
                result.why["reported, and one came off the grid"] += 1
            else:
                result.why[f"reported, and came: {_reason(truth, clocks, meter, slot)}"] += 1
    return result


def _near(times: list[int], time: int, interval: int) -> bool:
    """Whether one of `times` lies within half an interval of `time`."""
    at = bisect_left(times, time - interval // 2 + 1)
    return at < len(times) and times[at] < time + interval // 2


def _reason(truth: Manifest, clocks: set[str], meter: str, time: int) -> str:
    """The manifest's entries for a meter at this time."""
    for first, to, why in truth.not_missing.get(meter, ()):
        if first - _NEAR <= time < to + _NEAR:
            return why
    if meter in clocks:
        return "the meter's clock was wrong"
    if any(first <= time < to for first, to in truth.unjudged.get(meter, ())):
        return "the meter's grid was not settled"
    return "not explained"
