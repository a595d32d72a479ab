"""Decodes raw records the fast way: typed JSON straight into the domain's raw readings.

Whatever the decoder rejects goes to the domain's slow path, which finds every reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gridwatch.domain.reading import LogRecord
from gridwatch.models.raw import Raw
from gridwatch.topics import END_HEADER, REPLAY_HEADER, TICK_HEADER

#: One reading or an array of them; msgspec.DecodeError (a ValueError) if it is not exactly that.
decode_readings: Final = msgspec.json.Decoder(Raw | list[Raw]).decode  # type: ignore[arg-type, unused-ignore]


def log_records(records: Iterable[Any]) -> list[LogRecord]:
    """The domain's records, from records with `offset`, `timestamp` (milliseconds), `value` and `headers`."""
    converted: list[LogRecord] = []
    for record in records:
        tick = replayed = False
        end: bytes | None = None
        for name, value in record.headers:
            if name == TICK_HEADER:
                tick = True
            elif name == REPLAY_HEADER:
                replayed = True
            elif name == END_HEADER:
                end = value
        converted.append(LogRecord(record.offset, record.timestamp * 1000, record.value, tick, replayed, end))
    return converted
