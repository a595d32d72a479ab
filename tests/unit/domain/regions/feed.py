"""Bundles of several sources, and their logs: any order among the sources, repetitions, sources put out."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from gridwatch.domain.outputs import Bundle, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.policy import DAY, HOUR, MINUTE
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.processor import Processor
from gridwatch.domain.regions.records import (
    FINAL,
    PRELIMINARY,
    QUARTER,
    Incident,
    Record,
    Refused,
    RegionRow,
    SourceOut,
    source_name,
)
from gridwatch.domain.regions.state import PartitionState

NOON = 1_704_110_400_000_000  # 2024-01-01T12:00:00Z
LATENESS = HOUR
FLOW = "smartmeter"
REGIONS = ("north", "south", "")
_GROUPS = (("F1", "T1"), ("F1", "T2"), ("F2", "T3"), ("F2", None), (None, "T3"), (None, None))


def window(region: str = "north", start: int = NOON, **other: object) -> RegionWindow:
    """An entry of ten meters, all of them received: 10 kWh, evenly."""
    given: dict[str, object] = {
        "revision": 1, "initial": True, "final": False, "flat": 10_000_000_000, "minutes": (0,) * 15,
        "received": 10 * QUARTER, "expected": 10 * QUARTER, "active": 10, "uncovered": 0, "reporting": 10,
        "prorated": 0,
    }  # fmt: skip
    return RegionWindow(region, start, **(given | other))  # type: ignore[arg-type]


def group(
    active: int,
    silent: int,
    *,
    at: int = NOON,
    place: tuple[str | None, str | None] = ("F1", "T1"),
    region: str = "north",
    prefix: str = "M",
) -> RegionGroup:
    """A group in which so many meters have an open gap that was detected at one minute."""
    openings = ((at - at % MINUTE, silent),) if silent else ()
    meters = tuple(f"{prefix}{number:03}" for number in range(min(silent, 100)))
    return RegionGroup(region, *place, active, silent, openings, meters)


def bundle(
    partition: int,
    watermark: int,
    windows: Sequence[RegionWindow] = (),
    groups: Sequence[RegionGroup] = (),
    limits: Sequence[RegionLimit] = (),
) -> Bundle:
    return Bundle(FLOW, partition, 0, watermark, tuple(windows), tuple(groups), tuple(limits))


def out(partition: int) -> SourceOut:
    return SourceOut(FLOW, partition)


def log_of(contents: Sequence[Bundle | SourceOut | Refused]) -> list[Record]:
    """The records of a log."""
    return [Record(offset, NOON + offset, b"?", content) for offset, content in enumerate(contents)]


def names(sources: int) -> list[str]:
    return [source_name(FLOW, number) for number in range(sources)]


class Run:
    """The processor over a log."""

    def __init__(self, sources: int = 2, lateness: int = LATENESS) -> None:
        self.state = PartitionState(0)
        self.processor = Processor(names(sources), lateness, self.state, [])
        self.outcome = Outcome()
        self._offset = 0

    def take(self, *contents: Bundle | SourceOut | Refused) -> list[object]:
        """Process these next; the outputs of them."""
        before = len(self.outcome.outputs)
        records = [
            Record(self._offset + number, NOON, b"?", content) for number, content in enumerate(contents)
        ]
        self._offset += len(contents)
        self.processor.process(records, budget=0, onto=self.outcome)
        return list(self.outcome.outputs[before:])

    def rows(self, *contents: Bundle | SourceOut | Refused) -> list[RegionRow]:
        """The rows that come of these."""
        return [one for one in self.take(*contents) if isinstance(one, RegionRow)]

    def incidents(self, *contents: Bundle | SourceOut | Refused) -> list[Incident]:
        """The revisions of incidents that come of these."""
        return [one for one in self.take(*contents) if isinstance(one, Incident)]


# -- random ones


def random_source(chance: Random, partition: int, end: int) -> list[Bundle]:
    """The bundles of one source up to an end, as a readings stage would send them."""
    watermark = NOON + chance.randrange(20) * MINUTE
    found: list[Bundle] = []
    revisions: dict[tuple[str, int], int] = {}
    version = 0
    while watermark < end:
        before = watermark
        step = chance.choice((MINUTE, MINUTE, 2 * MINUTE, 5 * MINUTE, QUARTER, 2 * HOUR))
        if chance.random() < 0.01:
            step = DAY + HOUR
        watermark = min(end, watermark + step + chance.randrange(MINUTE))
        windows = _windows(chance, before, watermark, revisions) if found else []
        groups = _groups(chance, watermark, partition) if chance.random() < 0.4 else []
        limits = []
        if partition == 0 and chance.random() < 0.1:
            version += chance.choice((1, 2))
            since = chance.choice((None, watermark, watermark + HOUR, watermark - DAY))
            region = chance.choice(REGIONS)
            limits = [RegionLimit(region, version, chance.choice((0.0, 3.7, 40.0, 1234.5)), since)]
        found.append(bundle(partition, watermark, windows, groups, limits))
    return found


def _windows(
    chance: Random, before: int, watermark: int, revisions: dict[tuple[str, int], int]
) -> list[RegionWindow]:
    first = before - LATENESS - QUARTER
    found = []
    for start in range(first - first % QUARTER, watermark - QUARTER + 1, QUARTER):
        end = start + QUARTER
        if end + LATENESS <= before:
            continue
        initial = before < end
        for region in REGIONS:
            if chance.random() < (0.7 if initial else 0.1):
                revision = revisions[region, start] = revisions.get((region, start), 0) + 1
                found.append(_window(chance, region, start, revision, initial, end + LATENESS <= watermark))
    return found


def _window(
    chance: Random, region: str, start: int, revision: int, initial: bool, final: bool
) -> RegionWindow:
    active = chance.randrange(9)
    expected = active * QUARTER - chance.choice((0, 0, 17))
    received = chance.choice((0, expected, expected * 4 // 5, expected // 3, expected + 5))
    return RegionWindow(
        *(region, start, revision, initial, final),
        chance.choice((0, 1, 125, 10**9, chance.randrange(10**10))),
        tuple(chance.choice((0, 1, 7, chance.randrange(10**9))) for _ in range(15)),
        *(max(received, 0), max(expected, 0), active, chance.randrange(2), chance.randrange(9)),
        chance.randrange(2),
    )


def _groups(chance: Random, watermark: int, partition: int) -> list[RegionGroup]:
    found = []
    for region in REGIONS[:2]:
        for feeder, transformer in _GROUPS:
            if chance.random() < 0.3:
                active = chance.choice((0, 3, 5, 9, 40))
                silent = chance.choice((0, 0, min(active, 2), active * 2 // 3, active))
                late = chance.randrange(silent + 1)
                minute = watermark - watermark % MINUTE
                counts = ((minute - 20 * MINUTE, late), (minute, silent - late))
                openings = tuple((at, count) for at, count in counts if count)
                meters = [f"{region}-{feeder}-{transformer}-{partition}-{one}" for one in range(silent)]
                found.append(
                    RegionGroup(region, feeder, transformer, active, silent, openings, tuple(sorted(meters)))
                )
    return found


def random_log(
    chance: Random, feeds: Sequence[Sequence[Bundle]], *, outs: bool = False
) -> list[Bundle | SourceOut]:
    """The bundles of all sources in one order, some repeated as after crashes."""
    at = [0] * len(feeds)
    log: list[Bundle | SourceOut] = []
    while any(at[number] < len(feed) for number, feed in enumerate(feeds)):
        number = chance.choice([one for one, feed in enumerate(feeds) if at[one] < len(feed)])
        run = chance.choice((1, 1, 2, 30))
        log += feeds[number][max(0, at[number] - chance.choice((0, 0, 0, 4))) : at[number] + run]
        at[number] += run
        if outs and chance.random() < 0.2:
            log.append(out(chance.randrange(len(feeds))))
    return log


def lasting(outputs: Sequence[object]) -> list[RegionRow]:
    """The rows that do not depend on how far the sources are apart, in order."""
    rows = [one for one in outputs if isinstance(one, RegionRow) and one.state in (PRELIMINARY, FINAL)]
    return sorted(rows, key=lambda row: (row.start, row.region, row.revision))
