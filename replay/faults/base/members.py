"""What a row says besides its consumption: reads a number among its members, or puts another one there."""

from __future__ import annotations

import re
from functools import lru_cache

from gridwatch.domain.policy import HOUR
from replay.faults.base.given import given_by
from replay.files.rows import Row

#: What is measured of the same power that the energy comes from.
_GOES_ALONG = ("power_kw", "current")


def member(members: str, name: str) -> float | None:
    """The number of this name; None where the row does not say it."""
    found = _pattern(name).search(members) if f'"{name}"' in members else None
    return float(found[1]) if found else None


def with_member(row: Row, name: str, value: float) -> Row:
    """The row with this number in the place of its own, or besides what it says."""
    time, meter, kwh, given, members = row
    text = f',"{name}":{value!r}'
    changed, count = _pattern(name).subn(text, members, count=1)
    return time, meter, kwh, given, changed if count else members + text


def with_energy(row: Row, kwh: float) -> Row:
    """The row with another consumption. Power and current go along in proportion, where the row says them.

    A power of nothing has no proportion: it becomes the mean over the interval, where the row gives that.
    """
    time, meter, before, given, members = row
    changed: Row = (time, meter, round(kwh, 6), given, members)
    for name in _GOES_ALONG:
        value = member(members, name)
        if value is None:
            continue
        if before:
            changed = with_member(changed, name, round(value * kwh / before, 6))
        elif name == "power_kw" and (spacing := given_by(row)) is not None:
            changed = with_member(changed, name, round(kwh * HOUR / spacing.length, 6))
    return changed


@lru_cache
def _pattern(name: str) -> re.Pattern[str]:
    # Within a text of JSON the quote would be an escaped one.
    return re.compile(rf',"{name}":(-?[0-9][0-9.eE+-]*)')
