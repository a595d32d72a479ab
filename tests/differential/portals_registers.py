"""Files of named profiles that hold registers: homewizard, dsmr."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.differential.case import Case
from tests.differential.judgement import judged
from tests.differential.lines import Entry, in_order, with_repeats
from tests.differential.paper import Paper
from tests.differential.portals import KWH, ORDERED, named
from tests.differential.stamps import Stamps
from tests.differential.truth import EXPORT, Truth, some_truth


def _tariffs(rng: Random, truth: Truth, name: str) -> list[tuple[int, int]]:
    """What the two registers of a direction show (Wh) at each boundary of slots."""
    low, high = rng.randrange(10**6, 10**7), rng.randrange(10**6, 10**7)
    found = [(low, high)]
    for slot in truth.slots:
        wh = truth.of(name, slot)
        low, high = (low + wh, high) if slot.start // 720 % 2 else (low, high + wh)
        found.append((low, high))
    return found


def _registers(rng: Random, profile: str, header: list[str], stamps: Stamps) -> Case:
    truth = some_truth(rng, zone="Europe/Amsterdam", names=[profile], both_ways=True, minutes=(15, 60))
    at = [truth.slots[0].start, *(slot.end for slot in truth.slots)]
    rows_at = {
        time: [KWH.write(wh, 60) for wh in (*taken, *fed)]
        for time, taken, fed in zip(
            at, _tariffs(rng, truth, profile), _tariffs(rng, truth, profile + EXPORT), strict=True
        )
    }
    first = truth.slots[0]
    entries = [Entry(profile, "", first._replace(start=time), 0) for time in at]
    lines = with_repeats(rng, in_order(rng, entries, rng.choice(ORDERED)), corrections=False)
    rows = [[stamps.of(e.slot), *rows_at[e.slot.start]] for e in lines.entries]
    verdict = judged(lines, stamps, chained=True)
    return named(
        rng, truth, profile, rows, header, Paper(), name=profile, verdict=verdict, layout=lines.order
    )


def homewizard(rng: Random) -> Case:
    """HomeWizard: local time, two tariffs each way."""
    header = ["time", "Import T1 kWh", "Import T2 kWh", "Export T1 kWh", "Export T2 kWh"]
    return _registers(rng, "homewizard", header, Stamps("local", "%Y-%m-%d %H:%M", "Europe/Amsterdam", False))


def dsmr(rng: Random) -> Case:
    """DSMR-reader: with offsets."""
    ways = ("delivered", "returned")
    header = ["read_at", *(f"electricity_{way}_{tariff}" for way in ways for tariff in (1, 2))]
    return _registers(rng, "dsmr", header, Stamps("offset", "%Y-%m-%d %H:%M:%S", "Europe/Amsterdam", False))


REGISTERS: tuple[Callable[[Random], Case], ...] = (homewizard, dsmr)
