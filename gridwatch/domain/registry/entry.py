"""One entry of the registry: what holds for a meter from some time on."""

from __future__ import annotations

from typing import NamedTuple

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.reading import stored_region
from gridwatch.domain.registry.records import ACTIVE, INSTALLED, SUSPENDED, MeterRecord


class Entry(NamedTuple):
    """One entry of the registry. Times and durations µs; None where it says nothing."""

    status: str
    interval: int | None = None
    calendar: Calendar | None = None
    anchor: str | None = None
    grace: int | None = None
    energy_mode: str | None = None
    region: str | None = None
    feeder: str | None = None
    transformer: str | None = None
    max_kw: float | None = None
    register_digits: int | None = None
    watch: int | None = None
    """When to count from that the meter was never heard; None: from when it holds."""
    timezone: str | None = None

    @property
    def expected(self) -> bool:
        return self.status in {INSTALLED, ACTIVE, SUSPENDED}

    @property
    def watched(self) -> bool:
        return self.status in {INSTALLED, ACTIVE}


def entry_of(record: MeterRecord) -> Entry:
    """The entry that a record makes."""
    counts = [at for at in (record.installed_at, record.as_of, record.valid_from) if at is not None]
    return Entry(
        record.status,
        record.interval,
        record.calendar,
        record.anchor,
        record.grace,
        record.energy_mode,
        stored_region(record.region),
        record.feeder,
        record.transformer,
        record.max_kw,
        record.register_digits,
        max(counts, default=None),
        record.timezone,
    )
