"""How a kind of meter file is laid out, as data; `replay.profiles` has one file for each kind.

A profile only describes. What it leaves open (`zone` None, more than one delimiter or decimal mark) is
found out from the file or taken from the settings, and the run says what it assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from replay.layout import Layout, Start

#: Fields that every reading has.
REQUIRED_FIELDS = ("meter_id", "timestamp", "consumption_kwh")
#: Optional fields of a reading that hold text; the other optional ones hold numbers.
TEXT_FIELDS = frozenset({"region", "sent_at"})
#: Optional fields that go through to the raw record when the file has them.
OPTIONAL_FIELDS = (
    "interval_minutes",
    "region",
    "voltage",
    "current",
    "power_kw",
    "power_factor",
    "frequency",
    "sent_at",
)
#: Among `strptime` forms: RFC 3339.
RFC_3339 = "RFC 3339"
#: kWh in one of a unit; the units of power are multiplied by the hours of the interval as well.
UNITS = {
    "kWh": Fraction(1),
    "Wh": Fraction(1, 1000),
    "MWh": Fraction(1000),
    "kW": Fraction(1),
    "W": Fraction(1, 1000),
}
_POWER = ("kW", "W")


@dataclass(frozen=True)
class Series:
    """One of several series of a meter: what is put behind the meter's id, its direction, its own unit."""

    suffix: str = ""
    generation: bool = False
    unit: str = ""

    def wanted(self, flow: str) -> bool:
        """Whether a selection of `both`, `consumption` or `generation` takes it."""
        return flow == "both" or (flow == "generation") == self.generation


@dataclass(frozen=True)
class Profile:
    """The layout of a file and the meaning of its columns.

    `columns` maps the fields of a reading to the headers accepted for it, compared without case and
    surrounding blanks. `stamps` are `strptime` forms or RFC_3339, none for that alone. `anchor` says which
    end of its interval a stamp names: where it is the end, the interval's start is sent. `dst` says how the
    hour that the clocks repeat lies in the file: twice, told apart by the order of the rows, or once, as a
    sum to be split. `null_tokens` are values that stand for "no reading": such a row is left out, as if the
    meter had not reported.
    """

    name: str
    meaning: str
    columns: dict[str, tuple[str, ...]]
    #: Makes what turns the cells of a line into rows (see `replay.rows.LineParser`).
    parser: Callable[[Any], Any]
    delimiters: tuple[str, ...] = (",", ";", "\t")
    decimal_marks: tuple[str, ...] = (".", ",")
    #: Lines before the header; and the headers themselves, of files that have none.
    skip_lines: int = 0
    headers: tuple[str, ...] = ()
    null_tokens: frozenset[str] = frozenset()
    unit: str = "kWh"
    multiply: Fraction = Fraction(1)
    #: Minutes, given with each reading; 0 when the set does not say.
    interval: int = 0
    zone: str | None = None
    #: Whether the publisher says so, or gridwatch assumes it.
    zone_known: bool = False
    stamps: tuple[str, ...] = ()
    anchor: Literal["start", "end", "unknown"] = "unknown"
    dst: Literal["order", "split"] = "order"
    order: Literal["time", "meter", "any"] = "any"
    off_grid: Literal["send", "leave out"] = "send"
    #: A column of quality codes, and what stands before each code among a reading's flags; with nothing
    #: before them they are several between blanks, as gridwatch exports them.
    quality: tuple[str, str] | None = None
    #: What the text of the column `series` says: None for a series that is no energy of an interval.
    series: Callable[[str], Series | None] | None = None
    #: Wide files: columns with values, by a pattern of their header; one of them is a slot or a meter.
    cells: str = ""
    #: Files that have no column for the meter are named after it.
    meter_from_file: bool = False
    #: Finds the layout from the start of a file; None: by the header in the first line.
    inspect: Callable[[Start, Profile], Layout] | None = None
    #: Reads files that are not lines of cells; None: lines of cells.
    reader: Callable[[Any], Iterator[Any]] | None = None
    #: Why the start of a file is of this kind, or an empty text; None: never found by itself.
    recognise: Callable[[Start], str] | None = None

    #: What a profile of one's own was made from.
    described: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells the rows of this profile from those of another one."""
        return f"{self.name} {self.described}" if self.described else self.name

    def accepted(self, field: str) -> tuple[str, ...]:
        """The headers that name `field`: its aliases, or an optional field's own name."""
        return self.columns.get(field, (field,))

    def kwh_per_unit(self, interval: int = 0, unit: str = "") -> Fraction:
        """What a value of the file is multiplied by; `interval` (minutes) matters for power only."""
        unit = unit or self.unit
        scale = UNITS[unit] * self.multiply
        return scale * Fraction(interval or self.interval, 60) if unit in _POWER else scale
