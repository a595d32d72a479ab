"""The stage `regions` record by record, with sources that are put out: all is computed again at every record
from what had come by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.model.stage.rows import Bundle, Row, Sent, entries, row
from tests.model.stamps import MINUTE, QUARTER

UNHEARD = -(1 << 62)


@dataclass
class Published:
    """A window with a row, and what that row was made of."""

    complete: bool
    used: dict[str, int]  # the revision of each source
    again: int = 0
    shown: bool = False
    missing: set[str] = field(default_factory=set)  # sources that had not passed its end


class Steps:
    """The rows of one partition of the stage."""

    def __init__(
        self, sources: list[str], lateness: int, capacities: str, known: list[tuple[str, int]]
    ) -> None:
        """`known`: every window that anything will ever be told of."""
        self.known = known
        self.sent: Sent = {source: [] for source in sources}
        self.out: set[str] = set()
        self.lateness, self.capacities = lateness, capacities
        self.published: dict[tuple[str, int], Published] = {}
        self.done: set[tuple[str, int]] = set()
        self.slowest = UNHEARD  # the watermark of the slowest source that is not out

    def watermark(self, source: str) -> int:
        return int(self.sent[source][-1]["watermark"]) if self.sent[source] else UNHEARD

    def take(self, bundle: Bundle) -> list[Row]:
        source = f"{bundle['flow']}/{bundle['partition']}"
        if bundle["watermark"] <= self.watermark(source):
            return []
        self.sent[source].append(bundle)
        self.out.discard(source)
        return self.rows(source)

    def put_out(self, source: str) -> list[Row]:
        others = [self.watermark(other) for other in self.sent if other != source]
        leads = self.sent[source] and self.watermark(source) >= max(others, default=UNHEARD)
        if source in self.out or leads:
            return []
        self.out.add(source)
        return self.rows(None)

    def rows(self, came: str | None) -> list[Row]:
        """All that is due after a record; `came`: the source whose bundle it was."""
        inside = [source for source in self.sent if source not in self.out]
        slowest = min((self.watermark(source) for source in inside), default=UNHEARD)
        before, self.slowest = self.slowest, slowest
        found = []
        for region, start in self.known:
            if (region, start) not in self.done:
                found += self.of_window(region, start, came, slowest, before)
        return found

    def of_window(self, region: str, start: int, came: str | None, slowest: int, before: int) -> list[Row]:
        end, found = start + QUARTER, []
        missing = {source for source in self.sent if self.watermark(source) < end}
        known = self.published.get((region, start))
        passed = known is not None  # in an earlier step
        if known is None and slowest >= end:
            parts = self.parts(region, start, initial=True)
            known = self.published[region, start] = Published(not missing, parts, missing=missing)
            if parts:
                found.append(self.made(region, start, "PRELIMINARY"))
        elif known is not None and came in known.missing and came not in missing:
            initial, newest = (self.parts(region, start, initial=first) for first in (True, False))
            others = [source for source in newest if source != came]
            newer = any(newest[source] > initial.get(source, 0) for source in others)
            mine = {came: newest[came]} if came in newest else {}  # even if it came after the end
            known.used = newest if newer else {**initial, **mine}
            known.missing, known.complete = missing, not missing
            if known.used:
                known.again += known.shown
                found.append(self.made(region, start, "PRELIMINARY"))
        heard = [source for source in self.sent if source not in self.out or self.sent[source]]
        if heard and all(self.watermark(source) >= end + self.lateness for source in heard):
            self.published[region, start] = Published(
                not missing, self.parts(region, start, initial=False), known.again if known else 0
            )
            if self.published[region, start].used:
                found.append(self.made(region, start, "FINAL"))
            self.done.add((region, start))
            return found
        newest = self.parts(region, start, initial=False)
        if (
            known is not None
            and passed
            and not found
            and slowest // MINUTE > before // MINUTE
            and newest != known.used
        ):
            known.used = newest
            found.append(self.made(region, start, "UPDATED"))
        return found

    def parts(self, region: str, start: int, *, initial: bool) -> dict[str, int]:
        """The revision of each source: of its initial entry, or of its newest one."""
        found = {}
        for source in self.sent:
            mine = [
                one["revision"]
                for one in entries(self.sent, source, region, start)
                if one["initial"] or not initial
            ]
            if mine:
                found[source] = max(mine)
        return found

    def made(self, region: str, start: int, state: str) -> Row:
        known = self.published[region, start]
        parts = [
            next(one for one in entries(self.sent, source, region, start) if one["revision"] == revision)
            for source, revision in known.used.items()
        ]
        revision = sum(known.used.values()) + known.again + (state == "FINAL")
        for source in self.sent:  # out, or back from it
            if self.watermark(source) < start + QUARTER:
                parts += self.last_known(source, region, start)
        known.shown = True
        return {
            **row(self.sent, self.capacities, parts, state, revision),
            "complete": known.complete,
        }

    def last_known(self, source: str, region: str, start: int) -> list[dict[str, Any]]:
        """Of a source that is out: its meters, of which nothing was received."""
        mine = [one for bundle in self.sent[source] for one in bundle["windows"] if one["region"] == region]
        if not mine:
            return []
        last = max(mine, key=lambda one: (one["start"], one["revision"]))
        nothing = {"flat": 0, "minutes": [0] * 15, "received": 0, "reporting": 0, "prorated": 0}
        return [{**last, **nothing, "start": start, "expected": last["active"] * QUARTER}]
