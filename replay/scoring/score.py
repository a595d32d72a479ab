"""The truth against what was detected: precision, recall, and every difference by name. Pure.

A gap counts as found when one was reported with the same meter, first missing slot, end, count and state.
One that is reported otherwise is both a miss and a false alarm in the rates; where it overlaps the expected
one it tells how far the edges are off. Not judged is what lies in an unjudged stretch, before the replay's
first reading, or after `settled_to`; a gap that was open at `settled_to` and has changed since is judged by
its beginning alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase

from gridwatch.domain.instants import format_instant
from replay.files.spacing import Spacing
from replay.scoring.figures import YEAR, Difference, Found, FoundGap, FoundLate, Rates, Score
from replay.truth.manifest import ExpectedGap, Manifest

__all__ = ["Difference", "Found", "FoundGap", "FoundLate", "Rates", "Score", "score"]

#: The kind of what nothing had been injected for.
NO_FAULT = "none"


def score(truth: Manifest, found: Found) -> Score:
    """Hold what was detected against the truth."""
    result = Score()
    judge = _Judge(truth)
    _score_gaps(result, judge, truth, found.gaps)
    _score_late(result, judge, truth, found.late)
    _score_readings(result, judge, truth, found)
    _score_refused(result, truth, found.refused)
    result.meter_years = judge.meter_time / YEAR
    return result


class _Judge:
    """What of a meter is judged."""

    def __init__(self, truth: Manifest) -> None:
        self._truth = truth
        self._pattern = str(truth.head.get("meters", "*"))

    @property
    def meter_time(self) -> int:
        """How long meters were watched, all together, µs."""
        truth = self._truth
        whole = int(truth.head.get("meter_count", 0)) * max(0, (truth.settled_to or 0) - truth.first)
        return max(0, whole - sum(to - first for spans in truth.unjudged.values() for first, to in spans))

    def replayed(self, meter: str, time: int) -> bool:
        """Whether the replay can have had to do with it."""
        # A meter that was swapped goes on under its id with a number after the tilde.
        ids = (meter, meter.rpartition("~")[0])
        return self._truth.first <= time and any(fnmatchcase(name, self._pattern) for name in ids)

    def settled(self, meter: str, slot: int, interval: int) -> bool:
        """Whether a slot was due by the end, on a grid that was known."""
        truth = self._truth
        if not self.replayed(meter, slot):
            return False
        if not truth.was_due(slot, interval):
            return False
        return not any(first <= slot < to for first, to in truth.unjudged.get(meter, ()))


def _score_gaps(result: Score, judge: _Judge, truth: Manifest, gaps: Iterable[FoundGap]) -> None:
    found: dict[tuple[str, int], FoundGap] = {}
    for gap in gaps:
        if gap.state == "RETRACTED":
            continue
        if not judge.settled(gap.meter, gap.missing_from, gap.interval):
            result.unjudged += 1
            continue
        found[gap.meter, gap.missing_from] = gap
    result.gaps.found = len(found)
    result.slots.found = sum(gap.missing_intervals for gap in found.values())
    missed: list[ExpectedGap] = []
    for expected in truth.gaps:
        if not judge.settled(expected.meter, expected.missing_from, expected.interval):
            result.unjudged += 1
            continue
        kind = result.kinds[expected.kind, "gaps"]
        result.gaps.expected += 1
        kind.expected += 1
        result.slots.expected += expected.missing_intervals
        seen = found.get((expected.meter, expected.missing_from))
        if seen is not None and _agrees(expected, seen, truth.settled_to):
            del found[expected.meter, expected.missing_from]
            result.gaps.matched += 1
            kind.matched += 1
            kind.found += 1
            _pair(result, truth, expected, seen)
            result.detection.append((seen.missing_from, seen.detected_at - seen.missing_from))
        else:
            missed.append(expected)
    _differ(result, truth, missed, found)


def _differ(
    result: Score, truth: Manifest, missed: list[ExpectedGap], found: dict[tuple[str, int], FoundGap]
) -> None:
    """Name what was missed, and what was reported instead or without any reason."""
    by_meter: dict[str, list[FoundGap]] = {}
    for gap in sorted(found.values(), key=lambda gap: gap.missing_from):
        by_meter.setdefault(gap.meter, []).append(gap)
    paired: set[FoundGap] = set()
    for expected in missed:
        overlapping = [
            gap
            for gap in by_meter.get(expected.meter, ())
            if gap.missing_from < expected.missing_to and expected.missing_from < gap.missing_to
        ]
        for gap in overlapping:
            if gap not in paired:
                paired.add(gap)
                result.kinds[expected.kind, "gaps"].found += 1
            _pair(result, truth, expected, gap)
        result.differences.append(
            Difference(
                "gap",
                "differs" if overlapping else "missed",
                expected.meter,
                format_instant(expected.missing_from),
                _describe(expected),
                " and ".join(_describe(gap) for gap in overlapping) or "nothing",
                expected.kind,
                expected.missing_from,
                expected.missing_to,
            )
        )
    for gap in found.values():
        if gap not in paired:
            result.false_alarms += 1
            result.kinds[NO_FAULT, "gaps"].found += 1
            start, end = gap.missing_from, gap.missing_to
            at, what = format_instant(start), _describe(gap)
            result.differences.append(
                Difference("gap", "false alarm", gap.meter, at, "nothing", what, "", start, end)
            )


def _pair(result: Score, truth: Manifest, expected: ExpectedGap, seen: FoundGap) -> None:
    """One that was expected and one that was found, about the same stretch of a meter."""
    if not _went_on(expected, seen, truth.settled_to):
        result.edges.starts.append(seen.missing_from - expected.missing_from)
        result.edges.ends.append(seen.missing_to - expected.missing_to)
        result.slots.matched += _shared(expected, seen)
    else:
        # Only what was missing by the end of the replay is judged.
        result.slots.matched += expected.missing_intervals
        result.slots.found += expected.missing_intervals - seen.missing_intervals


def _shared(expected: ExpectedGap, seen: FoundGap) -> int:
    if expected.ranges == seen.ranges:
        return expected.missing_intervals
    return len(_slots(expected) & _slots(seen))


def _slots(gap: ExpectedGap | FoundGap) -> set[int]:
    if not gap.calendar:
        return {slot for start, to in gap.ranges for slot in range(start, to, gap.interval)}
    days = Spacing.of_calendar(gap.calendar)
    return {days.after(start, n) for start, to in gap.ranges for n in range(days.steps(start, to))}


def _went_on(expected: ExpectedGap, seen: FoundGap, settled_to: int | None) -> bool:
    """Whether the stream went on after this replay, and with it a gap that was open then."""
    return expected.state == "OPEN" and settled_to is not None and seen.detected_at > settled_to


def _agrees(expected: ExpectedGap, seen: FoundGap, settled_to: int | None) -> bool:
    return _went_on(expected, seen, settled_to) or (
        (expected.missing_to, expected.missing_intervals, expected.state)
        == (seen.missing_to, seen.missing_intervals, seen.state)
    )


def _describe(gap: ExpectedGap | FoundGap) -> str:
    return f"{gap.state} to {format_instant(gap.missing_to)} with {gap.missing_intervals} missing"


def _score_late(result: Score, judge: _Judge, truth: Manifest, late: Iterable[FoundLate]) -> None:
    found: Counter[tuple[str, int]] = Counter()
    for event in late:
        if judge.replayed(event.meter, event.time) and event.time <= truth.last:
            found[event.meter, event.time] += 1
        else:
            result.unjudged += 1
    expected = truth.late
    result.late.expected = expected.total()
    result.late.found = found.total()
    result.late.matched = (expected & found).total()
    for key, wanted in expected.items():
        rates = result.kinds[truth.kinds.get(key, "delay"), "late events"]
        rates.expected += wanted
        rates.matched += min(wanted, found[key])
        rates.found += min(wanted, found[key])
    for meter, time in sorted((expected - found) + (found - expected)):
        wanted, seen = expected[meter, time], found[meter, time]
        if wanted < seen:
            result.kinds[NO_FAULT, "late events"].found += seen - wanted
        what = "missed" if wanted > seen else "false alarm"
        fault = truth.kinds.get((meter, time), "")
        result.differences.append(
            Difference(
                "late event", what, meter, format_instant(time), str(wanted), str(seen), fault, time, time
            )
        )


def _score_readings(result: Score, judge: _Judge, truth: Manifest, found: Found) -> None:
    """Readings that were marked late, or as another value of a stamp that had one."""
    for name, mark, rates, expected, all_seen in (
        ("late readings", "LATE", result.late_readings, truth.late_readings, found.late_readings),
        ("revisions", "REVISED", result.revised, truth.revised, found.revised),
    ):
        seen = {key for key in all_seen if judge.replayed(*key) and key[1] <= truth.last}
        if name == "late readings" and truth.head.get("overtaken"):
            # Some were late only because a wrong clock had moved the watermark: those are not listed.
            result.unjudged += len(seen - expected.keys())
            seen &= expected.keys()
        rates.expected, rates.found = len(expected), len(seen)
        rates.matched = len(seen & expected.keys())
        for key, fault in expected.items():
            kind = result.kinds[fault, name]
            kind.expected += 1
            kind.matched += key in seen
            kind.found += key in seen
        for meter, time in sorted(seen ^ expected.keys()):
            missed = (meter, time) in expected
            if not missed:
                result.kinds[NO_FAULT, name].found += 1
            words = (mark, "not marked") if missed else ("not marked", mark)
            what, fault = ("missed" if missed else "false alarm"), expected.get((meter, time), "")
            result.differences.append(
                Difference("reading", what, meter, format_instant(time), *words, fault, time, time)
            )


def _score_refused(result: Score, truth: Manifest, found: dict[tuple[str, str], int]) -> None:
    """Records that were no reading; whatever else is among the dead letters is not judged."""
    for key, expected in truth.refused.items():
        seen = min(expected.count, found.get(key, 0))
        for rates in (result.refused, result.kinds[expected.kind, "dead letters"]):
            rates.expected += expected.count
            rates.found += seen
            rates.matched += seen
        if seen < expected.count:
            at, wanted = format_instant(expected.time), f"{expected.count} of {key[1][:40]!r}"
            span = (expected.time, expected.time)
            result.differences.append(
                Difference(
                    "dead letter", "missed", expected.meter, at, wanted, str(seen), expected.kind, *span
                )
            )
