"""What each public set at hand holds when seen through gridwatch: a row each of a table in docs/datasets.md.

The files go the whole way but for Kafka and the database: found out and read as `gridwatch replay` does it,
put in order with ticks, and worked by the rules of the worker, in memory and in one partition.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from gridwatch.codecs.decode import decode_readings
from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import DeadLetter, GapAlert, LateEvent, Validated
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.settings import Settings
from replay.faults import FaultPlan, Faults
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.sources import expand
from replay.files.survey.census import Census
from replay.files.tally import Tally
from replay.order.emission import EmissionPlan, emit
from replay.order.time_order import TimeOrder
from replay.run.progress import Quiet
from replay.run.replay import Replay, Request
from replay.run.summary import Summary
from tests.unit.replay import public_sets

ROOT = Path(__file__).resolve().parent.parent
HEAD = ("set", "files", "meters", "readings", "days", "interval", "kWh", "in the files", "through gridwatch")
_DATA = ROOT / "tests" / "data"
_RECORDS_AT_ONCE = 5_000
_DAY = 86_400_000_000

#: Real files that are kept for the tests, and the folder of each set.
_REAL = {"eemeter": "eemeter", "nem12": "nemreader", "simbench": "simbench"}
#: Files written for the tests as the sets are described, with their known defects.
_WRITTEN: dict[str, tuple[str, Callable[[], tuple[str, Any]]]] = {
    "london": ("LCL.csv", public_sets.london),
    "london-kaggle": ("block_0.csv", public_sets.kaggle_wide),
    "uci": ("LD2011_2014.txt", public_sets.uci),
    "cer": ("File1.txt", public_sets.cer),
    "ausgrid": ("2010.csv", public_sets.ausgrid),
    "green-button": ("green.xml", public_sets.green_button),
    "esb": ("HDF.csv", public_sets.esb),
    "goiener": ("0a1b2c.csv", public_sets.goiener),
}


def rows() -> list[Sequence[str]]:
    """The rows of the table: real files first."""
    with tempfile.TemporaryDirectory() as folder:
        written = []
        for name, (file, make) in _WRITTEN.items():
            path = Path(folder) / file
            path.write_text(make()[0], encoding="utf-8", newline="")
            written.append((name, "as described", path))
        real = [(name, "real", _DATA / place) for name, place in _REAL.items()]
        return [_row(*one) for one in real + written]


def _row(name: str, kind: str, path: Path) -> Sequence[str]:
    request = Request((path,), PROFILES[name])
    found = Replay(request, Settings(), Quiet(), lambda _: None).plan()
    survey, census = found.survey, found.census
    if census is None:
        raise LookupError(f"{name}: a plan without a census")
    days = round((survey.last - survey.first) / _DAY, 1)
    return (
        f"`{name}`",
        f"{len(found.layouts)} {kind}",
        f"{survey.meters:,}",
        f"{survey.rows:,}",
        f"{days:g} from {format_instant(survey.first)[:10]}",
        f"{census.interval} min",
        f"{census.micro_kwh / 1_000_000:,.3f}",
        _in_the_files(found, census),
        _through_gridwatch(request, survey.last),
    )


def _in_the_files(found: Summary, census: Census) -> str:
    tally = found.tally
    parts = [
        *_counted(
            (census.repeated, "exact duplicates"),
            (census.contradicting, "with another value"),
            (census.off_grid, "off the grid"),
            (census.negative, "negative"),
            (census.zero, "zero"),
            (tally.null_values, "values that stand for none"),
            (tally.other_series, "of series that are no energy"),
            (tally.skipped_hours, "zeros of an hour that the clocks skipped"),
            (tally.split_hours, "values of a repeated hour, halved"),
        ),
        *(f"{change.date} has {change.hours:g} h" for change in census.changes if change.readings),
    ]
    return "; ".join(parts) or "nothing odd"


def _through_gridwatch(request: Request, last: int) -> str:
    outputs = list(_outputs(request, last))
    validated = [one for one in outputs if isinstance(one, Validated)]
    gaps = {one.gap_id: one for one in outputs if isinstance(one, GapAlert) and one.state != "RETRACTED"}
    for taken_back in (one for one in outputs if isinstance(one, GapAlert) and one.state == "RETRACTED"):
        gaps.pop(taken_back.gap_id, None)
    missing = sum(one.missing_intervals for one in gaps.values())
    flags = Counter(flag for one in validated for flag in one.flags if flag not in ("FIRST", "ZERO"))
    parts = [
        f"{len(validated):,} validated",
        *_counted(
            (sum(one.status == "LATE" for one in validated), "of them late"),
            (sum(isinstance(one, LateEvent) for one in outputs), "too late"),
            (sum(isinstance(one, DeadLetter) for one in outputs), "refused"),
        ),
        f"{len(gaps):,} gaps ({missing:,} missing)" if gaps else "no gap",
        *(f"{count:,} `{flag}`" for flag, count in sorted(flags.items())),
    ]
    return "; ".join(parts)


def _counted(*counts: tuple[int, str]) -> list[str]:
    return [f"{count:,} {what}" for count, what in counts if count]


def _outputs(request: Request, last: int) -> Iterator[Any]:
    """What a worker of one partition says of the files."""
    policy = Policy(partitions=1)
    states: dict[str, MeterState] = {}
    processor = Processor(policy, PartitionState(0), states, decode=decode_readings)
    records = _records(request, policy, last + _DAY)
    while some := list(islice(records, _RECORDS_AT_ONCE)):
        outcome = processor.process(some)
        yield from outcome.outputs
        for meter, state in outcome.changed.items():
            if state is None:
                states.pop(meter, None)
            else:
                states[meter] = state


def _records(request: Request, policy: Policy, written: int) -> Iterator[LogRecord]:
    """The raw topic as a replay fills it, all of it at the time `written` (µs)."""
    plan = EmissionPlan(policy.max_out_of_orderness, policy.grace)
    with TimeOrder(lambda: _read(request)) as order:
        for offset, item in enumerate(emit(order.blocks(), Faults(FaultPlan()), plan)):
            if item.row is None:
                yield LogRecord(offset, written, format_instant(item.instant).encode(), True, True)
            else:
                time, meter, kwh, _, members = item.row
                start = json.dumps({"meter_id": meter, "timestamp": format_instant(time)})[:-1]
                value = f'{start},"consumption_kwh":{kwh!r}{members}}}'
                yield LogRecord(offset, written, value.encode(), False, True)


def _read(request: Request) -> Iterator[list[Row]]:
    for source in expand(request.files):
        yield from read_rows(
            source, request.profile or PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False
        )
