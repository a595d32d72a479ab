"""`smartmeter_dead_letters`: records that could not be read or stored, and why."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class DeadLetter(Struct, frozen=True):
    """One rejected record, or one rejected element of an array.

    `raw` is its value, as text or as base64 (`raw_encoding`), truncated at 64 KiB (`raw_truncated`);
    `raw_size` is its full size in bytes. `field` names the first field at fault.
    """

    id: str
    reasons: list[str]
    message: str
    field: str | None
    raw: str
    raw_encoding: Literal["utf-8", "base64"]
    raw_size: int
    raw_truncated: bool
    topic: str
    partition: int
    offset: int
    index: int
    record_timestamp: str
    meter_id: str | None
