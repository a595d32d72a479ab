"""The interval that a row gives: whole minutes are in the row itself, seconds among its further members."""

from __future__ import annotations

import re

from gridwatch.domain.policy import MINUTE, SECOND
from replay.files.rows import Row

# Within a text of JSON the quote would be an escaped one.
_SECONDS = re.compile(r',"interval_seconds":([0-9]+)')
_ANY = re.compile(r',"interval_(?:minutes|seconds)":[0-9.]+')


def given_by(row: Row) -> int:
    """The interval that a reading gives (µs), 0 for none; as for the worker, seconds count before minutes."""
    found = _SECONDS.search(row[4]) if "interval_seconds" in row[4] else None
    return int(found[1]) * SECOND if found else row[3] * MINUTE


def giving(interval: int, members: str) -> tuple[int, str]:
    """The last two elements of a row that gives this interval (µs, whole seconds), and no other."""
    minutes, rest = divmod(interval, MINUTE)
    others = _ANY.sub("", members)
    if rest:
        return 0, f'{others},"interval_seconds":{interval // SECOND}'
    return minutes, f'{others},"interval_minutes":{minutes}'
