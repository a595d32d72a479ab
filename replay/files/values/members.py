"""Optional columns of a line as members of the raw record."""

from __future__ import annotations

import json

from replay.files.job import BadCell
from replay.files.profile import TEXT_FIELDS
from replay.files.values.cells import CONTROL, Numbers, given


def optional_members(
    cells: list[str], columns: list[tuple[str, int]], numbers: Numbers, *, interval_too: bool = False
) -> tuple[str, int]:
    """The JSON members of a line, such as `,"region":"N"`, of (field, column); its interval (minutes, or 0).

    `interval_too`: the interval is among the members. BadCell for a cell that is none of its field.
    """
    members, interval = [], 0
    for name, at in columns:
        text = cells[at].strip()
        if not text:
            continue
        if name in TEXT_FIELDS:
            if CONTROL.search(text):
                raise BadCell(name, text, "has control characters or bytes that are not UTF-8")
            members.append(f',"{name}":{json.dumps(text, ensure_ascii=False)}')
            continue
        number = numbers.read(name, text)
        if name != "interval_minutes":
            members.append(f',"{name}":{number!r}')
        elif number.is_integer() and 1 <= number <= 1440:
            interval = int(number)
            if interval_too:
                members.append(given(interval))
        else:
            raise BadCell(name, text, "not a whole number of minutes from 1 to 1440")
    return "".join(members), interval
