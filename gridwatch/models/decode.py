"""Raw records to readings, the fast way: typed JSON straight into the domain's own shape.

Whatever this refuses goes to the domain's slow path, which finds every reason.
"""

from __future__ import annotations

import msgspec

from gridwatch.domain.reading import RawReading

_decoder = msgspec.json.Decoder(RawReading | list[RawReading])  # type: ignore[arg-type, unused-ignore]


def decode_readings(value: bytes) -> RawReading | list[RawReading]:
    """One reading or an array of them; msgspec.DecodeError (a ValueError) if it is not exactly that."""
    decoded: RawReading | list[RawReading] = _decoder.decode(value)
    return decoded
