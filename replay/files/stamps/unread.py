"""What to say of a text that is no stamp: what it seems to be, and how it can be read."""

from __future__ import annotations

import re
from datetime import date, timedelta

from replay.files.job import BadCell

#: Days since 1899-12-30, as spreadsheets count them, and maybe a part of one.
_SERIAL = re.compile(r"(?P<days>[2-7]\d{4})(?:[.,]\d+)?(?: .*)?")
#: A part of a day behind a date, in a column of times.
_PART = re.compile(r"\S.* 0?[.,]\d{3,}")
_EPOCH = date(1899, 12, 30)
_FORMAT = (
    "give the column the format of a date or a time in the spreadsheet, such as yyyy-mm-dd hh:mm, and save "
    "it again"
)


def not_a_time(text: str, why: object, *, what: str = "time") -> BadCell:
    """The problem of a text that cannot be read as a `what`; `why` as the reader says it."""
    bare = text.strip()
    remedy = ""
    if serial := _SERIAL.fullmatch(bare):
        day = _EPOCH + timedelta(days=int(serial["days"]))
        why, remedy = f"the serial number of {day} in a spreadsheet", _FORMAT
    elif _PART.fullmatch(bare):
        why, remedy = "the time is a part of a day, as in a spreadsheet", _FORMAT
    return BadCell("timestamp", text, f"not a {what}: {why}", remedy)
