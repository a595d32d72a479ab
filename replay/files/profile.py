"""How a kind of meter file is laid out, as data; `replay.files.profiles` has one file for each kind.

A profile only describes. What it leaves open (`zone` None, more than one delimiter or decimal mark) is
found out from the file or taken from the settings, and the run says what it assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from gridwatch.domain.policy import HOUR, MINUTE, SECOND
from replay.files.layout import Layout, Start

#: Fields that every reading has.
REQUIRED_FIELDS = ("meter_id", "timestamp", "consumption_kwh")
#: Optional fields of a reading that hold text; the other optional ones hold numbers.
TEXT_FIELDS = frozenset({"region", "sent_at", "calendar"})
#: Optional fields that go through to the raw record when the file has them.
OPTIONAL_FIELDS = (
    "calendar",
    "interval_minutes",
    "interval_seconds",
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
#: Minutes of a day, the longest interval but for a month, which is taken for 30 days.
DAY_MINUTES = 1440
MONTH_MINUTES = 30 * DAY_MINUTES
_HOUR = re.compile(r"%[-#]?[HIcXsT]")
#: kWh in one of a unit; the units of power are multiplied by the hours of the interval as well.
UNITS = {
    "kWh": Fraction(1),
    "Wh": Fraction(1, 1000),
    "MWh": Fraction(1000),
    "kW": Fraction(1),
    "W": Fraction(1, 1000),
}
POWER = ("kW", "W")


def has_hour(form: str) -> bool:
    """Whether a form of stamps says the hour."""
    return form == RFC_3339 or bool(_HOUR.search(form))


@dataclass(frozen=True)
class Series:
    """One of several series of a meter: what is appended to the meter's id, its direction, its own unit."""

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
    #: Makes what turns the cells of a line into rows (see `replay.files.rows.LineParser`).
    parser: Callable[[Any], Any]
    delimiters: tuple[str, ...] = (",", ";", "\t", "|")
    decimal_marks: tuple[str, ...] = (".", ",")
    #: What parts the thousands of numbers; nothing where none does.
    thousands: str = ""
    #: Lines before the header; and the headers themselves, of files that have none.
    skip_lines: int = 0
    headers: tuple[str, ...] = ()
    null_tokens: frozenset[str] = frozenset()
    unit: str = "kWh"
    multiply: Fraction = Fraction(1)
    #: Minutes, given with each reading; 0 when the set does not say.
    interval: int = 0
    #: The same in seconds, of an interval that is not of whole minutes.
    seconds: int = 0
    #: Whether an interval of a day, or of a month, is one of the calendar of the zone.
    by_calendar: bool = False
    zone: str | None = None
    #: Whether the publisher says so, or gridwatch assumes it.
    zone_known: bool = False
    stamps: tuple[str, ...] = ()
    anchor: Literal["start", "end", "unknown"] = "unknown"
    #: Whether 00:00 begins the day of its date, or ends it, as 24:00 does.
    midnight: Literal["start", "end"] = "start"
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
    #: What the texts are written in; empty for UTF-8, or UTF-16 with its mark.
    encoding: str = ""
    #: Fields of `columns` that a file may lack.
    optional: frozenset[str] = frozenset()
    #: Whether lines before the header are passed over until one has all columns.
    find_header: bool = False
    #: Whether several columns of `timestamp` (or `until`) in one file are parts of one stamp.
    join_stamps: bool = False
    #: What stands between the two stamps of a cell such as `10:00 - 10:15`; nothing where there is one.
    span: str = ""
    #: The number of the first interval of a day, where a column `slot` numbers them.
    first_slot: int = 1
    #: Long files with several columns of values: a pattern of the header and what its values are. Columns of
    #: one meaning are added up.
    values: tuple[tuple[str, Series], ...] = ()
    #: Whether values are those of a register, so that the energy is the difference of two.
    difference: bool = False
    #: Digits before the decimal point at which a register rolls over; 0 when that is not known.
    digits: int = 0
    #: The most that a meter can take or feed in, kW; 0 when that is not known.
    max_kw: float = 0.0
    #: Whether a value covers `interval`, or the time between its stamp and the next one of its meter.
    steps: Literal["fixed", "stamps"] = "fixed"
    #: What a value below zero is: sent as it stands, or energy that was fed in, a meter of its own.
    negative: Literal["send", "generation"] = "send"
    #: Whether several texts of `series` are tariffs of one direction: values of one time are added up.
    add_up: bool = False
    #: Whether two columns that stand for one field are an error; else the first accepted one counts.
    strict_headers: bool = False
    #: Finds the layout from the start of a file; None: by the header in the first line.
    inspect: Callable[[Start, Profile], Layout] | None = None
    #: Reads files that are not lines of cells; None: lines of cells.
    reader: Callable[[Any], Iterator[Any]] | None = None
    #: Why the start of a file is of this kind, or an empty text; None: never found by itself.
    recognise: Callable[[Start], str] | None = None
    #: Why a file whose header fits is not of this kind after all, or an empty text.
    misfit: Callable[[Start], str] | None = None
    #: Columns that such files are known to have beside those that are read: a pattern of their headers, in
    #: lower case. A file with any other column is not taken for one of this kind.
    beside: str = ""

    #: What a profile of one's own was made from.
    described: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells the rows of this profile from those of another one."""
        return f"{self.name} {self.described}" if self.described else self.name

    @property
    def step(self) -> int:
        """The interval, µs; 0 when the set does not say."""
        return self.interval * MINUTE or self.seconds * SECOND

    @property
    def shift(self) -> int:
        """How far before its stamp an interval begins, µs; months are taken off by the calendar instead."""
        return self.step if self.anchor == "end" and self.interval < MONTH_MINUTES else 0

    @property
    def may_be_register(self) -> bool:
        """Whether values that never fall would be those of a register, taken for energy."""
        return not self.difference and self.unit not in POWER

    def accepted(self, field: str) -> tuple[str, ...]:
        """The headers that name `field`: its aliases, or an optional field's own name."""
        return self.columns.get(field, (field,))

    def kwh_per_unit(self, interval: int = 0, unit: str = "") -> Fraction:
        """What a value of the file is multiplied by; `interval` (minutes) matters for power only."""
        unit = unit or self.unit
        scale = UNITS[unit] * self.multiply
        hours = Fraction(interval, 60) if interval else Fraction(self.step, HOUR)
        return scale * hours if unit in POWER else scale
