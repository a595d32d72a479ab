"""What a score consists of. Times and durations in µs; docs/scoring.md has the formula of every figure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

YEAR = 31_557_600 * 1_000_000

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class FoundGap:
    """The last revision of a gap. `ranges` are what is missing still, [from, to) in steps of `interval`."""

    meter: str
    missing_from: int
    missing_to: int
    missing_intervals: int
    state: str
    detected_at: int
    interval: int = 0
    ranges: Ranges = ()
    #: Of local days or months, such as `1d Europe/Berlin`.
    calendar: str = ""


@dataclass(frozen=True)
class FoundLate:
    """A late event."""

    meter: str
    time: int


@dataclass
class Found:
    """All that was detected: `late_readings` and `revised` by (meter, time), `refused` by (encoding, raw)."""

    gaps: list[FoundGap] = field(default_factory=list)
    late: list[FoundLate] = field(default_factory=list)
    late_readings: set[tuple[str, int]] = field(default_factory=set)
    revised: set[tuple[str, int]] = field(default_factory=set)
    refused: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One thing that was not as expected, from `start` to `end`; `fault` is what had been injected there."""

    kind: str
    what: str
    meter: str
    at: str
    expected: str
    found: str
    fault: str = ""
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        about = f"{self.kind} {self.what}: {self.meter} at {self.at}"
        of = f" ({self.fault})" if self.fault else ""
        return f"{about}: expected {self.expected}{of}, found {self.found}"


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
        return {**asdict(self), "precision": self.precision, "recall": self.recall}


@dataclass
class Edges:
    """How far the edges of found gaps lie from the expected ones, over all pairs that overlap."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {"gaps": len(self.starts), "start": _errors(self.starts), "end": _errors(self.ends)}


def _errors(errors: list[int]) -> dict[str, Any]:
    """Exact ones, and seconds off: on average and at most."""
    off = [abs(error) / 1_000_000 for error in errors]
    return {
        "exact": sum(error == 0 for error in errors),
        "mean_seconds": sum(off) / len(off) if off else 0.0,
        "max_seconds": max(off, default=0.0),
    }


@dataclass
class Score:
    """The result. `kinds` has the rates of gaps and of readings by the kind of fault that they come from."""

    gaps: Rates = field(default_factory=Rates)
    late: Rates = field(default_factory=Rates)
    differences: list[Difference] = field(default_factory=list)
    unjudged: int = 0
    slots: Rates = field(default_factory=Rates)
    late_readings: Rates = field(default_factory=Rates)
    revised: Rates = field(default_factory=Rates)
    refused: Rates = field(default_factory=Rates)
    kinds: dict[tuple[str, str], Rates] = field(default_factory=lambda: defaultdict(Rates))
    edges: Edges = field(default_factory=Edges)
    #: Of matched gaps: the first missing slot, and how long after it the watermark was that settled it.
    detection: list[tuple[int, int]] = field(default_factory=list)
    #: Gaps reported where none was expected to overlap, and the time watched for them.
    false_alarms: int = 0
    meter_years: float = 0.0

    @property
    def parts(self) -> dict[str, Rates]:
        """Everything that is judged, by name."""
        return {
            "gaps": self.gaps,
            "missing slots": self.slots,
            "late events": self.late,
            "late readings": self.late_readings,
            "revisions": self.revised,
            "dead letters": self.refused,
        }

    @property
    def overall(self) -> Rates:
        """All but the slots, which are in the gaps."""
        parts = [rates for rates in self.parts.values() if rates is not self.slots]
        return Rates(
            sum(rates.expected for rates in parts),
            sum(rates.found for rates in parts),
            sum(rates.matched for rates in parts),
        )

    @property
    def perfect(self) -> bool:
        return not self.differences

    @property
    def false_alarm_rate(self) -> float | None:
        """False alarms a meter-year; None when no time was watched."""
        return self.false_alarms / self.meter_years if self.meter_years else None

    @property
    def seconds_to_detect(self) -> dict[str, float] | None:
        """Seconds of event time: median, 95th percentile, longest; None without a match."""
        if not self.detection:
            return None
        ordered = sorted(duration for _, duration in self.detection)
        high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        return {
            "median": median(ordered) / 1_000_000,
            "p95": high / 1_000_000,
            "max": ordered[-1] / 1_000_000,
        }

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            **{name.replace(" ", "_"): rates.as_dict() for name, rates in self.parts.items()},
            "overall": self.overall.as_dict(),
            "kinds": [
                {"kind": kind, "of": of, **rates.as_dict()}
                for (kind, of), rates in sorted(self.kinds.items())
            ],
            "edges": self.edges.as_dict(),
            "seconds_to_detect": self.seconds_to_detect,
            "false_alarms": self.false_alarms,
            "meter_years": self.meter_years,
            "false_alarms_per_meter_year": self.false_alarm_rate,
            "unjudged": self.unjudged,
            "differences": [
                {name: value for name, value in asdict(difference).items() if name not in ("start", "end")}
                for difference in self.differences
            ],
        }
