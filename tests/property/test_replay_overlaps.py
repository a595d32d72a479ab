"""Series of known energy in known steps, cut into files at random: where two steps of a meter have one time
in common the files are refused, whatever their order; else each meter and day has its energy to the Wh.

The truth is made of quarters of an hour, by code that shares nothing with the replay.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from replay.files.profiles import PROFILES
from replay.files.rows import Row
from replay.order.emission import Item, Kind
from replay.run.progress import Quiet
from replay.run.replay import Replay
from replay.run.request import Request

BLOCKS, A_BLOCK = 8, 50
QUARTER = 15
DAYS = 24
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = Settings()
#: Readings of a series and in the time that two have in common, so that its step can be seen at all.
LEAST, LEAST_TOGETHER = 6, 3


@dataclass
class Series:
    """Readings of a step (minutes): minute since Monday → Wh."""

    meter: str
    step: int
    wh: dict[int, int]


@dataclass
class Truth:
    """The files, in the order of the command, and what must come of them."""

    files: list[list[tuple[Series, int]]]
    overlap: bool
    wh: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))


def series_of(meter: str, quarters: list[int], rng: random.Random) -> Series:
    """A stretch of the truth in some step, with outages in half of the cases."""
    step = rng.choice((15, 30, 60, 1440))
    slots = DAYS * 1440 // step
    length = rng.randint(LEAST, min(slots, 14 if step == 1440 else 400))
    first = rng.randrange(slots - length + 1)
    wh = {}
    for slot in range(first, first + length):
        start = slot * step
        wh[start] = sum(quarters[start // QUARTER : (start + step) // QUARTER])
    if rng.random() < 0.5 and length > 4 * LEAST:
        for _ in range(rng.randint(1, 3)):
            gone = first + rng.randrange(length)
            for slot in range(gone, gone + rng.randint(1, 2 * LEAST)):
                wh.pop(slot * step, None)
    return Series(meter, step, wh)


def corrected(series: Series, rng: random.Random) -> Series:
    """Some of a series again, with other values here and there."""
    times = sorted(series.wh)
    first = rng.randrange(len(times))
    again = times[first : first + rng.randint(1, 60)]
    if rng.random() < 0.3:
        again = [time for time in again if rng.random() < 0.5] or again
    wh = {time: series.wh[time] for time in again}
    wh = {time: round(one * rng.uniform(0.7, 1.4)) if rng.random() < 0.3 else one for time, one in wh.items()}
    return Series(series.meter, series.step, wh)


def together(one: Series, other: Series) -> int:
    """Readings of the coarser series within which the finer one has some; the steps are different ones."""
    fine, coarse = sorted((one, other), key=lambda series: series.step)
    starts = {time - time % coarse.step for time in fine.wh}
    return len(starts & coarse.wh.keys())


def made(rng: random.Random) -> Truth:
    """Meters with one to three series each, in one to four files."""
    while True:
        every: list[tuple[Series, int]] = []
        overlap, clear = False, True
        files = rng.randint(1, 4)
        for number in range(rng.randint(1, 3)):
            meter = f"M{number}"
            quarters = [rng.randint(20, 900) for _ in range(DAYS * 96)]
            found = [series_of(meter, quarters, rng) for _ in range(rng.choice((1, 1, 2, 3)))]
            for one, other in combinations(found, 2):
                if one.step != other.step:
                    count = together(one, other)
                    overlap |= count > 0
                    clear &= count == 0 or count >= LEAST_TOGETHER
            home = rng.randrange(files)
            for one in found:
                at = min(files - 1, home + rng.randrange(2))
                cut = rng.choice(sorted(one.wh)) if rng.random() < 0.4 else None
                for early in (True, False) if cut is not None else (True,):
                    piece = {time: wh for time, wh in one.wh.items() if cut is None or (time < cut) == early}
                    every.append((Series(meter, one.step, piece), at))
                    at = min(files - 1, at + rng.randrange(2))
                if rng.random() < 0.3:
                    every.append((corrected(one, rng), files - 1))
        if clear:
            return laid_out(every, files, overlap, rng)


def laid_out(every: list[tuple[Series, int]], files: int, overlap: bool, rng: random.Random) -> Truth:
    """The rows of each file in some order; of one stamp that comes twice the last one stands."""
    truth = Truth([], overlap)
    stands: dict[tuple[str, int], int] = {}
    for number in range(files):
        rows = [(one, time) for one, at in every if at == number for time in sorted(one.wh)]
        order = rng.choice(("as made", "by time", "by meter and time", "backwards"))
        if order == "by time":
            rows.sort(key=lambda row: row[1])
        elif order == "by meter and time":
            rows.sort(key=lambda row: (row[0].meter, row[1]))
        elif order == "backwards":
            rows.sort(key=lambda row: row[1], reverse=True)
        truth.files.append(rows)
        stands.update({(one.meter, time): one.wh[time] for one, time in rows})
    for (meter, time), wh in stands.items():
        truth.wh[meter, time // 1440] += wh
    return truth


def written(truth: Truth, folder: Path, *, stated: bool) -> tuple[Path, ...]:
    paths = []
    for number, rows in enumerate(truth.files):
        path = folder / f"file{number}.csv"
        lines = ["meter_id,timestamp,consumption_kwh" + ",interval_minutes" * stated]
        for one, time in rows:
            stamp = (MONDAY + timedelta(minutes=time)).strftime("%Y-%m-%dT%H:%M:%SZ")
            lines.append(f"{one.meter},{stamp},{one.wh[time] / 1000:.3f}" + f",{one.step}" * stated)
        if len(lines) > 1:
            path.write_text("\n".join(lines) + "\n")
            paths.append(path)
    return tuple(paths)


class Kept:
    """Stands where the sender does: what would be sent last for each meter and time."""

    kwh: dict[tuple[str, int], float]

    def __init__(self, *_: Any) -> None:
        """Whatever a sender needs."""

    def take(self, parts: Iterable[list[Row] | Item]) -> None:
        for part in parts:
            if isinstance(part, list):
                self.kwh |= {(row[1], row[0]): row[2] for row in part}
            elif part.kind is Kind.READING and part.row is not None:
                self.kwh[part.row[1], part.row[0]] = part.row[2]


def replayed(paths: tuple[Path, ...], *, by_time: bool) -> dict[tuple[str, int], int]:
    """Wh by meter and day, as the files would be sent."""
    kept = type("KeptHere", (Kept,), {"kwh": {}})
    replay = Replay(Request(paths, PROFILES["spec"], by_time=by_time), SETTINGS, Quiet(), lambda _: None)
    with patch(f"{Replay.__module__}.Delivery", kept):
        replay.plan()
    found: dict[tuple[str, int], int] = defaultdict(int)
    monday = round(MONDAY.timestamp()) * 1_000_000
    for (meter, time), kwh in kept.kwh.items():  # type: ignore[attr-defined]
        found[meter, (time - monday) // 86_400_000_000] += round(kwh * 1000)
    return found


def wrong(seed: int, folder: Path) -> str:
    """What is wrong with the files of a seed, or an empty text."""
    rng = random.Random(seed)
    truth = made(rng)
    paths = written(truth, folder, stated=rng.random() < 0.3)
    try:
        found = replayed(paths, by_time=rng.random() < 0.8)
    except GridwatchError as problem:
        if "would count twice" not in str(problem) or not problem.remedy:
            return f"another error: {problem}"
        return "" if truth.overlap else f"a false alarm: {problem}"
    if truth.overlap:
        return "two steps at one time, and not a word"
    return "" if found == dict(truth.wh) else "other energy than in the files"


@pytest.mark.parametrize("block", range(BLOCKS))
def test_steps_that_overlap_are_refused_and_all_else_has_its_energy(block: int, tmp_path: Path) -> None:
    faults = {}
    for seed in range(block * A_BLOCK, (block + 1) * A_BLOCK):
        folder = tmp_path / str(seed)
        folder.mkdir()
        if fault := wrong(seed, folder):
            faults[seed] = fault
    assert not faults, "\n".join(f"seed {seed}: {fault}" for seed, fault in faults.items())


def test_both_outcomes_are_common() -> None:
    outcomes = [made(random.Random(seed)).overlap for seed in range(BLOCKS * A_BLOCK)]
    assert 0.25 < sum(outcomes) / len(outcomes) < 0.75
