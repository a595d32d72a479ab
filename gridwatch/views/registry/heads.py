"""Reads the few fields of a registration's row that lists and counts need.

A registration has up to sixteen entries of a dozen fields; a survey of a million decodes status and region
of them only.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gridwatch.domain.registry.records import ACTIVE, INSTALLED
from gridwatch.tables.registry_rows import REGISTRATION

#: Stands for the status of a meter whose first entry does not hold yet.
PENDING = "pending"


class EntryHead(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an entry (`domain/registry/entry.py`); the others stay undecoded."""

    status: str
    interval: msgspec.Raw
    calendar: msgspec.Raw
    anchor: msgspec.Raw
    grace: int | None
    energy_mode: msgspec.Raw
    region: str | None


class RegistrationHead(msgspec.Struct, array_like=True, gc=False):
    """A registration's row (`tables/registry_rows.py`)."""

    due: msgspec.Raw
    version: int
    entries: list[tuple[int, EntryHead]]
    applied: int
    heard: bool
    resumed: msgspec.Raw
    watch_from: msgspec.Raw
    gap: list[Any] | None

    @property
    def entry(self) -> EntryHead | None:
        """The entry that holds now."""
        return self.entries[self.applied - 1][1] if self.applied else None

    @property
    def status(self) -> str:
        """Its status, PENDING before its first entry."""
        entry = self.entry
        return PENDING if entry is None else entry.status

    @property
    def region(self) -> str | None:
        """The region that holds now."""
        entry = self.entry
        return None if entry is None else entry.region

    @property
    def grace(self) -> int | None:
        """The grace that holds now, µs."""
        entry = self.entry
        return None if entry is None else entry.grace

    @property
    def gaps(self) -> list[list[Any]]:
        """The gap of a meter that was never heard, if there is one."""
        return [] if self.gap is None else [self.gap]

    @property
    def awaited(self) -> bool:
        """Whether a first reading is awaited."""
        return not self.heard and self.status in (INSTALLED, ACTIVE)


_decode = msgspec.msgpack.Decoder(RegistrationHead).decode


def registration_head_of(row: bytes) -> RegistrationHead:
    """The head of a registration's row; GridwatchError if a newer version wrote it."""
    return _decode(REGISTRATION.body_of(row))
