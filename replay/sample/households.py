"""Believable consumption: a week's shape for each kind of household, a scale for each meter, noise.

A value is a function of (seed, meter, instant) alone, so any order of rows gives the same data. Noise comes
from one shared table that each meter walks with a stride of its own: no state for a meter, and fast.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

_DAY = 86_400
_WEEK = 7 * _DAY
#: Shapes are worked out this often at most, seconds.
_SHAPE_STEP = 60
#: 2024-01-01 was a Monday: weeks are counted from there.
MONDAY = 1_704_067_200_000_000
_SECOND = 1_000_000
_NOISE = 1 << 16
_STANDBY_KW = 0.02


@dataclass(frozen=True)
class Kind:
    """A kind of household, kW: base load, morning and evening peaks, weekend noon, panels, night load."""

    share: float
    base: float
    morning: float
    evening: float
    weekend: float
    solar: float = 0.0
    night: float = 0.0


KINDS = (
    Kind(0.34, 0.15, 0.45, 0.95, 0.35),
    Kind(0.22, 0.10, 0.25, 0.55, 0.20),
    Kind(0.16, 0.22, 0.75, 1.60, 0.70),
    Kind(0.12, 0.20, 0.50, 1.10, 0.45, solar=1.30),
    Kind(0.10, 0.25, 0.60, 1.20, 0.50, night=2.20),
    Kind(0.06, 0.90, 0.20, 0.30, -0.40),
)


#: The number of a slot, and for each kind of household its load and what the sun takes off that, kW.
Slot = tuple[int, list[tuple[float, float]]]


class Households:
    """The consumption of meters `0 … meters − 1` at slots of `interval` minutes (10 s: a sixth)."""

    def __init__(self, meters: int, interval: float, seed: int) -> None:
        self._interval = round(60 * interval)
        self._hours = self._interval / 3600
        self._step = max(self._interval, _SHAPE_STEP)
        draw = random.Random(seed)  # noqa: S311 - sample data, not secrets
        self._noise = [min(3.0, draw.lognormvariate(-0.06, 0.35)) for _ in range(_NOISE)]
        kinds = draw.choices(range(len(KINDS)), [kind.share for kind in KINDS], k=meters)
        self._weeks = [_week(kind, self._step) for kind in KINDS]
        self._sun = [_sun(kind, self._step) for kind in KINDS]
        self._meters = [
            (kind, draw.lognormvariate(0.0, 0.4), draw.randrange(_NOISE), draw.randrange(1, _NOISE, 2))
            for kind in kinds
        ]

    def slot(self, time: int) -> Slot:
        """What all meters have in common in the slot at `time` (µs)."""
        seconds = (time - MONDAY) // _SECOND
        day = seconds // _DAY
        in_week = seconds % _WEEK // self._step % len(self._weeks[0])
        in_day = seconds % _DAY // self._step % len(self._sun[0])
        winter = 1.0 + 0.25 * math.cos(2 * math.pi * (day % 365) / 365)
        cloud = min(1.0, 0.5 * self._noise[day * 7919 & (_NOISE - 1)] + 0.1)
        kilowatts = zip(self._weeks, self._sun, strict=True)
        return seconds // self._interval, [
            (week[in_week] * winter, sun[in_day] * cloud) for week, sun in kilowatts
        ]

    def at(self, time: int, chosen: range) -> list[float]:
        """kWh of each chosen meter for the slot at `time` (µs)."""
        slot, kilowatts = self.slot(time)
        hours, noise, mask = self._hours, self._noise, _NOISE - 1
        values = []
        for meter in chosen:
            kind, scale, offset, stride = self._meters[meter]
            load, sun = kilowatts[kind]
            used = load * scale * noise[offset + slot * stride & mask] - sun
            values.append((used if used > _STANDBY_KW else _STANDBY_KW) * hours)
        return values

    def of(self, meter: int, slots: Iterable[Slot]) -> list[float]:
        """kWh of one meter for each slot."""
        hours, noise, mask = self._hours, self._noise, _NOISE - 1
        kind, scale, offset, stride = self._meters[meter]
        values = []
        for slot, kilowatts in slots:
            load, sun = kilowatts[kind]
            used = load * scale * noise[offset + slot * stride & mask] - sun
            values.append((used if used > _STANDBY_KW else _STANDBY_KW) * hours)
        return values


def _bell(hour: float, peak: float, width: float) -> float:
    apart = min(abs(hour - peak), 24 - abs(hour - peak))
    return math.exp(-((apart / width) ** 2))


def _week(kind: Kind, step: int) -> list[float]:
    """kW of a week, from Monday 00:00 on, every `step` seconds."""
    week = []
    for start in range(0, _WEEK, step):
        hour, weekend = start % _DAY / 3600, start // _DAY >= 5
        load = kind.base + kind.evening * _bell(hour, 19.0, 2.6) + kind.night * _bell(hour, 2.0, 2.0)
        load += kind.morning * _bell(hour, 9.5 if weekend else 7.5, 1.6)
        load += kind.weekend * _bell(hour, 13.5, 3.5) * (1.0 if weekend else 0.25)
        week.append(max(_STANDBY_KW, load))
    return week


def _sun(kind: Kind, step: int) -> list[float]:
    """kW that the sun takes off, every `step` seconds of a day."""
    return [kind.solar * _bell(start / 3600, 12.5, 2.8) for start in range(0, _DAY, step)]
