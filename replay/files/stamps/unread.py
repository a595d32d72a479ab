"""What to say of a text that is no stamp: what it seems to be, and how it can be read."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from replay.files.job import BadCell

#: Days since 1899-12-30, as spreadsheets count them, and maybe a part of one.
_SERIAL = re.compile(r"(?P<days>[2-7]\d{4})(?:[.,]\d+)?(?: .*)?")
#: Dates as people write them, with the hour behind them or not.
_DATE = re.compile(
    r"\d{1,2}([./-])\d{1,2}\1(\d{4}|\d{2})(?:(\D{1,2})\d{1,2}:\d\d(:\d\d)?( ?[ap]m)?)?", re.IGNORECASE
)
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
    elif forms := _forms(bare):
        written = " or ".join(f'["{form}"]' for form in forms)
        remedy = f"say how stamps are written in a profile of your own: stamps = {written}"
    return BadCell("timestamp", text, f"not a {what}: {why}", remedy)


def _forms(text: str) -> list[str]:
    """The forms that a date as people write it may have; none for any other text."""
    written = _DATE.fullmatch(text)
    if written is None:
        return []
    mark, year, between, seconds, half = written.groups()
    clock = f"{between}{'%I' if half else '%H'}:%M{':%S' if seconds else ''}" if between else ""
    clock += half[:-2] + "%p" if half else ""
    orders = (("%d", "%m"), ("%m", "%d"))
    forms = [mark.join((*order, "%Y" if len(year) == 4 else "%y")) + clock for order in orders]
    return [form for form in forms if _fits(text, form)]


def _fits(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True
