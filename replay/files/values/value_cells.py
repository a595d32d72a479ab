"""Cells with values: which columns they are, of which series, in which unit."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from replay.files.job import BadCell, Job
from replay.files.layout import Layout
from replay.files.profile import UNITS, Series
from replay.files.values.cells import CONTROL, DECIMALS, Numbers, Scale

_UNITS = {unit.lower(): unit for unit in UNITS}
#: Units of energy and power in whatever writing; those of reactive and apparent energy are none.
_ENERGY = re.compile(r"w\s*-?h|watt|w$|joule|[mkg]j$|cal$", re.IGNORECASE)
#: Texts of series that are left out by name.
_NOTED_TEXTS = 20


def column_meters(layout: Layout) -> list[str]:
    """The meters of a file with a column each. BadCell where two columns are of one."""
    meters = [layout.headers[at].strip() for at in layout.cells]
    for meter, count in Counter(meters).items():
        if count > 1:
            raise BadCell(meter, meter, "two columns of this name: each meter has one, so rename them")
    return meters


class Value(NamedTuple):
    """A value of a line: kWh, or kW where `unit` is one of power; None where the cell has none."""

    series: Series
    unit: str
    value: float | None


class ValueCells:
    """Reads the values of a file's lines."""

    def __init__(self, job: Job, numbers: Numbers) -> None:
        columns = job.layout.columns
        self._layout, self._profile, self._tally = job.layout, job.profile, job.tally
        self._flow = job.selection.flow
        self._series_at, self._unit_at = columns.get("series", -1), columns.get("unit", -1)
        #: The columns of each series of a line; None stands for the one that the line names.
        self.groups = self._columns()
        #: What values are in where no column says it.
        self.unit = job.profile.unit
        places = [at for _, group in self.groups for at in group]
        self.needed = max(*places, self._series_at, self._unit_at)
        self._numbers = numbers
        self._nulls = job.profile.null_tokens
        self._scales: dict[str, Scale] = {}
        self._texts: dict[str, Series | None] = {}

    def text(self, cells: list[str]) -> str:
        """What a line calls its series; nothing where there is no such column."""
        return cells[self._series_at].strip() if self._series_at >= 0 else ""

    def read(self, cells: list[str]) -> list[Value]:
        """The wanted values of a line. BadCell for a cell that holds none."""
        named = self._series(self.text(cells)) if self._series_at >= 0 else Series()
        unit = self._unit(cells) if named is not None else None
        if named is None or unit is None:
            self._tally.other_series += 1
            return []
        found = []
        for own, places in self.groups:
            series = own or named
            if series.wanted(self._flow) or self._both_ways(series):
                value = self._value(cells, places)
                scaled = None if value is None else self._scale(series.unit or unit)(value)
                found.append(Value(series, series.unit or unit, scaled))
            else:
                self._tally.other_series += 1
        return found

    def _columns(self) -> list[tuple[Series | None, tuple[int, ...]]]:
        """The columns of each series of a line; None stands for the one that the line names."""
        layout, profile = self._layout, self._profile
        if layout.cells:
            meters = zip(column_meters(layout), layout.cells, strict=True)
            return [(Series(meter), (at,)) for meter, at in meters]
        if not layout.values:
            return [(None, (layout.columns["consumption_kwh"],))]
        groups: dict[Series, list[int]] = {}
        for at, number in layout.values:
            groups.setdefault(profile.values[number][1], []).append(at)
        return [(series, tuple(places)) for series, places in groups.items()]

    def _value(self, cells: list[str], places: tuple[int, ...]) -> float | None:
        """The sum of some cells; None where none of them has a value, or a register of several has none."""
        found = []
        for at in places:
            text = cells[at]
            if text.strip() in self._nulls:
                continue
            one = not (self._layout.values or self._layout.cells)
            header = "consumption_kwh" if one else self._layout.headers[at]
            found.append(self._numbers.read(header, text))
        if not found or (self._profile.difference and len(found) < len(places)):
            return None
        return found[0] if len(found) == 1 else round(sum(found), DECIMALS)

    def _series(self, text: str) -> Series | None:
        if text not in self._texts:
            if CONTROL.search(text):
                raise BadCell(
                    "series", text, "has control characters, or is not in the encoding of the profile"
                )
            series = self._profile.series(text) if self._profile.series else None
            if series is None and len(self._texts) < _NOTED_TEXTS:
                self._tally.notes[f"series left out: {text[:60]!r}"] += 0
            self._texts[text] = series
        series = self._texts[text]
        if series is None and (note := f"series left out: {text[:60]!r}") in self._tally.notes:
            self._tally.notes[note] += 1
        return series

    def _both_ways(self, series: Series) -> bool:
        """Whether a series may hold the other direction as well, below zero."""
        return self._profile.negative == "generation" and not series.generation

    def _unit(self, cells: list[str]) -> str | None:
        """The unit of a line; None for what is no energy."""
        if self._unit_at < 0:
            return self.unit
        text = cells[self._unit_at].strip()
        unit = _UNITS.get(text.lower())
        if not text and all(cells[at].strip() in self._nulls for _, group in self.groups for at in group):
            return self.unit
        if unit is None and (not text or _ENERGY.search(text)):
            raise BadCell(
                "unit",
                text,
                "a unit of energy or power that is not known" if text else "empty: the unit is not known",
                f"write one of {', '.join(UNITS)}, the values with it",
            )
        if unit is None:
            self._tally.notes[f"values in {text[:16] or 'no unit'} are no energy: left out"] += 1
        return unit

    def _scale(self, unit: str) -> Scale:
        """To kWh, or to kW."""
        if unit not in self._scales:
            self._scales[unit] = Scale(self._profile.kwh_per_unit(60, unit))
        return self._scales[unit]
