"""What is plausible of a file, meter by meter: hints for people, no errors.

A unit that is not what it is taken for shows in the kWh that a meter uses a day; several series under one id
show in stamps that come again and again with other values; steps that vary matter for values in kW.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from gridwatch.domain.policy import DAY, HOUR, MINUTE
from replay.files.profile import DAY_MINUTES

#: kWh a day and meter beyond which, and below which, a unit is doubted.
_MUCH, _LITTLE = 500.0, 0.02
#: Stamps with several values, of all: corrections are fewer.
_MANY = 1 / 4
#: Steps of a meter that are not its shortest one or some of it, of all.
_VARYING = 1 / 20
#: Equal values other than zero from which on a meter is reported never to change.
_FROZEN = 24
_FEWEST_STEPS = 3
#: Meters with one reading each from which on their ids are doubted.
_ONE_EACH = 5


@dataclass(slots=True)
class MeterFigures:
    """What is kept of one meter. Times in µs, energy in micro-kWh."""

    time: int
    kwh: float
    #: What stands for the latest time: in the files, and of what the worker accepts.
    stands: int
    accepted: int
    energy: int
    stamps: int = 1
    #: Stamps whose value came again as another one.
    revised: int = 0
    #: The shortest time between two readings, and how many were no multiple of it.
    step: int = 0
    odd_steps: int = 0
    changed: bool = False
    #: Until when the readings reach, by the intervals that they give, and how many begin well before that.
    reach: int = 0
    overlapping: int = 0
    #: How many local days readings cover that say so.
    days: int = 0
    #: Readings that come long after the beginning of their local day or month.
    behind: int = 0

    def covers(self, time: int, interval: int) -> None:
        """A reading covers so many minutes (0 unknown), a day an hour less: some have 23 hours."""
        reach = time + interval * MINUTE - (HOUR if interval == DAY_MINUTES else 0)
        self.reach = max(self.reach, reach)

    def covers_until(self, end: int, days: int) -> None:
        """A reading covers all of a local day or month, which has so many days."""
        if end > self.reach:
            self.reach = end
            self.days += days

    def follow(self, distance: int) -> None:
        """The next reading comes `distance` later."""
        self.stamps += 1
        self.overlapping += self.time + distance < self.reach
        if not self.step:
            self.step = distance
        elif distance < self.step:
            self.odd_steps += self.step % distance != 0
            self.step = distance
        elif distance % self.step:
            self.odd_steps += 1

    @property
    def a_day(self) -> float | None:
        """kWh a day, over the time that has readings; None where that is not known."""
        days = self.days or self.stamps * self.step / DAY
        return self.energy / 1e6 / days if days else None


class Plausibility:
    """Judges the meters of a census."""

    def __init__(self, meters: dict[str, MeterFigures]) -> None:
        self._meters = meters
        days = ((name, one.a_day) for name, one in meters.items())
        self._days = [(kwh, name) for name, kwh in days if kwh is not None]

    @property
    def a_day(self) -> dict[str, Any] | None:
        """kWh a meter and day: the median, the least and the most with their meters; None without steps."""
        if not self._days:
            return None
        (least, least_meter), (most, most_meter) = min(self._days), max(self._days)
        return {
            "median": round(median(kwh for kwh, _ in self._days), 6),
            "least": round(least, 6),
            "least_meter": least_meter,
            "most": round(most, 6),
            "most_meter": most_meter,
        }

    @property
    def hints(self) -> list[str]:
        """What is not plausible, in words."""
        return [
            *self._units(),
            *self._series(),
            *self._overlaps(),
            *self._behind(),
            *self._once(),
            *self._steps(),
            *self._frozen(),
        ]

    def _units(self) -> Iterator[str]:
        middle = median([kwh for kwh, _ in self._days]) if self._days else 1.0
        if middle > _MUCH:
            yield (
                f"half of the meters use {middle:,.0f} kWh a day or more: is the unit right (Wh, W), and are "
                "these no readings of a register?"
            )
        elif 0 < middle < _LITTLE:
            yield f"half of the meters use {middle:.4f} kWh a day or less: is the unit right (MWh, kW)?"
        else:
            above = sorted(((kwh, name) for kwh, name in self._days if kwh > _MUCH), reverse=True)
            if above:
                yield f"{_some(above)} above {_MUCH:,.0f} kWh a day: is the unit right for all meters?"

    def _series(self) -> Iterator[str]:
        stamps = sum(one.stamps for one in self._meters.values())
        revised = sum(one.revised for one in self._meters.values())
        if revised > stamps * _MANY:
            yield (
                f"{revised:,} of {stamps:,} stamps of a meter came with several values, of which the last "
                "one stands: more than corrections are. Is there a column that tells devices, directions or "
                "tariffs apart, or one with the time of day?"
            )

    def _overlaps(self) -> Iterator[str]:
        overlapping = [name for name, one in self._meters.items() if one.overlapping > one.stamps * _MANY]
        if overlapping:
            yield (
                f"{len(overlapping):,} meters (such as {min(overlapping)}) have readings that begin before "
                "those before them end, by the intervals they give: is the interval right, or are these two "
                "series of one meter, whose energy would count twice?"
            )

    def _behind(self) -> Iterator[str]:
        behind = [name for name, one in self._meters.items() if one.behind > one.stamps * _MANY]
        if behind:
            yield (
                f"{len(behind):,} meters (such as {min(behind)}) have readings of local days or months that "
                "come long after these begin, and are missing until then: days that begin at another hour "
                'are interval = "24h"'
            )

    def _once(self) -> Iterator[str]:
        if len(self._meters) >= _ONE_EACH and all(one.stamps == 1 for one in self._meters.values()):
            yield (
                f"none of the {len(self._meters):,} meters has a second reading: is the column of their ids "
                "one that counts rows?"
            )

    def _steps(self) -> Iterator[str]:
        varying = [
            name
            for name, one in self._meters.items()
            if one.stamps > _FEWEST_STEPS and one.odd_steps > (one.stamps - 1) * _VARYING
        ]
        if varying:
            yield (
                f"{len(varying):,} meters do not report in constant steps (such as {min(varying)}): of "
                "values in kW or W the energy depends on them"
            )

    def _frozen(self) -> Iterator[str]:
        frozen = [
            name
            for name, one in self._meters.items()
            if not one.changed and one.kwh and one.stamps >= _FROZEN
        ]
        if frozen:
            yield f"{len(frozen):,} meters have one value from first to last (such as {min(frozen)})"


def _some(found: list[tuple[float, str]]) -> str:
    kwh, name = found[0]
    return f"{len(found):,} of the meters, such as {name} with {kwh:,.0f}, are"
