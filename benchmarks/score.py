"""`python -m benchmarks.score`: precision and recall on injected faults, over many seeds.

Each seed has its own meters and faults. Most replays run in process: the sequence that would be sent, the
worker's decoder and processor, the scoring of `gridwatch score`. `--chain` seeds run through the whole chain:
file, replay, Kafka, worker, sink, PostgreSQL, score. Besides the score there is a plain count of missing
readings without any rules. Exit 1 when a score is below the minimum for its faults.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from benchmarks.measuring import in_process
from benchmarks.measuring.plain_count import PlainCount, count
from gridwatch.cli.demo.run import Demo, Running
from gridwatch.cli.demo.stages import Stages
from gridwatch.cli.scoring.database import score_database
from gridwatch.deployment.catching_up import wait_for_sink, wait_for_worker
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import MINUTE, Policy
from replay.faults import FaultPlan
from replay.faults.file import plan_of
from replay.files.job import Selection
from replay.files.rows import Row
from replay.run.progress import Quiet
from replay.run.replay import Replay, Request
from replay.sample.households import MONDAY, Households
from replay.scoring.score import Rates, Score, score
from replay.truth.manifest import read_manifest

INTERVAL = 30 * MINUTE
_HALF_A_DAY = 12 * 60 * MINUTE
#: The minimum of precision and recall of gaps: 1 with correct clocks, and slightly less with wrong clocks.
_FLOORS = {"clocks": 0.999, "everything": 0.999}


@dataclass
class Total:
    """The sum over all seeds of one plan of faults."""

    seeds: int = 0
    gaps: Rates = field(default_factory=Rates)
    slots: Rates = field(default_factory=Rates)
    overall: Rates = field(default_factory=Rates)
    meter_years: float = 0.0
    false_alarms: int = 0
    unjudged: int = 0
    unjudged_slots: int = 0
    plain: PlainCount = field(default_factory=PlainCount)
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, result: Score, seed: int) -> None:
        """Add one seed."""
        self.seeds += 1
        for mine, its in (
            (self.gaps, result.gaps),
            (self.slots, result.slots),
            (self.overall, result.overall),
        ):
            mine.expected += its.expected
            mine.found += its.found
            mine.matched += its.matched
        self.meter_years += result.meter_years
        self.false_alarms += result.false_alarms
        self.unjudged += result.unjudged
        self.differences += [f"seed {seed}: {difference}" for difference in result.differences]

    def as_dict(self) -> dict[str, Any]:
        plain = self.plain
        return {
            "seeds": self.seeds,
            "slots_watched": plain.readings + plain.withheld,
            "gaps": self.gaps.as_dict(),
            "missing_slots": self.slots.as_dict(),
            "overall": self.overall.as_dict(),
            "false_alarms": self.false_alarms,
            "meter_years": self.meter_years,
            "slots_not_judged": self.unjudged_slots,
            "plain_count": {**vars(plain), "why": dict(plain.why)},
            "differences": self.differences,
            "cpu_seconds": round(self.seconds, 1),
        }


def rows_of(seed: int, meters: int, days: int, start: int) -> Iterator[Row]:
    """The readings of a seed's own meters, in order of time."""
    households = Households(meters, INTERVAL // MINUTE, seed)
    names = [f"S{seed}_{number:04d}" for number in range(1, meters + 1)]
    for at in range(start, start + days * 24 * 60 * MINUTE, INTERVAL):
        for name, kwh in zip(names, households.at(at, range(meters)), strict=True):
            yield at, name, round(kwh, 3), 0, ""


def straight(total: Total, plan: FaultPlan, seed: int, size: tuple[int, int], folder: Path) -> None:
    """Run one seed in process."""
    began = time.process_time()
    policy = Policy()
    items = in_process.sequence(list(rows_of(seed, *size, MONDAY)), replace(plan, seed=seed), policy)
    truth = in_process.manifest(items, policy, folder)
    found = in_process.detected(items, policy)
    total.add(score(truth, found), seed)
    total.plain.add(count(items, found.gaps, truth, INTERVAL))
    total.unjudged_slots += sum(
        (to - first) // INTERVAL for spans in truth.unjudged.values() for first, to in spans
    )
    total.seconds += time.process_time() - began


def chain(running: Running, plan: FaultPlan, seed: int, size: tuple[int, int], start: int) -> Score:
    """Run one seed through file, Kafka, worker, sink and database."""
    source, truth = running.folder / f"{seed}.csv", running.folder / f"{seed}.jsonl"
    with source.open("w", encoding="utf-8") as file:
        file.write("meter_id,timestamp,consumption_kwh\n")
        file.writelines(
            f"{name},{format_instant(at)},{kwh}\n" for at, name, kwh, _, _ in rows_of(seed, *size, start)
        )
    request = Request(
        files=(source,),
        faults=replace(plan, seed=seed),
        selection=Selection(meters=f"S{seed}_*"),
        truth=truth,
    )
    Replay(request, running.settings, Quiet(), print).send()
    wait_for_worker(running.settings, running.worker)
    wait_for_sink(running.settings, running.sink)
    return score_database(read_manifest(truth), running.settings.database)


@click.command()
@click.option("--seeds", default=20, show_default=True, help="How many seeds, each with its own meters.")
@click.option("--first-seed", default=1, show_default=True, help="The first of them.")
@click.option("--meters", default=60, show_default=True, help="Meters of each seed.")
@click.option("--days", default=19, show_default=True, help="Days of each meter, 48 slots a day.")
@click.option(
    "--faults",
    "plans",
    multiple=True,
    default=("missing", "clocks"),
    show_default=True,
    help="A preset or a file; may be given several times.",
)
@click.option(
    "--chain", "chained", default=0, help="Seeds of each that also go through Kafka and PostgreSQL."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def main(
    seeds: int, first_seed: int, meters: int, days: int, plans: Sequence[str], chained: int, as_json: bool
) -> None:
    """Measure, print, and exit 1 when a score is below its minimum."""
    size, results = (meters, days), {}
    for name in plans:
        results[name] = total = Total()
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(first_seed, first_seed + seeds):
                straight(total, plan_of(name), seed, size, Path(folder))
        if not as_json:
            click.echo(_summary(name, total))
    chains = _chains(plans, range(first_seed, first_seed + chained), size) if chained else {}
    if as_json:
        in_process = {name: total.as_dict() for name, total in results.items()}
        click.echo(
            json.dumps({"straight": in_process, "chain": {name: t.as_dict() for name, t in chains.items()}})
        )
    else:
        for name, total in chains.items():
            click.echo(_summary(f"{name}, through Kafka and PostgreSQL", total))
    low = [
        name
        for found in (results, chains)
        for name, total in found.items()
        if min(total.gaps.precision, total.gaps.recall) < _FLOORS.get(name, 1.0)
    ]
    if low:
        click.echo(f"below what is to be reached: {', '.join(low)}", err=True)
        sys.exit(1)


def _chains(plans: Sequence[str], seeds: range, size: tuple[int, int]) -> dict[str, Total]:
    """All plans one after the other on the same servers, each seed after the one before in event time."""
    totals: dict[str, Total] = {}
    start, number = MONDAY, 0
    with Stages() as stages, Demo(*size, stages, Path()).running() as running:
        for name in plans:
            totals[name] = total = Total()
            for seed in seeds:
                number += 1
                own = number * 1000 + seed  # meters of their own, also for the same seed of another plan
                total.add(chain(running, plan_of(name), own, size, start), own)
                start += size[1] * 24 * 60 * MINUTE + _HALF_A_DAY
    return totals


def _summary(name: str, total: Total) -> str:
    plain, gaps = total.plain, total.gaps
    lines = [
        f"{name}: {total.seeds} seeds, {total.meter_years:.2f} meter-years",
        f"  gaps           {gaps.expected:,} expected, {gaps.found:,} found, {gaps.matched:,} matched: "
        f"precision {gaps.precision:.6f}, recall {gaps.recall:.6f}",
        f"  missing slots  {total.slots.expected:,} expected, {total.slots.found:,} found, "
        f"{total.slots.matched:,} matched; {total.unjudged_slots:,} slots not judged",
        f"  all judged     {total.overall.expected:,} expected: precision {total.overall.precision:.6f}, "
        f"recall {total.overall.recall:.6f}; {total.false_alarms} false alarms",
    ]
    if plain.readings:
        lines += [
            f"  plain count    {plain.readings + plain.withheld:,} slots; of {plain.withheld:,} withheld "
            f"{plain.reported:,} reported ({plain.reported / max(1, plain.withheld):.6f}), of "
            f"{plain.missing:,} reported {plain.empty:,} empty ({plain.empty / max(1, plain.missing):.6f})",
            *(f"                 {times:,} {why}" for why, times in sorted(plain.why.items())),
            f"  {total.seconds:.0f} CPU-seconds",
        ]
    return "\n".join(lines + [f"  {difference}" for difference in total.differences[:50]])


if __name__ == "__main__":
    main()
