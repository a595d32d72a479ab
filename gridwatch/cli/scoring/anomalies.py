"""Anomalies in the database against those that were injected, where the definition decides.

An injected episode is decided where one of its windows begins an anomaly of its kind by docs/anomalies.md,
worked out from the stored windows (`beginnings.py`): a surge of a meter that is hardly known begins none. It
is found where an anomaly of that kind and meter overlaps it. Where only windows that are not sure begin one
it is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, get_args

from sqlalchemy import Connection

from gridwatch.cli.scoring.beginnings import Beginning, Judge, Nominal
from gridwatch.cli.scoring.judged import judged_of
from gridwatch.cli.scoring.readings import Reading
from gridwatch.cli.scoring.stored import Book, FoundAnomaly, Stored, anchors
from gridwatch.cli.scoring.sums import TABLES
from gridwatch.domain.instants import format_instant
from gridwatch.models.anomaly import AnomalyKind
from gridwatch.settings import Settings
from replay.scoring.figures import YEAR
from replay.truth.manifest import InjectedAnomaly, Manifest

KINDS: tuple[str, ...] = get_args(AnomalyKind)
SEVERITIES = ("low", "medium", "high", "critical")
_MILLI = 1000


@dataclass
class KindScore:
    """One kind: episodes that were injected and what became of them, and the anomalies of the database."""

    injected: int = 0
    decided: int = 0
    found: int = 0
    left_out: int = 0
    stored: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEVERITIES, 0))
    high: int = 0
    false_alarms: int = 0

    @property
    def recall(self) -> float:
        """Of the decided ones; 1 if there are none."""
        return self.found / self.decided if self.decided else 1.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "recall": self.recall}


@dataclass
class AnomalyScore:
    """All kinds; `missed` names the episodes that were decided and not found."""

    kinds: dict[str, KindScore] = field(default_factory=lambda: {kind: KindScore() for kind in KINDS})
    missed: list[str] = field(default_factory=list)
    windows: int = 0
    unsure_windows: int = 0
    meters: int = 0
    meters_left_out: int = 0
    meter_years: float = 0.0

    @property
    def total(self) -> KindScore:
        """All kinds together."""
        whole = KindScore()
        for kind in self.kinds.values():
            for name in ("injected", "decided", "found", "left_out", "high", "false_alarms"):
                setattr(whole, name, getattr(whole, name) + getattr(kind, name))
            for severity, count in kind.stored.items():
                whole.stored[severity] += count
        return whole

    @property
    def rows(self) -> dict[str, KindScore]:
        """What a table shows: the kinds that there are, and all together."""
        shown = {kind: one for kind, one in self.kinds.items() if one.injected or any(one.stored.values())}
        return {**shown, "overall": self.total}

    @property
    def figures(self) -> list[str]:
        """What is told beside the table."""
        alarms = self.total.false_alarms
        rate = f", {alarms / self.meter_years:.2f} a meter-year" if self.meter_years else ""
        return [
            f"anomalies: false alarms of confidence high, in no episode of their meter: {alarms:,}{rate}",
            f"anomalies: left out {self.unsure_windows:,} of {self.windows:,} windows, which were revised or "
            f"late, and {self.meters_left_out:,} of {self.meters:,} meters, whose interval changed",
        ]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        alarms = self.total.false_alarms
        return {
            "kinds": {kind: one.as_dict() for kind, one in self.kinds.items()},
            "overall": self.total.as_dict(),
            "false_alarms_per_meter_year": alarms / self.meter_years if self.meter_years else None,
            "meter_years": self.meter_years,
            "windows": self.windows,
            "windows_left_out": self.unsure_windows,
            "meters": self.meters,
            "meters_left_out": self.meters_left_out,
            "missed": self.missed,
        }


def score_anomalies(connection: Connection, truth: Manifest, settings: Settings) -> AnomalyScore | None:
    """Score the anomalies of the settings' flow; None where none were injected, or none are looked for."""
    policy = settings.policy()
    until = truth.first if truth.settled_to is None else truth.settled_to
    if not truth.anomalies or not policy.judges:
        return None
    episodes: dict[str, list[InjectedAnomaly]] = defaultdict(list)
    for episode in joined(truth.anomalies):
        episodes[episode.meter].append(episode)
    found: dict[str, list[FoundAnomaly]] = defaultdict(list)
    # One that is open goes on, so those from before the replay count too.
    for meter, row in Stored(connection, settings.flow, 0, until).anomalies():
        found[meter].append(row)
    result = AnomalyScore()
    whole = int(truth.head.get("meter_count", 0)) * max(0, until - truth.first)
    result.meter_years = whole / YEAR
    nominal = Nominal(round(policy.nominal_voltage * _MILLI), round(policy.nominal_frequency * _MILLI))
    book = Book(connection, truth.head.get("timezone"), policy.timezone)
    at_end = anchors(connection)
    longest = policy.judged_window or 0
    stored = Stored(connection, settings.flow, 0, until, sorted(episodes))
    for meter, readings, rows in by_meter(stored, longest if longest in policy.windows else 0):
        result.meters += 1
        end_anchor = at_end.get(meter, policy.anchor) == "end"
        windows = judged_of(readings, rows, longest, end_anchor=end_anchor) if readings else None
        lag = readings[-1].interval if end_anchor and readings else 0
        own = episodes[meter] = [_earlier(episode, lag) for episode in episodes[meter]]
        if windows is None:
            result.meters_left_out += 1
            for episode in own:
                result.kinds[episode.kind].left_out += 1
            continue
        inside = [window for window in windows if window.start >= truth.first]
        result.windows += len(inside)
        result.unsure_windows += sum(not window.sure for window in inside)
        begun = list(Judge(book.days(meter, readings[-1].region), nominal).beginnings(windows))
        for episode in own:
            _judge(result, episode, begun, found[meter])
    _count(result, found, episodes, truth.first)
    return result


def _earlier(episode: InjectedAnomaly, lag: int) -> InjectedAnomaly:
    """An episode by the time that its readings cover, where their stamps are so much later."""
    first, to = episode.first - lag, episode.to - lag
    return InjectedAnomaly(episode.meter, episode.fault, episode.kind, first, to, episode.size)


def joined(anomalies: Iterable[InjectedAnomaly]) -> Iterator[InjectedAnomaly]:
    """Episodes whole: where other faults lay between, the manifest has them in parts."""
    open_: InjectedAnomaly | None = None
    for one in sorted(anomalies, key=lambda one: (one.meter, one.fault, one.first)):
        if (
            open_ is not None
            and (open_.meter, open_.fault) == (one.meter, one.fault)
            and one.first <= open_.to
        ):
            open_ = InjectedAnomaly(
                one.meter, one.fault, one.kind, open_.first, max(open_.to, one.to), open_.size
            )
            continue
        if open_ is not None:
            yield open_
        open_ = one
    if open_ is not None:
        yield open_


def by_meter(
    stored: Stored, length: int
) -> Iterator[tuple[str, list[Reading], Mapping[int, Mapping[str, Any]]]]:
    """The readings and the windows of each meter."""
    readings: Iterator[tuple[str, bool, Any]] = ((meter, False, one) for meter, one in stored.readings())
    windows: Iterator[tuple[str, bool, Any]] = (
        (meter, True, row) for meter, row in (stored.windows(TABLES[length]) if length else ())
    )
    for meter, rows in groupby(merge(readings, windows, key=itemgetter(0)), key=itemgetter(0)):
        own: list[Reading] = []
        of_start: dict[int, Mapping[str, Any]] = {}
        for _, is_window, row in rows:
            if is_window:
                of_start[row["start"]] = row
            else:
                own.append(row)
        yield meter, own, of_start


def _judge(
    result: AnomalyScore,
    episode: InjectedAnomaly,
    begun: Sequence[Beginning],
    found: Sequence[FoundAnomaly],
) -> None:
    """Score one episode."""
    kind, first, to = result.kinds[episode.kind], episode.first, episode.to
    begins = [one for one in begun if one.kind == episode.kind and one.start < to and one.end > first]
    sure = [one for one in begins if one.sure]
    if not sure:
        kind.left_out += bool(begins)
        return
    kind.decided += 1
    if any(one.kind == episode.kind and one.overlaps(first, to) for one in found):
        kind.found += 1
        return
    span = f"{format_instant(first)} to {format_instant(to)}"
    result.missed.append(
        f"{episode.kind} missed: {episode.meter} from {span} ({episode.fault}), begins with the window of "
        f"{format_instant(sure[0].start)}"
    )


def _count(
    result: AnomalyScore,
    found: Mapping[str, Sequence[FoundAnomaly]],
    episodes: Mapping[str, Sequence[InjectedAnomaly]],
    first: int,
) -> None:
    """Count the episodes by kind, the anomalies of the replay's time by kind and severity too, and those that
    nothing was done for."""
    for own in episodes.values():
        for episode in own:
            result.kinds[episode.kind].injected += 1
    for meter, rows in found.items():
        for one in rows:
            if one.start < first:
                continue
            kind = result.kinds[one.kind]
            kind.stored[one.severity] += 1
            if one.confidence == "high":
                kind.high += 1
                kind.false_alarms += not any(one.overlaps(of.first, of.to) for of in episodes.get(meter, ()))
