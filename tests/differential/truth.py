"""The truth that a file is made from: energy of meters, interval by interval, in whole Wh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tests.differential.clocks import ZONES, midnight, shown, some_days

EXPORT = "-export"


class Slot(NamedTuple):
    """One interval: its start (minutes since 1970, UTC) and its length in minutes."""

    start: int
    minutes: int

    @property
    def end(self) -> int:
        return self.start + self.minutes


@dataclass
class Truth:
    """Energy in Wh by meter and slot. Meters that also feed in have a second series, `…-export`."""

    zone: str
    first: date
    days: int
    #: 0 where steps change within the file.
    minutes: int
    slots: list[Slot]
    meters: list[str]
    both_ways: bool
    energy: dict[tuple[str, Slot], int]

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]

    def day_slots(self, day: date) -> list[Slot]:
        """The slots of a local day."""
        return [slot for slot in self.slots if shown(slot.start, self.zone).date() == day]

    def of(self, meter: str, slot: Slot) -> int:
        return self.energy[meter, slot]

    def cut(self, rng: Random) -> bool:
        """Keep the slots from somewhere on, or until somewhere; whether any were dropped."""
        if rng.random() > 0.2 or len(self.slots) < 30:
            return False
        near = [n for n, slot in enumerate(self.slots) if 0 <= shown(slot.start, self.zone).hour <= 4]
        at = min(max(rng.choice(near), 5), len(self.slots) - 5)
        self.keep(self.slots[at:] if rng.random() < 0.5 else self.slots[:at])
        return True

    def keep(self, slots: list[Slot]) -> None:
        """Only these slots."""
        kept = set(slots)
        self.slots = slots
        self.energy = {key: wh for key, wh in self.energy.items() if key[1] in kept}

    def without(self, meter: str, slot: Slot) -> None:
        """Nothing is known of a meter's slot."""
        for name in (meter, meter + EXPORT):
            self.energy.pop((name, slot), None)

    def milliwatthours(self) -> dict[tuple[str, int], int]:
        """Series and start → mWh, without zeros."""
        return {(name, slot.start): wh * 1000 for (name, slot), wh in self.energy.items() if wh}


def some_truth(
    rng: Random,
    *,
    zone: str = "",
    minutes: Iterable[int] = (15, 30, 60),
    names: list[str] | None = None,
    both_ways: bool = False,
    exclusive: bool = False,
    changing: bool = False,
    years: tuple[int, ...] = (2019, 2021, 2023, 2024),
) -> Truth:
    """A truth. `exclusive`: of a slot's two directions one at most has energy; `changing`: steps change."""
    zone = zone or rng.choice(ZONES)
    allowed = [n for n in minutes if n < 60 or zone != "Australia/Lord_Howe"] or [30]
    first, days = some_days(rng, zone, years)
    start, end = midnight(first, zone), midnight(first + timedelta(days=days), zone)
    step = rng.choice(allowed)
    slots = [Slot(at, step) for at in range(start, end, step)]
    if changing:
        slots = _changing(rng, zone, first, days)
    meters = names or _names(rng, rng.choice((1, 2, 2, 3)))
    energy: dict[tuple[str, Slot], int] = {}
    for meter in meters:
        for slot in slots:
            taken, fed = _wh(rng), _wh(rng)
            if exclusive:
                taken, fed = (taken, 0) if rng.random() < 0.6 else (0, fed)
            energy[meter, slot] = taken
            if both_ways:
                energy[meter + EXPORT, slot] = fed
    return Truth(zone, first, days, 0 if changing else step, slots, meters, both_ways, energy)


def _wh(rng: Random) -> int:
    kind = rng.random()
    if kind < 0.06:
        return 0
    return rng.randrange(1, 100) if kind < 0.3 else rng.randrange(100, 4000)


def _names(rng: Random, count: int) -> list[str]:
    stem = rng.choice(("M{}", "METER_{:04d}", "00{}1234", "54144880000000{:04d}", "meter {}", "ES0031-{}-X"))
    return [stem.format(n + 1) for n in range(count)]


def _changing(rng: Random, zone: str, first: date, days: int) -> list[Slot]:
    """Runs of at least four equal steps, so that no step looks like a gap; none crosses midnight."""
    slots: list[Slot] = []
    last = 0
    for day in (first + timedelta(days=n) for n in range(days)):
        at, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        while at < end:
            step = rng.choice([n for n in (15, 30, 60) if n != last])
            run = rng.randrange(4, 20)
            if end - at < (run + 4) * 60:
                if (end - at) % step:
                    step = 15 if (end - at) % 30 else 30
                run = (end - at) // step
            slots += [Slot(at + n * step, step) for n in range(run)]
            at, last = at + run * step, step
    return slots
