"""Random bundles of several sources, each true to itself: what a source of the stage may send, in order.

Everything comes from one seed.
"""

from __future__ import annotations

import random
from typing import Any

from tests.model.stage.rows import Bundle, Sent
from tests.model.stamps import HOUR, MINUTE, QUARTER, SECOND, parse

BEGIN = parse("2024-01-01T10:00:00Z", "UTC")[0]
REGIONS = ("north", "south")
GROUPS = [
    (region, feeder, transformer)
    for region in REGIONS
    for feeder, transformer in (("f1", "t1"), ("f1", "t2"), ("f2", "t2"), ("f2", None), (None, None))
]


class BundleMaker:
    """All that some sources send, and an order in which it may come."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"bundles {seed}")
        pick = self.random.choice
        self.lateness = pick([0, 5, 20, 60]) * MINUTE
        self.sources = [f"smartmeter/{number}" for number in range(pick([1, 2, 3, 6]))]
        self.storms = self.random.random() < 0.5
        self.span = pick([30, 90, 240]) * MINUTE

    def sent(self) -> Sent:
        return {source: self.life(source) for source in self.sources}

    def life(self, source: str) -> list[Bundle]:
        """A source from its first crossing on."""
        flow, partition = source.split("/")
        pick = self.random.choice
        watermark = BEGIN + pick([-20, 0, 7]) * MINUTE
        until = watermark + self.span
        self.revisions: dict[tuple[str, int], int] = {}
        bundles: list[Bundle] = []
        while watermark < until:
            before = watermark - watermark % MINUTE
            watermark = before + pick([1] * 20 + [2, 5, 17, 70]) * MINUTE + pick([0, SECOND, 40 * SECOND])
            bundles.append({
                "flow": flow,
                "partition": int(partition),
                "target": 0,
                "watermark": watermark,
                "windows": self.windows(before, watermark),
                "groups": self.groups(partition, watermark),
                "limits": self.limits() if source == self.sources[0] else [],
            })  # fmt: skip
        return bundles

    def windows(self, before: int, watermark: int) -> list[dict[str, Any]]:
        first = BEGIN - HOUR
        found = []
        for start in range(first, watermark - QUARTER + 1, QUARTER):
            end = start + QUARTER
            initial, final = before < end, watermark >= end + self.lateness
            if not initial and end + self.lateness <= before:
                continue
            for region in REGIONS:
                if self.random.random() < (0.8 if initial else 0.05):
                    found.append(self.entry(region, start, initial=initial, final=final))
        return found

    def entry(self, region: str, start: int, *, initial: bool, final: bool) -> dict[str, Any]:
        chance, pick = self.random.random, self.random.choice
        revision = self.revisions[region, start] = self.revisions.get((region, start), 0) + 1
        active = pick([0, 1, 3, 40])
        expected = active * QUARTER
        received = pick([expected, expected, expected * 4 // 5, expected // 2, expected + MINUTE, 0])
        return {
            "region": region, "start": start, "revision": revision, "initial": initial, "final": final,
            "flat": pick([0, 0, self.random.randrange(10**9)]),
            "minutes": [self.random.randrange(10**8) if chance() < 0.3 else 0 for _ in range(15)],
            "received": received, "expected": expected, "active": active, "uncovered": pick([0, 0, 2]),
            "reporting": min(active, 3), "prorated": pick([0, 0, 1]),
        }  # fmt: skip

    def groups(self, partition: str, watermark: int) -> list[dict[str, Any]]:
        if self.random.random() < 0.6:
            return []
        found = []
        for at, (region, feeder, transformer) in enumerate(GROUPS):
            if self.random.random() < 0.3:
                found.append({
                    "region": region, "feeder": feeder, "transformer": transformer,
                    **self.silence(f"M{partition}{at}", watermark),
                })  # fmt: skip
        return sorted(found, key=lambda one: (one["region"], one["feeder"] or "", one["transformer"] or ""))

    def silence(self, prefix: str, watermark: int) -> dict[str, Any]:
        """How many meters of a group there are, and which of them are silent since when."""
        active = self.random.choice([0, 2, 6, 30, 150] if self.storms else [0, 2, 3, 6, 10])
        silent = self.random.choice([0, 0, min(1, active), active // 2, active])
        openings: dict[int, int] = {}
        for _ in range(silent):
            ago = self.random.choice([0, 0, 1, 5, 14, 15, 16, 40]) * MINUTE
            opened = watermark - watermark % MINUTE - ago
            openings[opened] = openings.get(opened, 0) + 1
        names = [f"{prefix}{number:03d}" for number in range(silent)]
        return {
            "active": active, "open": silent, "openings": [list(one) for one in sorted(openings.items())],
            "meters": names[:100],
        }  # fmt: skip

    def limits(self) -> list[dict[str, Any]]:
        if self.random.random() < 0.9:
            return []
        self.version = getattr(self, "version", 0) + 1
        valid = self.random.choice([None, None, BEGIN + self.random.choice([-60, 15, 20, 90]) * MINUTE])
        capacity = self.random.choice([1.5, 4, 12.345678, 250])
        region = self.random.choice(REGIONS)
        return [{"region": region, "version": self.version, "capacity_kw": capacity, "valid_from": valid}]

    def mixed(self, sent: Sent, out: float = 0.0) -> list[Bundle | str]:
        """All of them in some order that keeps that of each source, some of them again later; and sources
        that are put out, by their name."""
        waiting = {source: list(bundles) for source, bundles in sent.items()}
        log: list[Bundle | str] = []
        favourite = self.random.choice(list(waiting))
        while waiting:
            often = favourite in waiting and self.random.random() < 0.5
            source = favourite if often else self.random.choice(list(waiting))
            log.append(waiting[source].pop(0))
            if self.random.random() < 0.1:
                log.append(self.random.choice(log))
            if self.random.random() < out:
                log.append(self.random.choice(self.sources))
            if self.random.random() < out:
                favourite = self.random.choice(self.sources)
            if not waiting[source]:
                del waiting[source]
        return log
