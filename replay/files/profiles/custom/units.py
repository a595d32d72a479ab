"""A profile without `unit` reads kWh; a header that says another unit contradicts it."""

from __future__ import annotations

import re

from gridwatch.errors import GridwatchError
from replay.files.layout import Layout, Start
from replay.files.profile import UNITS, Profile
from replay.files.reading.headers import by_header

_UNITS = {unit.lower(): unit for unit in UNITS}
_NAMES = "|".join(UNITS)
_BRACKETED = re.compile(rf"[(\[]\s*({_NAMES})\s*[)\]]$", re.IGNORECASE)
_LAST_WORD = re.compile(rf"(?:^|\s)({_NAMES})$", re.IGNORECASE)


def kwh_headers(start: Start, profile: Profile) -> Layout:
    """The layout by the header. GridwatchError where the header of a value ends in another unit than kWh."""
    layout = by_header(start, profile)
    ones = [layout.columns["consumption_kwh"]] if "consumption_kwh" in layout.columns else []
    for at in (*ones, *(at for at, _ in layout.values), *layout.cells):
        header = layout.headers[at]
        unit = _unit(header, of_its_own=at not in layout.cells)
        if unit not in ("", "kWh"):
            raise GridwatchError(
                f"{layout.file}, line {max(1, layout.header_lines)}, column {header}: the header says {unit}"
                ", and the profile has no unit, which stands for kWh",
                f'add unit = "{unit}" to the profile, or unit = "kWh" if the values are kWh after all',
            )
    return layout


def _unit(header: str, *, of_its_own: bool) -> str:
    """The unit at the end of a header, or nothing; `of_its_own`: the header is no slot's and no meter's."""
    header = header.strip()
    found = _BRACKETED.search(header) or _LAST_WORD.search(header)
    if found is None:
        return ""
    # A meter may be called "House W", and a column of values just "w".
    if found[1] in "wW" and not header.endswith((")", "]")) and (not of_its_own or len(header) == 1):
        return ""
    return _UNITS[found[1].lower()]
