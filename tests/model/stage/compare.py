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
from gridwatch.domain.regions.records import Incident, Record, RegionRow, SourceOut
from gridwatch.domain.regions.state import PartitionState
from tests.model.compare import apart
from tests.model.contender import plain
from tests.model.stage.bundles import BundleMaker
from tests.model.stage.incidents import incidents
from tests.model.stage.rows import final, preliminary, windows
from tests.model.stage.steps import Steps
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


def emitted(maker: BundleMaker, log: list[dict[str, Any] | str], seed: int) -> list[list[dict[str, Any]]]:
    """What the domain makes of each record of the log, cut into random batches."""
    picks = random.Random(seed)
    processor = Processor(maker.sources, maker.lateness, PartitionState(0), ())
    found: list[list[dict[str, Any]]] = []
    for offset, one in enumerate(log):
        record = Record(offset, 0, b"", out_of(one) if isinstance(one, str) else content(one))
        outcome = processor.process([record], budget=picks.choice([0, 500]), onto=Outcome())
        assert outcome.complete
        found.append([plain(one) for one in outcome.outputs if isinstance(one, RegionRow | Incident)])
    return found


def out_of(source: str) -> SourceOut:
    flow, partition = source.split("/")
    return SourceOut(flow, int(partition))


def keyed(outputs: list[dict[str, Any]]) -> Found:
    """By what each of them is about; updates are left out: they depend on the order."""
    found: Found = {"PRELIMINARY": {}, "FINAL": {}, "incident": {}}
    for one in outputs:
        name: tuple[Any, ...] = one["region"], show(one["start"] if "start" in one else one["started"])
        kind = one["state"]
        if "kind" in one:
            name, kind = (one["kind"], *name, one["target"], one["revision"]), "incident"
        if kind != "UPDATED":
            assert name not in found[kind], f"{kind} {name} twice"
            found[kind][name] = one
    return found


def check(seed: int) -> str | None:
    """The first difference of a seed: whatever the order, these rows and incidents come of these bundles."""
    maker = BundleMaker(seed)
    sent = maker.sent()
    capacities = maker.sources[0]
    theirs = keyed([one for outputs in emitted(maker, maker.mixed(sent), seed) for one in outputs])
    ours = keyed([
        *preliminary(sent, capacities), *final(sent, maker.lateness, capacities), *incidents(sent),
    ])  # fmt: skip
    for kind, expected in ours.items():
        for name in sorted({*expected, *theirs[kind]}, key=str):
            left, right = expected.get(name), theirs[kind].get(name)
            if left != right:
                return f"bundles {seed}: {kind} {name}: (model, domain) {apart(left, right)}"
    return None


def check_steps(seed: int) -> str | None:
    """The same record by record, with updates and with sources that are put out."""
    maker = BundleMaker(seed)
    sent = maker.sent()
    log = maker.mixed(sent, out=maker.random.choice([0, 0.02, 0.1]))
    steps = Steps(maker.sources, maker.lateness, maker.sources[0], windows(sent))
    for at, (one, outputs) in enumerate(zip(log, emitted(maker, log, seed), strict=True)):
        ours = by_window(steps.put_out(one) if isinstance(one, str) else steps.take(one))
        theirs = by_window([row for row in outputs if "kind" not in row])
        if ours != theirs:
            return f"bundles {seed}, record {at}: (model, domain) {apart(ours, theirs)}"
    return None


def by_window(rows: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {(row["region"], show(row["start"]), row["state"]): row for row in rows}


def main() -> int:
    first, last = int(sys.argv[1]), int(sys.argv[2])
    checks = (check, check_steps)
    reports = [report for seed in range(first, last) for one in checks if (report := one(seed))]
    print(*reports, f"{last - first} logs, {len(reports)} differences", sep="\n")
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
