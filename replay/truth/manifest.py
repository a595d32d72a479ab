"""The truth manifest: JSON lines, a head first, then one line a fault, native gap or unjudged stretch.

`kind` is the kind of the fault (`replay.faults.catalogue`), `native` for what the file had by itself, or
`overtaken` for what had no fault itself but was late by a watermark that a wrong clock had moved ahead.

    with a gap      missing slots; `slots` counts all of them, `injected_slots` those whose reading was
                    withheld, `faults` says how many slots each fault left empty
    with a reading  a reading that came late or twice: `from` its time, `to` its arrival
    with a dead letter  what is no reading
    with nothing    what was done, and no detector of gaps and lateness may report; `anomaly` is the kind of
                    anomaly that it is, `size` what was done to the values
    unjudged        a stretch of a meter whose grid was not settled yet

`expect` is what a perfect detector reports at the end: {"gap": {…}}, {"reading": {"status",
"delay_seconds", "flags"}}, {"dead_letter": {…}}, "nothing", or "unjudged". The head is known last, so the
lines wait in a file beside it; the manifest appears whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from gridwatch.codecs.wire import raw_text
from gridwatch.domain.instants import format_instant, minutes_of, parse_instant
from gridwatch.domain.policy import MINUTE, SECOND, grace_of
from gridwatch.errors import GridwatchError
from replay.files.spacing import Spacing
from replay.truth.anomalies import ANOMALIES
from replay.truth.findings import (
    FaultTruth,
    Finding,
    GapTruth,
    NothingTruth,
    ReadingTruth,
    RefusedTruth,
    Unjudged,
)

VERSION = 1


class ManifestWriter:
    """Takes findings as they become final; `close(head)` puts the manifest in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._body = path.with_name(path.name + ".body")
        self.counts: Counter[str] = Counter()
        try:
            self._file = self._body.open("w", encoding="utf-8")
        except OSError as problem:
            raise GridwatchError(
                f"{path}: cannot be written: {problem.strerror}", "name another --truth"
            ) from problem

    def __enter__(self) -> ManifestWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._body.unlink(missing_ok=True)

    def report(self, finding: Finding) -> None:
        """Write one finding."""
        line = _line(finding)
        self.counts[line["kind"]] += 1
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self, head: dict[str, Any]) -> None:
        """Put `head` before the lines and the whole in its place."""
        self._file.close()
        whole = self._path.with_name(self._path.name + ".whole")
        with whole.open("w", encoding="utf-8") as target, self._body.open(encoding="utf-8") as body:
            target.write(json.dumps({"kind": "head", "version": VERSION, **head}, ensure_ascii=False) + "\n")
            shutil.copyfileobj(body, target)
        whole.replace(self._path)


def _line(finding: Finding) -> dict[str, Any]:
    return _LINES[type(finding)](finding)


def _start(kind: str, meter: str, first: int, to: int, slots: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "meter_id": meter,
        "from": format_instant(first),
        "to": format_instant(to),
        "slots": slots,
    }


def interval_of(spacing: Spacing) -> dict[str, Any]:
    """An interval as manifests have it: its length, and the calendar of local days or months."""
    length = {"interval_minutes": minutes_of(spacing.length), "interval_seconds": spacing.length // SECOND}
    return {**length, "calendar": spacing.calendar} if spacing.calendar else length


def _gap(finding: GapTruth) -> dict[str, Any]:
    first = format_instant(finding.first)
    return {
        **_start(finding.kind, finding.meter, finding.first, finding.stop, finding.slots),
        "injected_slots": finding.injected,
        "faults": dict(finding.causes or finding.fillers),
        "expect": {
            "gap": {
                "gap_id": f"{finding.meter}@{first}",
                "state": finding.state,
                "missing_from": first,
                "missing_to": format_instant(finding.to),
                "missing_intervals": finding.missing,
                "filled_intervals": len(finding.filled),
                **interval_of(finding.spacing),
                "missing_ranges": [[format_instant(at) for at in both] for both in finding.ranges],
            }
        },
    }


def _reading(finding: ReadingTruth) -> dict[str, Any]:
    line = _start(finding.kind, finding.meter, finding.time, finding.arrival, 1)
    if finding.repeats == "DUPLICATE" or (finding.status == "ON_TIME" and not finding.repeats):
        return {**line, "expect": "nothing"}
    reading: dict[str, Any] = {"status": finding.status, "delay_seconds": finding.delay / 1_000_000}
    if finding.repeats:
        reading["flags"] = [finding.repeats]
    return {**line, "expect": {"reading": reading}}


def _refused(finding: RefusedTruth) -> dict[str, Any]:
    expected: dict[str, Any] = {"reasons": [finding.reason]} if finding.reason else {}
    if finding.raw is not None:
        expected["raw"], expected["raw_encoding"] = raw_text(finding.raw)
    return {
        **_start(finding.kind, finding.meter, finding.time, finding.time, 1),
        "expect": {"dead_letter": expected},
    }


def _fault(finding: FaultTruth) -> dict[str, Any]:
    line = _start(finding.kind, finding.meter, finding.first, finding.to, finding.slots)
    if any(finding.offsets):
        line["clock_offset_seconds"] = [offset / 1_000_000 for offset in finding.offsets]
    if finding.kind in ANOMALIES:
        line["anomaly"] = ANOMALIES[finding.kind]
    if finding.size is not None:
        line["size"] = finding.size
    return {**line, "expect": "nothing"}


def _nothing(finding: NothingTruth) -> dict[str, Any]:
    line = _start(finding.kind, finding.meter, finding.first, finding.to, finding.slots)
    return {**line, "expect": "nothing", "why": finding.why}


def _unjudged(finding: Unjudged) -> dict[str, Any]:
    line = _start("unjudged", finding.meter, finding.first, finding.to, finding.injected)
    return {**line, "expect": "unjudged", "why": finding.why}


_LINES: dict[type, Callable[[Any], dict[str, Any]]] = {
    GapTruth: _gap,
    ReadingTruth: _reading,
    RefusedTruth: _refused,
    FaultTruth: _fault,
    NothingTruth: _nothing,
    Unjudged: _unjudged,
}


@dataclass(frozen=True)
class ExpectedGap:
    """A gap that must be reported, times in µs. `ranges`: what is missing still, in steps of `interval`."""

    meter: str
    missing_from: int
    missing_to: int
    missing_intervals: int
    state: str
    kind: str = "gap"
    interval: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    calendar: str = ""


@dataclass(frozen=True)
class InjectedAnomaly:
    """An episode of a fault that is an anomaly of this kind, `first` ≤ time < `to` (µs)."""

    meter: str
    fault: str
    kind: str
    first: int
    to: int
    size: float | None = None


@dataclass
class ExpectedRefusal:
    """A record that must be refused, how often, and the first time (µs) and meter that it was sent for."""

    kind: str
    meter: str
    time: int
    count: int = 0


@dataclass
class Manifest:
    """A manifest as `score` needs it. Times in µs; readings are identified by (meter, time)."""

    head: dict[str, Any]
    first: int
    last: int
    settled_to: int | None
    grace: int
    #: Slots after it were not to become missing: the last event time sent; None where a manifest has none.
    end: int | None = None
    gaps: list[ExpectedGap] = field(default_factory=list)
    #: TOO_LATE readings, and which fault made them so.
    late: Counter[tuple[str, int]] = field(default_factory=Counter)
    kinds: dict[tuple[str, int], str] = field(default_factory=dict)
    #: Readings that must be marked LATE or REVISED, each with its fault.
    late_readings: dict[tuple[str, int], str] = field(default_factory=dict)
    revised: dict[tuple[str, int], str] = field(default_factory=dict)
    #: Records that are no reading, by (encoding, raw).
    refused: dict[tuple[str, str], ExpectedRefusal] = field(default_factory=dict)
    unjudged: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    #: By meter: withheld readings that no detector can miss, from, to, and why.
    not_missing: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    anomalies: list[InjectedAnomaly] = field(default_factory=list)

    def was_due(self, slot: int, interval: int) -> bool:
        """Whether a slot of a meter with this interval (0: unknown) was to be settled by the end."""
        if self.settled_to is None:
            return True
        grace = grace_of(interval, self.grace) if interval else self.grace
        return slot + grace <= self.settled_to and (self.end is None or slot <= self.end)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. GridwatchError names the line that is not one."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = _numbered(path, file)
            number, head = next(lines, (0, {}))
            if head.get("kind") != "head" or head.get("version") != VERSION:
                raise GridwatchError(f"{path}, line {number or 1}: no head of a truth manifest", _REMEDY)
            manifest = Manifest(
                head,
                _micros(head["first"]),
                _micros(head["last"]),
                _micros(head["settled_to"]) if head["settled_to"] else None,
                round(head["grace_seconds"] * 1_000_000),
                _micros(head["end"]) if head.get("end") else None,
            )
            for number, line in lines:
                try:
                    _take(manifest, line)
                except (KeyError, TypeError, ValueError) as problem:
                    raise GridwatchError(f"{path}, line {number}: {problem!r}", _REMEDY) from problem
            return manifest
    except FileNotFoundError as problem:
        raise GridwatchError(f"no such file: {path}", _REMEDY) from problem
    except (OSError, UnicodeDecodeError, KeyError, TypeError) as problem:
        raise GridwatchError(f"{path}: not a truth manifest: {problem!r}", _REMEDY) from problem


_REMEDY = "make one with: gridwatch replay FILE --truth MANIFEST"


def _numbered(path: Path, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, text in enumerate(file, 1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as problem:
            raise GridwatchError(f"{path}, line {number}: not JSON: {problem}", _REMEDY) from problem
        if not isinstance(line, dict):
            raise GridwatchError(f"{path}, line {number}: not a JSON object", _REMEDY)
        yield number, line


def _take(manifest: Manifest, line: dict[str, Any]) -> None:
    meter, kind, expect = line["meter_id"], line["kind"], line["expect"]
    manifest.faults[kind] += 1
    if expect == "unjudged":
        manifest.unjudged.setdefault(meter, []).append((_micros(line["from"]), _micros(line["to"])))
    elif expect == "nothing":
        if "why" in line:
            span = _micros(line["from"]), _micros(line["to"]), str(line["why"])
            manifest.not_missing.setdefault(meter, []).append(span)
        if "anomaly" in line:
            manifest.anomalies.append(
                InjectedAnomaly(
                    meter, kind, str(line["anomaly"]), _micros(line["from"]), _micros(line["to"]),
                    line.get("size"),
                )
            )  # fmt: skip
    elif "gap" in expect:
        gap = expect["gap"]
        manifest.gaps.append(
            ExpectedGap(
                meter,
                _micros(gap["missing_from"]),
                _micros(gap["missing_to"]),
                int(gap["missing_intervals"]),
                str(gap["state"]),
                kind,
                _interval(gap),
                tuple((_micros(start), _micros(to)) for start, to in gap["missing_ranges"]),
                str(gap.get("calendar") or ""),
            )
        )
    elif "dead_letter" in expect:
        letter = expect["dead_letter"]
        if "raw" in letter:
            key = (letter["raw_encoding"], letter["raw"])
            refusal = manifest.refused.setdefault(key, ExpectedRefusal(kind, meter, _micros(line["from"])))
            refusal.count += 1
    else:
        _take_reading(manifest, (meter, _micros(line["from"])), kind, expect["reading"])


def _take_reading(manifest: Manifest, key: tuple[str, int], kind: str, reading: dict[str, Any]) -> None:
    if reading["status"] == "TOO_LATE":
        manifest.late[key] += 1
        manifest.kinds[key] = kind
        return
    if reading["status"] == "LATE":
        manifest.late_readings[key] = kind
    if "REVISED" in reading.get("flags", ()):
        manifest.revised[key] = kind


def _interval(gap: dict[str, Any]) -> int:
    """The interval of a gap; a manifest from before intervals below a minute has it in minutes only."""
    if "interval_seconds" in gap:
        return int(gap["interval_seconds"]) * SECOND
    return int(gap["interval_minutes"]) * MINUTE


def _micros(text: str) -> int:
    return parse_instant(text, "UTC")[0]
