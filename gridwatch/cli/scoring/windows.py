"""What the windows of one meter must be, worked out from its readings alone. Pure.

This is a second implementation of the rules of windows, which shares nothing with the worker's. Not judged is
what the database cannot tell: windows from before the last interval was known, readings that were held since
they were ahead, and a register's energy over a gap that was replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from gridwatch.cli.scoring.readings import Reading, Stretch, stretches
from gridwatch.cli.scoring.spreading import shares
from gridwatch.domain.policy import SECOND

_MOST = 1e9


class Window(NamedTuple):
    """The figures of a window as its row has them: kWh, kW, V, A; None where nothing is known.

    `derived` power cannot be compared where it is not certain that an interval was known.
    """

    readings: int
    energy: float
    power: tuple[float | None, float | None, float | None]
    voltage: float | None
    current: float | None
    power_factor: float | None


class Windows(NamedTuple):
    """The windows of one length by their start; those in `unjudged`, and any before `since`, are not
    judged. Of those in `powerless` the power is not."""

    of: dict[int, Window]
    unjudged: frozenset[int]
    since: int
    powerless: frozenset[int]

    def judges(self, start: int) -> bool:
        """Whether a window is judged."""
        return start >= self.since and start not in self.unjudged


def windows_of(readings: Sequence[Reading], length: int, lateness: int, *, end_anchor: bool) -> Windows:
    """The windows of `length` (µs) of one meter; with `end_anchor` its stamps are the ends of intervals."""
    parts = stretches(readings)
    last = parts[-1]
    lag = last.interval if end_anchor else 0
    before = [reading for part in parts[:-1] for reading in part.readings]
    since = max((one.time - one.time % length + length for one in before), default=-(1 << 62))
    doubtful = _doubtful(last, length, lag, lateness)
    takes_part = last.interval <= length and not last.readings[-1].calendar
    if not takes_part or end_anchor:
        # Before its interval is known a meter takes part, and its readings count at their stamp.
        doubtful |= {
            time - time % length - shift
            for time in last.unsettled
            for shift in ((0, length) if lag else (0,))
        }
    if not takes_part:
        return Windows({}, frozenset(doubtful), since, frozenset())
    contained: dict[int, list[Reading]] = {}
    energy: dict[int, int] = {}
    for one in last.readings:
        covered = one.time - lag
        start = covered - covered % length
        if start + length + lateness > one.watermark:
            contained.setdefault(start, []).append(one)
        if one.energy_from is None:
            placed: Iterable[tuple[int, int]] = ((start, one.energy),)
        else:
            begin = covered + one.interval - (one.time - one.energy_from)
            placed = shares(one.energy, begin, covered + one.interval, length)
        for window, share in placed:
            if window + length + lateness > one.watermark:
                energy[window] = energy.get(window, 0) + share
    found = {
        start: _figures(contained.get(start, ()), energy.get(start, 0), last.interval)
        for start in contained.keys() | {start for start, share in energy.items() if share}
    }
    powerless = {one.time - one.time % length for one in last.readings if one.time in last.unsettled}
    return Windows(found, frozenset(doubtful), since, frozenset(powerless))


def _doubtful(part: Stretch, length: int, lag: int, lateness: int) -> set[int]:
    """Windows about which the readings leave a question open."""
    doubtful: set[int] = set()
    previous: Reading | None = None
    for one in sorted(part.readings):
        covered = one.time - lag
        start = covered - covered % length
        if "AHEAD" in one.flags or ("REVISED" in one.flags and start + length + lateness <= one.watermark):
            doubtful.add(start)
        if "REVISED" in one.flags and one.register:
            # Its first value may have been the energy of a gap before it.
            first = start if previous is None else previous.time - lag
            first -= first % length
            doubtful.update(range(first, covered + one.interval, length))
        previous = one
    return doubtful


def _figures(readings: Sequence[Reading], energy: int, interval: int) -> Window:
    powers = [power for one in readings if (power := power_of(one, interval)) is not None]
    extremes = (_exact(min(powers), 1e6), _exact(max(powers), 1e6)) if powers else (None, None)
    return Window(
        len(readings),
        energy / 1e9,
        (_mean(powers, 1e6), *extremes),
        _mean(scaled((one.voltage for one in readings), 1000), 1e3),
        _mean(scaled((one.current for one in readings), 1000), 1e3),
        _mean(scaled((one.power_factor for one in readings), 1_000_000), 1e6),
    )


def power_of(reading: Reading, interval: int) -> Fraction | None:
    """The power of a reading in mW: as it came, or what the energy is over the interval."""
    came = scaled((reading.power_kw,), 1_000_000)
    if came:
        return came[0]
    if reading.energy_from is not None:
        return None
    return Fraction(reading.energy * 3600 * SECOND, interval * 1000)


def scaled(values: Iterable[float | None], scale: int) -> list[Fraction]:
    """Those values that there are and that can be, in whole numbers of a unit `scale` times as small."""
    return [
        Fraction(floor(value * scale + 0.5)) for value in values if value is not None and abs(value) <= _MOST
    ]


def _mean(values: Sequence[Fraction], scale: float) -> float | None:
    return _exact(sum(values, Fraction(0)) / len(values), scale) if values else None


def _exact(value: Fraction, scale: float) -> float:
    """A half goes to the even neighbour."""
    return round(value) / scale
