"""Decodes raw records the fast way: typed JSON straight into the domain's raw readings.

Whatever the decoder rejects goes to the domain's slow path, which finds every reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gridwatch.domain.reading import LogRecord, RawReading
from gridwatch.models.raw import Raw, Telemetry
from gridwatch.topics import END_HEADER, REPLAY_HEADER, TICK_HEADER

#: One reading or an array of them; msgspec.DecodeError (a ValueError) if it is not exactly that.
decode_readings: Final = msgspec.json.Decoder(Raw | list[Raw]).decode  # type: ignore[arg-type, unused-ignore]

_decode_telemetry: Final = msgspec.json.Decoder(Telemetry | list[Telemetry]).decode  # type: ignore[arg-type, unused-ignore]


def decode_telemetry(value: bytes) -> RawReading | list[RawReading]:
    """The same for readings without `consumption_kwh`: it is not a number if they have no energy at all."""
    decoded: Any = _decode_telemetry(value)
    return [one.as_raw() for one in decoded] if isinstance(decoded, list) else decoded.as_raw()


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
