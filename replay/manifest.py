"""The truth manifest: JSON lines, a head first, then one line a fault, native gap or unjudged stretch.

    head      seed, file, interval_minutes, settled_to, first, last, grace_seconds, …
    gap       slots that are missing because readings were withheld (neighbours that the file lacked by
              itself are part of it: `slots` counts all, `injected_slots` the withheld ones)
    native    slots that the file lacked by itself
    delay     a reading sent late: `from` its time, `to` its arrival
    unjudged  a stretch of a meter whose grid was not settled yet

`expect` is what a perfect detector reports at the end: {"gap": {…}}, {"reading": {"status",
"delay_seconds"}}, "nothing", or "unjudged". The head is known last, so the lines wait in a file beside
it; the manifest appears whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.errors import GridwatchError
from replay.findings import DelayTruth, Finding, GapTruth, NothingTruth

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
    if isinstance(finding, GapTruth):
        first = format_instant(finding.first)
        return {
            "kind": "gap" if finding.injected else "native" if finding.missing else "delay",
            "meter_id": finding.meter,
            "from": first,
            "to": format_instant(finding.last + finding.interval),
            "slots": finding.slots,
            "injected_slots": finding.injected,
            "expect": {
                "gap": {
                    "gap_id": f"{finding.meter}@{first}",
                    "state": finding.state,
                    "missing_from": first,
                    "missing_to": format_instant(finding.to),
                    "missing_intervals": finding.missing,
                    "filled_intervals": len(finding.filled),
                }
            },
        }
    if isinstance(finding, DelayTruth):
        reading = {"status": finding.status, "delay_seconds": finding.delay / 1_000_000}
        return {
            "kind": "delay",
            "meter_id": finding.meter,
            "from": format_instant(finding.time),
            "to": format_instant(finding.arrival),
            "slots": 1,
            "expect": "nothing" if finding.status == "ON_TIME" else {"reading": reading},
        }
    nothing = isinstance(finding, NothingTruth)
    slots = finding.slots if isinstance(finding, NothingTruth) else finding.injected
    return {
        "kind": "gap" if nothing else "unjudged",
        "meter_id": finding.meter,
        "from": format_instant(finding.first),
        "to": format_instant(finding.to),
        "slots": slots,
        "expect": "nothing" if nothing else "unjudged",
        "why": finding.why,
    }


@dataclass(frozen=True)
class ExpectedGap:
    """A gap that must be reported, times in µs."""

    meter: str
    missing_from: int
    missing_to: int
    missing_intervals: int
    state: str
    kind: str = "gap"


@dataclass
class Manifest:
    """A manifest as `score` needs it. Times in µs."""

    head: dict[str, Any]
    first: int
    last: int
    settled_to: int | None
    grace: int
    gaps: list[ExpectedGap] = field(default_factory=list)
    late: Counter[tuple[str, int]] = field(default_factory=Counter)
    unjudged: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)


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
    meter, expect = line["meter_id"], line["expect"]
    manifest.faults[line["kind"]] += 1
    if expect == "unjudged":
        manifest.unjudged.setdefault(meter, []).append((_micros(line["from"]), _micros(line["to"])))
    elif expect == "nothing":
        return
    elif "gap" in expect:
        gap = expect["gap"]
        manifest.gaps.append(
            ExpectedGap(
                meter,
                _micros(gap["missing_from"]),
                _micros(gap["missing_to"]),
                int(gap["missing_intervals"]),
                str(gap["state"]),
                line["kind"],
            )
        )
    elif expect["reading"]["status"] == "TOO_LATE":
        manifest.late[(meter, _micros(line["from"]))] += 1


def _micros(text: str) -> int:
    return parse_instant(text, "UTC")[0]
