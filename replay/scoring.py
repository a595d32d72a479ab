"""The truth against what was detected: precision, recall, and every difference by name. Pure.

A gap counts as found when one was reported with the same meter, first missing slot, end, count and state.
One that is reported otherwise is both a miss and a false alarm. Not judged is what lies in an unjudged
stretch, before the replay's first reading, or after `settled_to`; a gap that was open at `settled_to` and
has changed since is judged by its beginning alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from gridwatch.domain.instants import format_instant
from replay.manifest import ExpectedGap, Manifest


@dataclass(frozen=True)
class FoundGap:
    """The last revision of a gap, times in µs."""

    meter: str
    missing_from: int
    missing_to: int
    missing_intervals: int
    state: str
    detected_at: int


@dataclass(frozen=True)
class FoundLate:
    """A late event, time in µs."""

    meter: str
    time: int


@dataclass(frozen=True)
class Difference:
    """One thing that was not as expected."""

    kind: str
    what: str
    meter: str
    at: str
    expected: str
    found: str

    def __str__(self) -> str:
        about = f"{self.kind} {self.what}: {self.meter} at {self.at}"
        return f"{about}: expected {self.expected}, found {self.found}"


@dataclass
class Rates:
    """How well one kind was detected. Without anything expected recall is 1, without a find precision is."""

    expected: int = 0
    found: int = 0
    matched: int = 0

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.matched / self.expected if self.expected else 1.0

    def as_dict(self) -> dict[str, Any]:
        return {
            "expected": self.expected,
            "found": self.found,
            "matched": self.matched,
            "precision": self.precision,
            "recall": self.recall,
        }


@dataclass
class Score:
    """The result: rates for gaps and late events, the differences, and what was left unjudged."""

    gaps: Rates = field(default_factory=Rates)
    late: Rates = field(default_factory=Rates)
    differences: list[Difference] = field(default_factory=list)
    unjudged: int = 0

    @property
    def overall(self) -> Rates:
        return Rates(
            self.gaps.expected + self.late.expected,
            self.gaps.found + self.late.found,
            self.gaps.matched + self.late.matched,
        )

    @property
    def perfect(self) -> bool:
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        return {
            "gaps": self.gaps.as_dict(),
            "late_events": self.late.as_dict(),
            "overall": self.overall.as_dict(),
            "unjudged": self.unjudged,
            "differences": [vars(difference) for difference in self.differences],
        }


def score(truth: Manifest, gaps: Iterable[FoundGap], late: Iterable[FoundLate]) -> Score:
    """Hold the last revisions of all gaps and all late events against the truth."""
    result = Score()
    judge = _Judge(truth)
    _score_gaps(result, judge, truth, gaps)
    _score_late(result, judge, truth, late)
    return result


class _Judge:
    """What of a meter is judged."""

    def __init__(self, truth: Manifest) -> None:
        self._truth = truth
        self._pattern = str(truth.head.get("meters", "*"))

    def replayed(self, meter: str, time: int) -> bool:
        """Whether the replay can have had to do with it."""
        return self._truth.first <= time and fnmatchcase(meter, self._pattern)

    def settled(self, meter: str, slot: int) -> bool:
        """Whether a slot was due by the end, on a grid that was known."""
        truth = self._truth
        if not self.replayed(meter, slot):
            return False
        if truth.settled_to is not None and slot + truth.grace > truth.settled_to:
            return False
        return not any(first <= slot < to for first, to in truth.unjudged.get(meter, ()))


def _score_gaps(result: Score, judge: _Judge, truth: Manifest, gaps: Iterable[FoundGap]) -> None:
    found: dict[tuple[str, int], FoundGap] = {}
    for gap in gaps:
        if gap.state == "RETRACTED":
            continue
        if not judge.settled(gap.meter, gap.missing_from):
            result.unjudged += 1
            continue
        found[gap.meter, gap.missing_from] = gap
    result.gaps.found = len(found)
    for expected in truth.gaps:
        if not judge.settled(expected.meter, expected.missing_from):
            result.unjudged += 1
            continue
        result.gaps.expected += 1
        seen = found.pop((expected.meter, expected.missing_from), None)
        if seen is not None and _agrees(expected, seen, truth.settled_to):
            result.gaps.matched += 1
        else:
            result.differences.append(
                Difference(
                    "gap",
                    "missed" if seen is None else "differs",
                    expected.meter,
                    format_instant(expected.missing_from),
                    _describe(expected),
                    "nothing" if seen is None else _describe(seen),
                )
            )
    result.differences += [
        Difference(
            "gap", "false alarm", gap.meter, format_instant(gap.missing_from), "nothing", _describe(gap)
        )
        for gap in found.values()
    ]


def _agrees(expected: ExpectedGap, seen: FoundGap, settled_to: int | None) -> bool:
    if expected.state == "OPEN" and settled_to is not None and seen.detected_at > settled_to:
        return True  # the stream went on after this replay
    return (expected.missing_to, expected.missing_intervals, expected.state) == (
        seen.missing_to,
        seen.missing_intervals,
        seen.state,
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
    for meter, time in sorted((expected - found) + (found - expected)):
        wanted, seen = expected[meter, time], found[meter, time]
        what = "missed" if wanted > seen else "false alarm"
        result.differences.append(
            Difference("late event", what, meter, format_instant(time), str(wanted), str(seen))
        )
