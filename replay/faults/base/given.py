"""The interval that a row gives: whole minutes are in the row itself, others among its further members."""

from __future__ import annotations

import re

from gridwatch.domain.policy import MINUTE, SECOND
from replay.files.rows import Row
from replay.files.spacing import GIVEN, Spacing, calendar_given

# Within a text of JSON the quote would be an escaped one.
_SECONDS = re.compile(r',"interval_seconds":([0-9]+)')
_ANY = re.compile(rf'{GIVEN.pattern}|,"interval_(?:minutes|seconds)":[0-9.]+')


def given_by(row: Row) -> Spacing | None:
    """The interval that a reading gives; as for the worker, a calendar before seconds before minutes."""
    members = row[4]
    if calendar := calendar_given(members):
        return calendar
    seconds = _SECONDS.search(members) if "interval_seconds" in members else None
    length = int(seconds[1]) * SECOND if seconds else row[3] * MINUTE
    return Spacing(length) if length else None


def giving(interval: int, members: str) -> tuple[int, str]:
    """The last two elements of a row that gives this interval (µs, whole seconds), and no other."""
    minutes, rest = divmod(interval, MINUTE)
    others = _ANY.sub("", members)
    if rest:
        return 0, f'{others},"interval_seconds":{interval // SECOND}'
    return minutes, f'{others},"interval_minutes":{minutes}'
