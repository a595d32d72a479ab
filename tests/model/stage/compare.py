"""The stage `regions` of the domain against its model, over random bundles in random orders.

``python -m tests.model.stage.compare 0 1000`` compares that range of seeds.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from gridwatch.domain.outputs import Bundle, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.processor import Processor
from gridwatch.domain.regions.records import Incident, Record, RegionRow
from gridwatch.domain.regions.state import PartitionState
from tests.model.compare import apart
from tests.model.contender import plain
from tests.model.stage.bundles import BundleMaker
from tests.model.stage.incidents import incidents
from tests.model.stage.rows import final, preliminary
from tests.model.stamps import show

Found = dict[str, dict[Any, dict[str, Any]]]


def content(bundle: dict[str, Any]) -> Bundle:
    windows = [RegionWindow(**{**one, "minutes": tuple(one["minutes"])}) for one in bundle["windows"]]
    groups = [
        RegionGroup(**{**one, "openings": tuple(map(tuple, one["openings"])), "meters": tuple(one["meters"])})
        for one in bundle["groups"]
    ]
    limits = [RegionLimit(**one) for one in bundle["limits"]]
    parts = {"windows": tuple(windows), "groups": tuple(groups), "limits": tuple(limits)}
    return Bundle(**{**bundle, **parts})


def emitted(maker: BundleMaker, log: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """What the domain makes of the log, cut into random batches."""
    picks = random.Random(seed)
    processor = Processor(maker.sources, maker.lateness, PartitionState(0), ())
    records = [Record(offset, 0, b"", content(bundle)) for offset, bundle in enumerate(log)]
    found: list[dict[str, Any]] = []
    at = 0
    while at < len(records):
        size, complete = picks.choice([1, 3, 20]), False
        while not complete:
            outcome = Outcome()
            processor.process(records[at : at + size], budget=picks.choice([0, 1, 500]), onto=outcome)
            complete = outcome.complete
            found += [plain(one) for one in outcome.outputs if isinstance(one, RegionRow | Incident)]
        at += size
    return found


def keyed(outputs: list[dict[str, Any]]) -> Found:
    """By what each of them is about; updates are left out: they depend on the order."""
    found: Found = {"PRELIMINARY": {}, "FINAL": {}, "incident": {}}
    for one in outputs:
        if "kind" in one:
            name = one["kind"], one["region"], one["target"], show(one["started"]), one["revision"]
            kind = "incident"
        else:
            name, kind = (one["region"], show(one["start"])), one["state"]
        if kind != "UPDATED":
            assert name not in found[kind], f"{kind} {name} twice"
            found[kind][name] = one
    return found


def check(seed: int) -> str | None:
    """The first difference of a seed."""
    maker = BundleMaker(seed)
    sent = maker.sent()
    capacities = maker.sources[0]
    theirs = keyed(emitted(maker, maker.mixed(sent), seed))
    ours = keyed([
        *preliminary(sent, capacities), *final(sent, maker.lateness, capacities), *incidents(sent),
    ])  # fmt: skip
    for kind, expected in ours.items():
        for name in sorted({*expected, *theirs[kind]}, key=str):
            left, right = expected.get(name), theirs[kind].get(name)
            if left != right:
                return f"bundles {seed}: {kind} {name}: (model, domain) {apart(left, right)}"
    return None


def main() -> int:
    first, last = int(sys.argv[1]), int(sys.argv[2])
    reports = [report for seed in range(first, last) if (report := check(seed))]
    print(*reports, f"{last - first} logs, {len(reports)} differ", sep="\n")
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
