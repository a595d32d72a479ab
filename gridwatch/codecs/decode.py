"""Decodes raw records the fast way: typed JSON straight into the domain's raw readings.

Whatever the decoder rejects goes to the domain's slow path, which finds every reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gridwatch.domain.reading import CONTROL_VERSION, METER, OUTAGE, REGION, TICK, LogRecord, RawReading
from gridwatch.models.raw import Raw, Telemetry
from gridwatch.topics import (
    END_HEADER,
    OUTAGE_HEADER,
    REGION_HEADER,
    REGISTRY_HEADER,
    REPLAY_HEADER,
    TICK_HEADER,
)

_CONTROLS: Final = {
    TICK_HEADER: TICK,
    REGISTRY_HEADER: METER,
    REGION_HEADER: REGION,
    OUTAGE_HEADER: OUTAGE,
}

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
        replayed = False
        end = control = None
        version = CONTROL_VERSION
        for name, value in record.headers:
            if name == REPLAY_HEADER:
                replayed = True
            elif name == END_HEADER:
                end = value
            elif control is None and (control := _CONTROLS.get(name)) is not None and control != TICK:
                version = value
        time = record.timestamp * 1000
        converted.append(LogRecord(record.offset, time, record.value, False, replayed, end, control, version))
    return converted
