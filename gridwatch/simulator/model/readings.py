"""What meters read: registers at the ends of intervals, and all that follows from their differences.

A reading at t is about [t, t + every): energy is the difference of the register, in whole mWh, so that it
telescopes to the register to the last digit; power is the exact mean over the interval, and with it go the
voltage, current and power factor at t.

Events multiply power for a while: the register then rises by factor − 1 times what it rises without. Or they
even it out: the register rises on a straight line, so steep that every interval has the same whole mWh.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numpy as np

from gridwatch.simulator.model.draws import Ints
from gridwatch.simulator.model.energy import Energy
from gridwatch.simulator.model.fleet import Fleet
from gridwatch.simulator.model.network import Network, current

_MILLIJOULES_A_MILLIWATT_HOUR = 3600
#: Readings that are worked out together: what fits into a processor's cache.
_TOGETHER = 1 << 15


@dataclass(frozen=True)
class Boost:
    """The power of some meters (places in the fleet) times `factor` ‰, from `start` until `end` (seconds)."""

    meters: Ints
    start: int
    end: int
    factor: int


@dataclass(frozen=True)
class Flat:
    """Some meters (places in the fleet) draw their mean power evenly, from `start` until `end` (seconds)."""

    meters: Ints
    start: int
    end: int


@dataclass(frozen=True)
class _Line:
    """The straight line of a `Flat`: where registers begin, mJ a second, and how much lower they are after
    it than they would be."""

    flat: Flat
    begin: Ints
    slope: Ints
    lost: Ints


@dataclass(frozen=True)
class _Lift:
    """A stretch in which the power of some meters rises by `gain` ‰; registers at its ends, without it."""

    meters: Ints
    start: int
    end: int
    gain: Ints
    before: Ints
    after: Ints


@dataclass(frozen=True)
class Readings:
    """Arrays by instant and meter; the last two by instant and meter with panels, frequency by instant."""

    #: Seconds since the Unix epoch: where each interval begins.
    instants: Ints
    #: mWh of the interval, and the register at its end.
    energy: Ints
    register: Ints
    #: Hundredths of W, and of V; ‰; tenths of mA.
    power: Ints
    voltage: Ints
    power_factor: Ints
    current: Ints
    #: mHz.
    frequency: Ints
    #: mWh fed in, and the register of that.
    fed_in: Ints
    feed_register: Ints


class Meters:
    """The readings of a fleet, every so many seconds."""

    def __init__(
        self, fleet: Fleet, zone: str, every: int, boosts: Sequence[Boost] = (), flats: Sequence[Flat] = ()
    ) -> None:
        self.fleet = fleet
        self.every = every
        self._energy = Energy(fleet, zone)
        self._network = Network(fleet)
        self._lifts = [self._lift_of(*stretch) for stretch in _disjoint(boosts, len(fleet.ids))]
        self._lines: list[_Line] = []
        for flat in flats:
            self._lines.append(self._line_of(flat))
        self.feeding = self._energy.feeding

    def between(self, start: int, end: int | None) -> Iterator[Readings]:
        """All readings of `start` ≤ t < `end` (seconds; None: for ever), some thousand at a time.

        Instants are whole multiples of the interval since the Unix epoch.
        """
        steps = max(1, _TOGETHER // len(self.fleet.ids))
        at, last = -(-start // self.every), None if end is None else -(-end // self.every)
        while last is None or at < last:
            stop = at + steps if last is None else min(at + steps, last)
            yield self.at(np.arange(at, stop, dtype=np.int64) * self.every)
            at = stop

    def at(self, instants: Ints) -> Readings:
        """The readings at instants that are one interval apart."""
        ends = np.append(instants, instants[-1] + self.every)
        taken, fed = self._registers(ends)
        power = _mean(np.diff(taken, axis=0), self.every)
        net = power.copy()
        net[:, self.feeding] -= _mean(np.diff(fed, axis=0), self.every)
        voltage = self._network.voltage(instants, net)
        factor = self._network.power_factor(instants)
        register, feed_register = taken // _MILLIJOULES_A_MILLIWATT_HOUR, fed // _MILLIJOULES_A_MILLIWATT_HOUR
        return Readings(
            instants,
            np.diff(register, axis=0),
            register[1:],
            power,
            voltage,
            factor,
            current(power, voltage, factor),
            self._network.frequency(instants),
            np.diff(feed_register, axis=0),
            feed_register[1:],
        )

    def _registers(self, ends: Ints) -> tuple[Ints, Ints]:
        """Registers after all that events have done until each instant."""
        taken, fed = self._energy.registers(ends)
        if self._lifts:
            taken = self._lifted(taken, ends)
        for line in self._lines:
            taken = _evened(taken, ends, line)
        return taken, fed

    def _line_of(self, flat: Flat) -> _Line:
        begin, end = (
            self._registers(np.array([at], np.int64))[0][0, flat.meters] for at in (flat.start, flat.end)
        )
        length, step = flat.end - flat.start, _MILLIJOULES_A_MILLIWATT_HOUR
        step //= gcd(step, self.every)
        slope = np.maximum((end - begin) // (length * step), 1) * step
        return _Line(flat, begin, slope, end - begin - slope * length)

    def _lift_of(self, meters: Ints, start: int, end: int, gain: Ints) -> _Lift:
        before, after = (
            self._energy.registers(np.array([at], np.int64))[0][0, meters] for at in (start, end)
        )
        return _Lift(meters, start, end, gain, before, after)

    def _lifted(self, taken: Ints, ends: Ints) -> Ints:
        """Registers with all that boosts have added until each instant."""
        lifted = taken.copy()
        for lift in self._lifts:
            begun = ends > lift.start
            own = np.ix_(begun, lift.meters)
            risen = np.where((ends[begun] < lift.end)[:, None], taken[own], lift.after) - lift.before
            # In two parts: the product of both may be larger than an integer holds.
            lifted[own] += risen // 1000 * lift.gain + risen % 1000 * lift.gain // 1000
        return lifted


def _evened(taken: Ints, ends: Ints, line: _Line) -> Ints:
    """Registers on a line while it lasts."""
    flat = line.flat
    begun = ends > flat.start
    own = np.ix_(begun, flat.meters)
    since = (ends[begun] - flat.start)[:, None]
    evened = taken.copy()
    evened[own] = np.where(
        since < flat.end - flat.start, line.begin + since * line.slope, taken[own] - line.lost
    )
    return evened


def _disjoint(boosts: Sequence[Boost], meters: int) -> Iterator[tuple[Ints, int, int, Ints]]:
    """Stretches that do not overlap: meters, start, end and by how much their power rises (‰ of it).

    Where boosts overlap their factors are multiplied.
    """
    edges = sorted({edge for boost in boosts for edge in (boost.start, boost.end)})
    for start, end in pairwise(edges):
        factor = np.full(meters, 1000, np.int64)
        for boost in boosts:
            if boost.start <= start < boost.end:
                factor[boost.meters] = factor[boost.meters] * boost.factor // 1000
        touched = np.flatnonzero(factor != 1000).astype(np.int64)
        if len(touched):
            yield touched, start, end, factor[touched] - 1000


def _mean(millijoules: Ints, seconds: int) -> Ints:
    """Hundredths of W, rounded."""
    mean: Ints = (millijoules + 5 * seconds) // (10 * seconds)
    return mean
