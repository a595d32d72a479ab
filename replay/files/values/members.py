"""Optional columns of a line as members of the raw record."""

from __future__ import annotations

import json
from typing import Final

from gridwatch.domain.calendar import is_zone
from gridwatch.domain.policy import Policy
from gridwatch.domain.validation.intervals import allowed_intervals, interval_of
from replay.files.job import BadCell
from replay.files.profile import TEXT_FIELDS
from replay.files.spacing import MINUTES_OF, giving
from replay.files.values.cells import CONTROL, Numbers, given

_POLICY: Final = Policy()
#: Columns with an interval, and their unit in seconds.
_INTERVALS: Final = {"interval_seconds": 1, "interval_minutes": 60}
#: Longer ones, and fractions, are passed on; nothing is reckoned with them here.
_MOST_MINUTES: Final = 1440


def optional_members(
    cells: list[str], columns: list[tuple[str, int]], numbers: Numbers, *, interval_too: bool = False
) -> tuple[str, int]:
    """The JSON members of a line, such as `,"region":"N"`, of (field, column); its interval (minutes, or 0).

    `interval_too`: the interval is among the members. BadCell for a cell that is none of its field.
    """
    members, interval, calendar = [], 0, False
    for name, at in columns:
        text = cells[at].strip()
        if not text or (calendar and name in _INTERVALS):
            continue
        if name == "calendar":
            interval, said = _calendar(text)
            members.append(said)
            calendar = True
            continue
        if name in TEXT_FIELDS:
            if CONTROL.search(text):
                raise BadCell(name, text, "has control characters or bytes that are not UTF-8")
            members.append(f',"{name}":{json.dumps(text, ensure_ascii=False)}')
            continue
        number = numbers.read(name, text)
        unit = _INTERVALS.get(name)
        if unit is None:
            members.append(f',"{name}":{number!r}')
        elif interval_of(number * unit, _POLICY) is None:
            raise BadCell(name, text, f"not {allowed_intervals(_POLICY)}")
        elif unit == 1 or not (number.is_integer() and number <= _MOST_MINUTES):
            members.append(f',"{name}":{int(number) if number.is_integer() else number!r}')
        else:
            interval = int(number)
            if interval_too:
                members.append(given(interval))
    return "".join(members), interval


def _calendar(text: str) -> tuple[int, str]:
    """The minutes that a calendar such as `1d Europe/Berlin` is taken for, and the member that gives it."""
    unit, _, zone = text.partition(" ")
    if unit not in MINUTES_OF or not is_zone(zone):
        raise BadCell("calendar", text, "neither 1d nor 1mo with a time zone, such as 1d Europe/Berlin")
    return MINUTES_OF[unit], giving(unit, zone)
