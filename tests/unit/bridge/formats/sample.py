"""A message as a device publishes it: the structure is the vendor's, the values are made up."""

from __future__ import annotations

from dataclasses import dataclass

from gridwatch.bridge.formats.dsmr import crc16
from gridwatch.bridge.formats.measured import Kind, Measured


@dataclass(frozen=True)
class Sample:
    """A message and what it is."""

    name: str
    format: str
    topic: str
    payload: str
    expected: list[Measured]
    kind: Kind = "energy"
    field: str | None = None
    zone: str = "UTC"


def telegram(*lines: str, header: str = r"/ISK5\2M550T-1012", end: str = "\r\n") -> str:
    """A telegram of these lines with its checksum."""
    body = end.join((header, "", *lines, "!"))
    return f"{body}{crc16(body.encode()):04X}{end}"
